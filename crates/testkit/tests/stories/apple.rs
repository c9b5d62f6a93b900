//! Apple, which differs: the client secret is signed, the answer is a form of its own page, and apps get codes themselves.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_testkit::social::*;
use doorward_testkit::{CLIENT_ID, Provider, TestServer};
use serde_json::{Value, json};

const APPLE: &str = "oauth_apple";
const APP: &str = "com.example.app";

/// A server that is registered at Apple, for a page and an app, and the public key that Apple knows it by.
async fn registered() -> (TestServer, Provider, Vec<u8>) {
    let (server, provider) = known("apple", "https://appleid.apple.com", |it| {
        (it.team_id, it.key_id) = (Some("TEAM".to_owned()), Some("KEY".to_owned()));
        it.more_client_ids = vec![APP.to_owned()];
    })
    .await;
    let (pem, key) = signing_key();
    server.provider_secret("apple", &pem).await;
    (server, provider, key)
}

/// What a signed client secret says, if the key signed it.
fn signed(secret: &str, key: &[u8]) -> (Value, Value) {
    let (message, signature) = secret.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message.as_bytes(), &B64.decode(signature).unwrap()).unwrap();
    let (head, claims) = message.split_once('.').unwrap();
    let json = |part: &str| serde_json::from_slice(&B64.decode(part).unwrap()).unwrap();
    (json(head), json(claims))
}

/// What the token endpoint was sent last.
fn last_call(provider: &Provider) -> doorward_testkit::ProviderCall {
    provider.calls().into_iter().rfind(|it| it.path == "POST /appleid.apple.com/auth/token").unwrap()
}

#[tokio::test]
async fn somebody_signs_up_by_apple_s_form_and_the_server_by_its_key() {
    let (server, provider, key) = registered().await;
    provider.account(json!({"sub": "001.ada", "email": "ada@example.com", "email_verified": "true"}));
    let mut ada = server.browser();
    let to = way(&set_out(&mut ada, "sign_ups", APPLE).await);
    assert!(to.starts_with("https://appleid.apple.com/auth/authorize?") && to.contains("&response_mode=form_post"), "{to}");
    let path = provider.visit(&to);
    let sent: Vec<(String, String)> = url::Url::parse(&format!("http://x{path}")).unwrap().query_pairs().into_owned().collect();
    let user = json!({"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "eve@example.com"}).to_string();
    let mut fields: Vec<(&str, &str)> = sent.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    fields.push(("user", &user));
    // A form of another site comes without cookies, and says where it comes from.
    let mut form = server.browser();
    form.origin = Some("https://appleid.apple.com".to_owned());
    let answer = form.post("/v1/oauth_callback", &fields).await;
    assert_eq!((answer.status, answer.set_cookies().len()), (303, 0), "{}", answer.text);
    let here = answer.headers["location"].to_str().unwrap();
    let here = here.strip_prefix(&format!("http://{}", server.public)).unwrap();
    form.get(here).await.refused(400, "oauth_callback_invalid", "");
    assert_eq!(back(&mut ada, here).await, "/done");
    let me = ada.get("/v1/me").await.response().clone();
    assert_eq!((&me["first_name"], &me["last_name"]), (&json!("Ada"), &json!("Lovelace")));
    let email = &me["email_addresses"][0];
    assert_eq!((&email["email_address"], &email["verification"]["status"]), (&json!("ada@example.com"), &json!("verified")));

    let call = last_call(&provider);
    assert_eq!((call.authorization.as_str(), call.fields["client_id"].as_str()), ("", CLIENT_ID));
    assert!(!call.fields.contains_key("code_verifier"));
    let (head, claims) = signed(&call.fields["client_secret"], &key);
    assert_eq!((&head["alg"], &head["kid"]), (&json!("ES256"), &json!("KEY")));
    assert_eq!((&claims["iss"], &claims["sub"], &claims["aud"]), (&json!("TEAM"), &json!(CLIENT_ID), &json!("https://appleid.apple.com")));
    let now = doorward_testkit::START / 1000;
    assert_eq!((claims["iat"].as_i64(), claims["exp"].as_i64()), (Some(now), Some(now + 300)));

    // The name comes the first time only; what is known stays.
    let mut again = server.browser();
    assert_eq!(visit(&mut again, &provider, "sign_ins", APPLE).await, "/done");
    assert_eq!(again.get("/v1/me").await.response()["first_name"], "Ada");
    form.post("/v1/oauth_callback", &[("code", "x")]).await.refused(400, "oauth_callback_invalid", "");
}

#[tokio::test]
async fn an_app_brings_a_code_that_apple_gave_to_it() {
    let (server, provider, key) = registered().await;
    provider.lie(json!({"aud": APP}));
    let bring = async |what: &str, fields: &[(&str, &str)]| {
        let mut app = server.browser();
        app.origin = None;
        let fields = [&[("strategy", "oauth_token_apple")], fields].concat();
        app.post(&format!("/v1/client/{what}?_is_native=1"), &fields).await
    };
    let code = provider.app_code();
    let nobody = bring("sign_ins", &[("code", &code)]).await.response()["first_factor_verification"].clone();
    assert_eq!((&nobody["status"], &nobody["error"]["code"]), (&json!("transferable"), &json!("external_account_not_found")));
    bring("sign_ins", &[("code", &code)]).await.refused(400, "oauth_token_exchange_error", "");
    let made = bring("sign_ups", &[("code", &provider.app_code()), ("first_name", "Augusta")]).await;
    assert_eq!(made.response()["status"], "complete", "{}", made.text);
    let call = last_call(&provider);
    assert_eq!((call.fields["client_id"].as_str(), call.fields.get("redirect_uri")), (APP, None));
    assert_eq!(signed(&call.fields["client_secret"], &key).1["sub"], APP);
    assert_eq!(bring("sign_ins", &[("code", &provider.app_code())]).await.response()["status"], "complete");
    // With a token beside it, the token says it all.
    let calls = provider.calls().len();
    assert_eq!(bring("sign_ins", &[("code", "unused"), ("token", &provider.id_token())]).await.response()["status"], "complete");
    assert!(provider.calls().iter().skip(calls).all(|it| !it.path.contains("auth/token")));
    bring("sign_ins", &[]).await.refused(422, "form_param_missing", "token");
    provider.lie(json!({"aud": "com.example.other"}));
    bring("sign_ins", &[("code", &provider.app_code())]).await.refused(400, "oauth_fetch_user_error", "");

    // Others give apps no codes of that kind.
    let (server, _) = known("google", "https://accounts.google.com", |_| {}).await;
    let fields = [("strategy", "oauth_token_google"), ("code", "4/x")];
    server.browser().post("/v1/client/sign_ins", &fields).await.refused(422, "form_param_missing", "token");
}

#[tokio::test]
async fn a_secret_that_is_no_key_is_said_to_be_so_before_anybody_leaves() {
    let (server, _, _) = registered().await;
    for broken in ["a password", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"] {
        server.provider_secret("apple", broken).await;
        let refused = set_out(&mut server.browser(), "sign_ins", APPLE).await;
        refused.refused(400, "misconfigured_oauth_provider", "");
        assert!(!refused.text.contains(broken));
    }
}
