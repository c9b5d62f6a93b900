//! What the official SDKs do not forgive, seen from outside: keys, the environment, tokens.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD as B64};
use doorward_core::instance::{self, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::settings::{Presence, Settings};
use doorward_testkit::{Authenticator, Browser, Options, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const PASSWORD: &str = "correct horse";

fn part(jwt: &str, n: usize) -> Value {
    serde_json::from_slice(&B64.decode(jwt.split('.').nth(n).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn pitfall_019_and_027_no_session_is_pending_and_no_page_is_sent_to_touch() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    // An SDK of today, and one that names no date and knows neither pending sessions nor client trust.
    for version in [Some("2026-05-12"), None] {
        let mut ada = server.browser();
        ada.api_version = version.map(str::to_owned);
        let signed_in = ada.sign_in("ada@example.com", PASSWORD).await;
        assert_eq!(signed_in.response()["status"], "complete", "{version:?}");
        let client = ada.get("/v1/client").await;
        let client = client.response();
        assert_eq!((&client["sessions"][0]["status"], &client["cookie_expires_at"]), (&json!("active"), &Value::Null), "{version:?}");
    }
}

#[tokio::test]
async fn pitfall_020_a_token_without_an_organization_reads_the_same_in_both_versions() {
    let server = TestServer::start().await;
    let user = server.user("ada@example.com", PASSWORD).await;
    let mut claims = Vec::new();
    for version in [Some("2026-05-12"), None] {
        let mut ada = server.browser();
        ada.api_version = version.map(str::to_owned);
        ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
        let session = ada.session_id().await.unwrap();
        let minted = ada.mint(&session).await;
        let found = part(minted.expect(200)["jwt"].as_str().unwrap(), 1);
        assert_eq!((&found["sub"], &found["sid"], &found["v"]), (&json!(user), &json!(session), &json!(2)));
        for organization in ["o", "org_id", "org_slug", "org_role", "org_permissions"] {
            assert!(found.get(organization).is_none(), "{organization}: {found}");
        }
        claims.push(found.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>());
    }
    assert_eq!(claims[0], claims[1]);
}

#[tokio::test]
async fn pitfall_021_and_035_keys_have_a_dot_in_their_host_and_are_of_one_kind() {
    for (environment, kind) in [(Environment::Development, "test"), (Environment::Production, "live")] {
        let server = TestServer::with(Options { environment, ..Options::default() }).await;
        let key = &server.instance.publishable_key;
        let encoded = key.strip_prefix(&format!("pk_{kind}_")).unwrap();
        let host = String::from_utf8(STANDARD_NO_PAD.decode(encoded).unwrap()).unwrap();
        assert!(host.ends_with('$') && host.contains('.'), "{host}");
        assert!(server.instance.secret_key.expose().starts_with(&format!("sk_{kind}_")), "as the publishable key");
        for host in ["localhost", "localhost:4100", "accounts", "a.b$c", ""] {
            let new = NewInstance {
                environment,
                name: "dotless".to_owned(),
                key_host: host.to_owned(),
                hosts: vec!["dotless.test".to_owned()],
                scheme: "http".to_owned(),
                settings: Settings::default(),
            };
            let refused = instance::create(&server.app, new).await.err();
            assert!(refused.as_ref().is_some_and(|text| text.contains("publishable key")), "{host:?}: {refused:?}");
        }
    }
}

#[tokio::test]
async fn pitfall_026_signing_keys_are_rsa_of_2048_bits_and_sign_rs256() {
    let server = TestServer::start().await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    let minted = ada.mint(&session).await;
    let header = part(minted.expect(200)["jwt"].as_str().unwrap(), 0);
    assert_eq!((&header["alg"], &header["typ"]), (&json!("RS256"), &json!("JWT")));
    for answer in [server.browser().get("/.well-known/jwks.json").await, server.backend("GET", "/v1/jwks", None).await] {
        let keys = answer.expect(200)["keys"].as_array().unwrap().clone();
        assert!(keys.iter().any(|key| key["kid"] == header["kid"]), "{keys:?}");
        for key in keys {
            let modulus = B64.decode(key["n"].as_str().unwrap()).unwrap();
            assert_eq!((modulus.len(), modulus[0] >> 7), (256, 1), "2048 bits and no leading zero");
            assert_eq!((&key["kty"], &key["alg"], &key["use"], &key["e"]), (&json!("RSA"), &json!("RS256"), &json!("sig"), &json!("AQAB")));
        }
    }
}

#[tokio::test]
async fn pitfall_028_and_029_the_environment_is_complete_whatever_is_switched_off() {
    use doorward_core::settings::Presence::Off;
    let bare = TestServer::with_settings(|settings| {
        let set = &mut settings.attributes;
        (set.username, set.first_name, set.last_name) = (Off, Off, Off);
        (set.authenticator_app, set.backup_code) = (false, false);
    });
    for server in [TestServer::start().await, bare.await] {
        let answer = server.browser().get("/v1/environment").await;
        let shown = answer.expect(200);
        let billing = &shown["commerce_settings"]["billing"];
        for payer in ["user", "organization"] {
            assert!(billing[payer]["enabled"].is_boolean() && billing[payer]["has_paid_plans"].is_boolean(), "{payer}: {billing}");
        }
        let names = [
            "email_address",
            "phone_number",
            "username",
            "web3_wallet",
            "first_name",
            "last_name",
            "password",
            "authenticator_app",
            "ticket",
            "backup_code",
            "passkey",
        ];
        for name in names {
            let attribute = &shown["user_settings"]["attributes"][name];
            for switch in ["enabled", "required", "used_for_first_factor", "used_for_second_factor", "verify_at_sign_up"] {
                assert!(attribute[switch].is_boolean(), "{name}.{switch}: {attribute}");
            }
            for list in ["first_factors", "second_factors", "verifications"] {
                assert!(attribute[list].is_array(), "{name}.{list}: {attribute}");
            }
        }
    }
}

#[tokio::test]
async fn pitfall_018_whatever_a_page_shows_is_newer_after_a_change() {
    let server = TestServer::with_settings(|it| {
        it.attributes.phone_number = Presence::Optional;
        it.attributes.web3_wallet = Presence::Optional;
        it.attributes.passkey = true;
    })
    .await;
    server.user("ada@example.com", PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", PASSWORD).await.expect(200);
    let session = ada.session_id().await.unwrap();
    // SDKs draw anew when one of these has grown.
    let times = async |ada: &mut Browser| {
        let client = ada.get("/v1/client").await.response().clone();
        let session = &client["sessions"][0];
        [&client, session, &session["user"]].map(|it| it["updated_at"].as_i64())
    };
    let [client, of_session, user] = [0, 1, 2];
    let touch = format!("/v1/client/sessions/{session}/touch");
    let wallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed";
    let mut made = String::new();
    let mut stale = Vec::new();
    // `{made}` is what the step before made.
    for (method, path, fields, grows) in [
        ("PATCH", "/v1/me", &[("first_name", "Augusta")][..], user),
        ("PATCH", "/v1/me/metadata", &[("unsafe_metadata", "{\"theme\":\"dark\"}")], user),
        ("POST", "/v1/me/email_addresses", &[("email_address", "more@example.com")], user),
        ("DELETE", "/v1/me/email_addresses/{made}", &[], user),
        ("POST", "/v1/me/phone_numbers", &[("phone_number", "+12024560143")], user),
        ("DELETE", "/v1/me/phone_numbers/{made}", &[], user),
        ("POST", "/v1/me/web3_wallets", &[("web3_wallet", wallet)], user),
        ("DELETE", "/v1/me/web3_wallets/{made}", &[], user),
        ("POST", "/v1/me/change_password", &[("current_password", PASSWORD), ("new_password", "another long horse")], user),
        ("POST", touch.as_str(), &[], of_session),
        ("DELETE", "/v1/client/sessions", &[], client),
    ] {
        let before = times(&mut ada).await;
        server.advance(Duration::from_secs(1));
        let done = ada.post(&format!("{}?_method={method}", path.replace("{made}", &made)), fields).await;
        made = done.response()["id"].as_str().unwrap_or_default().to_owned();
        let after = times(&mut ada).await;
        if after[grows] <= before[grows] || before[grows].is_none() {
            stale.push(format!("{method} {path}: {before:?} {after:?}"));
        }
    }
    assert!(stale.is_empty(), "{stale:#?}");

    // What has steps of its own.
    let mut ada = server.browser();
    ada.sign_in("ada@example.com", "another long horse").await.expect(200);
    let before = times(&mut ada).await[user];
    server.advance(Duration::from_secs(1));
    let email = ada.post("/v1/me/email_addresses", &[("email_address", "more@example.com")]).await.response()["id"].clone();
    let at = format!("/v1/me/email_addresses/{}", email.as_str().unwrap());
    ada.post(&format!("{at}/prepare_verification"), &[("strategy", "email_code")]).await.expect(200);
    let added = times(&mut ada).await[user];
    server.advance(Duration::from_secs(1));
    let code = server.code_for("more@example.com").await;
    ada.post(&format!("{at}/attempt_verification"), &[("code", &code)]).await.expect(200);
    let proven = times(&mut ada).await[user];
    server.advance(Duration::from_secs(1));
    let begun = ada.post("/v1/me/passkeys", &[]).await.response().clone();
    let key = Authenticator::default().create(&begun["verification"]["nonce"]);
    let passkey = format!("/v1/me/passkeys/{}", begun["id"].as_str().unwrap());
    ada.post(&format!("{passkey}/attempt_verification"), &[("public_key_credential", &key)]).await.expect(200);
    let with_passkey = times(&mut ada).await[user];
    server.advance(Duration::from_secs(1));
    ada.post(&format!("{passkey}?_method=DELETE"), &[]).await.expect(200);
    let without = times(&mut ada).await[user];
    let all = [before, added, proven, with_passkey, without];
    assert!(all.is_sorted() && all.windows(2).all(|it| it[0] < it[1]), "{all:?}");
}

#[tokio::test]
async fn the_interstitial_of_2023_is_a_page_that_loads_the_sdk_for_this_instance() {
    let server = TestServer::start().await;
    let key = &server.instance.publishable_key;
    let mut sdk = server.browser().on_node(server.private);
    (sdk.origin, sdk.api_version) = (None, None);
    let public = sdk.get(&format!("/v1/public/interstitial?publishable_key={key}&clerk_js_version=4.60.0")).await;
    let private = server.backend("GET", "/v1/internal/interstitial", None).await;
    for (page, version) in [(&public, "4.60.0"), (&private, "4")] {
        assert_eq!((page.status, page.headers["content-type"].to_str().unwrap()), (200, "text/html; charset=utf-8"), "{}", page.text);
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.text.starts_with("<!doctype html>") && page.text.contains("<script>") && page.text.contains("Clerk.load("));
        let script = format!("{}/npm/@clerk/clerk-js@{version}/dist/clerk.browser.js", server.instance.frontend_url);
        for there in [key.as_str(), &script, "isInterstitial", "data-clerk-publishable-key"] {
            assert!(page.text.contains(there), "{there} in {}", page.text);
        }
        assert!(!page.text.contains(server.instance.secret_key.expose()));
    }
    assert_eq!(sdk.get("/v1/internal/interstitial").await.status, 401, "the private one is for servers");
    assert_eq!(sdk.get("/v1/public/interstitial?publishable_key=pk_test_bm9ib2R5LnRlc3Qk").await.status, 400);
    let bad = sdk.get(&format!("/v1/public/interstitial?publishable_key={key}&clerk_js_version=4%22%3E%3Cscript%3E")).await;
    assert_eq!((bad.status, bad.code()), (422, "form_param_format_invalid"), "{}", bad.text);
}
