//! Passkeys: registered, signed in with, renamed, removed; and what bent browsers and authenticators say.

use super::authenticator_app::enrol;
use doorward_testkit::{Algorithm, Answer, Authenticator, Browser, ORIGIN, START, TestServer};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const FAILURE: (u16, &str) = (400, "passkey_authentication_failure");

async fn server() -> TestServer {
    TestServer::with_settings(|settings| settings.attributes.passkey = true).await
}

async fn signed_in(server: &TestServer) -> Browser {
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    ada
}

/// Begins a registration; the passkey as it is then.
async fn begin(browser: &mut Browser) -> Value {
    browser.post("/v1/me/passkeys", &[]).await.response().clone()
}

async fn prove(browser: &mut Browser, id: &Value, answer: &str) -> Answer {
    let path = format!("/v1/me/passkeys/{}/attempt_verification", id.as_str().unwrap());
    browser.post(&path, &[("strategy", "passkey"), ("public_key_credential", answer)]).await
}

async fn register(browser: &mut Browser, authenticator: &mut Authenticator) -> Value {
    let begun = begin(browser).await;
    let answer = authenticator.create(&begun["verification"]["nonce"]);
    prove(browser, &begun["id"], &answer).await.response().clone()
}

/// Somebody signed in who has a passkey.
async fn registered(server: &TestServer) -> (Browser, Authenticator, Value) {
    let mut ada = signed_in(server).await;
    let mut authenticator = Authenticator::default();
    let passkey = register(&mut ada, &mut authenticator).await;
    (ada, authenticator, passkey)
}

/// Begins a sign-in without an identifier.
async fn discover(browser: &mut Browser) -> Value {
    browser.post("/v1/client/sign_ins", &[("strategy", "passkey")]).await.response().clone()
}

/// Begins a sign-in with an identifier.
async fn named(browser: &mut Browser) -> Value {
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await.response().clone();
    let path = format!("/v1/client/sign_ins/{}/prepare_first_factor", begun["id"].as_str().unwrap());
    browser.post(&path, &[("strategy", "passkey")]).await.response().clone()
}

fn nonce(sign_in: &Value) -> &Value {
    &sign_in["first_factor_verification"]["nonce"]
}

async fn answer(browser: &mut Browser, sign_in: &Value, answer: &str) -> Answer {
    let path = format!("/v1/client/sign_ins/{}/attempt_first_factor", sign_in["id"].as_str().unwrap());
    browser.post(&path, &[("strategy", "passkey"), ("public_key_credential", answer)]).await
}

/// A whole sign-in without an identifier.
async fn enter(server: &TestServer, authenticator: &mut Authenticator) -> (Browser, Answer) {
    let mut browser = server.browser();
    let begun = discover(&mut browser).await;
    let signed = authenticator.get(nonce(&begun));
    let done = answer(&mut browser, &begun, &signed).await;
    (browser, done)
}

#[tokio::test]
async fn a_passkey_is_registered_and_signs_in_with_and_without_an_identifier() {
    let server = server().await;
    let mut ada = signed_in(&server).await;
    let begun = begin(&mut ada).await;
    assert_eq!((begun["object"].as_str(), begun["verification"]["status"].as_str()), (Some("passkey"), Some("unverified")));
    let options: Value = serde_json::from_str(begun["verification"]["nonce"].as_str().unwrap()).unwrap();
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!((&options["user"]["name"], &options["user"]["displayName"]), (&json!(EMAIL), &json!("Ada")));
    let algorithms: Vec<_> = options["pubKeyCredParams"].as_array().unwrap().iter().map(|it| it["alg"].as_i64().unwrap()).collect();
    assert_eq!(algorithms, [-7, -8, -257]);
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"], json!([]), "nothing is registered before it is proven");
    let path = format!("/v1/me/passkeys/{}", begun["id"].as_str().unwrap());
    assert_eq!(ada.get(&path).await.response()["verification"]["nonce"], begun["verification"]["nonce"]);

    let mut authenticator = Authenticator::default();
    let made = authenticator.create(&begun["verification"]["nonce"]);
    ada.headers.push(("user-agent".to_owned(), "Mozilla/5.0 (Macintosh) Gecko/20100101 Firefox/140.0".to_owned()));
    let proven = prove(&mut ada, &begun["id"], &made).await;
    let passkey = proven.response();
    assert_eq!((passkey["id"].clone(), passkey["verification"]["status"].as_str()), (begun["id"].clone(), Some("verified")));
    assert_eq!((passkey["name"].as_str(), &passkey["last_used_at"]), (Some("Firefox on Macintosh"), &Value::Null));
    assert_eq!(proven.json["client"]["sessions"][0]["user"]["passkeys"], json!([passkey]));
    prove(&mut ada, &begun["id"], &made).await.refused(400, "verification_already_verified", "");
    let again: Value = serde_json::from_str(begin(&mut ada).await["verification"]["nonce"].as_str().unwrap()).unwrap();
    assert_eq!(again["excludeCredentials"].as_array().unwrap().len(), 1, "the same authenticator makes no second one");

    server.advance(Duration::from_secs(5));
    let (mut browser, done) = enter(&server, &mut authenticator).await;
    assert_eq!((done.response()["status"].as_str(), nonce(done.response())), (Some("complete"), &Value::Null));
    assert_eq!(done.response()["first_factor_verification"]["object"], "verification_passkey");
    assert_eq!(done.json["client"]["last_authentication_strategy"], "passkey");
    assert_eq!(browser.get("/v1/me").await.response()["passkeys"][0]["last_used_at"], START + 5_000);

    let mut browser = server.browser();
    let begun = named(&mut browser).await;
    let offered: Vec<_> = begun["supported_first_factors"].as_array().unwrap().iter().map(|f| f["strategy"].as_str().unwrap()).collect();
    assert!(offered.contains(&"passkey"), "{offered:?}");
    let options: Value = serde_json::from_str(nonce(&begun).as_str().unwrap()).unwrap();
    assert_eq!((options["rpId"].as_str(), options["allowCredentials"].as_array().map(Vec::len)), (Some("localhost"), Some(1)));
    let signed = authenticator.get(nonce(&begun));
    assert_eq!(answer(&mut browser, &begun, &signed).await.response()["status"], "complete");

    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "passkey")]).await.response().clone();
    let signed = authenticator.get(nonce(&begun));
    assert_eq!(answer(&mut browser, &begun, &signed).await.response()["status"], "complete", "in one step less");
}

#[tokio::test]
async fn every_kind_of_key_that_was_asked_for_signs_in_and_no_other_is_registered() {
    let server = server().await;
    let mut ada = signed_in(&server).await;
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let mut authenticator = Authenticator { algorithm, sign_count: 0, synced: true, ..Authenticator::default() };
        register(&mut ada, &mut authenticator).await;
        for _ in 0..2 {
            let (_, done) = enter(&server, &mut authenticator).await;
            assert_eq!(done.response()["status"], "complete", "{algorithm:?}");
        }
    }
    let begun = begin(&mut ada).await;
    let mut weak = Authenticator { algorithm: Algorithm::Es384, ..Authenticator::default() };
    let made = weak.create(&begun["verification"]["nonce"]);
    prove(&mut ada, &begun["id"], &made).await.refused(400, "passkey_invalid_verification", "");
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn fault_095_a_page_that_only_looks_like_ours_gets_nothing() {
    let server = server().await;
    let (mut ada, good, _) = registered(&server).await;
    let bent = |change: fn(&mut Authenticator)| {
        let mut it = good.clone();
        change(&mut it);
        it
    };
    let pages: Vec<Authenticator> = vec![
        bent(|it| it.origin = "http://badlocalhost:3000".to_owned()),
        bent(|it| it.origin = "http://localhost:3000.evil.test".to_owned()),
        bent(|it| it.origin = "http://localhost:3001".to_owned()),
        bent(|it| it.origin = "https://localhost:3000".to_owned()),
        bent(|it| it.origin = "http://localhost:3000/".to_owned()),
        bent(|it| it.origin = "http://LOCALHOST:3000".to_owned()),
        bent(|it| it.origin = String::new()),
        bent(|it| it.client_data = json!({"crossOrigin": true})),
        bent(|it| it.client_data = json!({"topOrigin": "https://evil.test"})),
        bent(|it| it.rp_id = Some("evil.test".to_owned())),
        bent(|it| it.rp_id = Some("host".to_owned())),
        bent(|it| it.user_present = false),
    ];
    for mut page in pages {
        let (_, refused) = enter(&server, &mut page).await;
        refused.refused(FAILURE.0, FAILURE.1, "");
        let begun = begin(&mut ada).await;
        let made = page.create(&begun["verification"]["nonce"]);
        prove(&mut ada, &begun["id"], &made).await.refused(400, "passkey_invalid_verification", "");
    }
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"].as_array().unwrap().len(), 1);
    assert_eq!(enter(&server, &mut good.clone()).await.1.response()["status"], "complete", "nothing was used up");
}

#[tokio::test]
async fn the_site_is_the_domain_that_the_app_s_hosts_share() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.passkey = true;
        settings.cookie_domain = Some("example.com".to_owned());
        settings.allowed_origins = ["https://app.example.com", "https://badexample.com", "https://192.0.2.1"].map(str::to_owned).to_vec();
    })
    .await;
    let mut browser = server.browser();
    for (origin, site) in [("https://app.example.com", "example.com"), ("https://badexample.com", "badexample.com")] {
        browser.origin = Some(origin.to_owned());
        let options: Value = serde_json::from_str(nonce(&discover(&mut browser).await).as_str().unwrap()).unwrap();
        assert_eq!(options["rpId"], site);
    }
    browser.origin = Some("https://192.0.2.1".to_owned());
    browser.post("/v1/client/sign_ins", &[("strategy", "passkey")]).await.refused(400, "origin_invalid", "");
    let mut nowhere = server.browser();
    nowhere.origin = None;
    nowhere.post("/v1/client/sign_ins", &[("strategy", "passkey")]).await.refused(400, "origin_missing", "");
}

#[tokio::test]
async fn fault_096_a_challenge_is_for_one_ceremony_one_attempt_and_one_answer() {
    let server = server().await;
    let (mut ada, mut authenticator, _) = registered(&server).await;

    let mut browser = server.browser();
    let first = discover(&mut browser).await;
    let signed = authenticator.get(nonce(&first));
    let second = discover(&mut browser).await;
    answer(&mut browser, &second, &signed).await.refused(FAILURE.0, FAILURE.1, "");
    let right = authenticator.get(nonce(&second));
    answer(&mut browser, &second, &right).await.refused(400, "verification_failed", "");
    let shown = browser.get(&format!("/v1/client/sign_ins/{}", second["id"].as_str().unwrap())).await.response().clone();
    assert_eq!((shown["first_factor_verification"]["status"].as_str(), nonce(&shown)), (Some("failed"), &Value::Null));

    let begun = begin(&mut ada).await;
    let mut options: Value = serde_json::from_str(begun["verification"]["nonce"].as_str().unwrap()).unwrap();
    options["rpId"] = json!("localhost");
    let mut signed_in = server.browser();
    let sign_in = discover(&mut signed_in).await;
    let signed = authenticator.get(&json!(options.to_string()));
    answer(&mut signed_in, &sign_in, &signed).await.refused(FAILURE.0, FAILURE.1, "");

    let sign_in = discover(&mut signed_in).await;
    let mut liar = Authenticator { ceremony: Some("webauthn.create"), ..authenticator.clone() };
    let signed = liar.get(nonce(&sign_in));
    answer(&mut signed_in, &sign_in, &signed).await.refused(FAILURE.0, FAILURE.1, "");
    let mut liar = Authenticator { ceremony: Some("webauthn.get"), ..Authenticator::default() };
    let made = liar.create(&begun["verification"]["nonce"]);
    prove(&mut ada, &begun["id"], &made).await.refused(400, "passkey_invalid_verification", "");

    let late = discover(&mut signed_in).await;
    let signed = authenticator.get(nonce(&late));
    server.advance(Duration::from_secs(601));
    answer(&mut signed_in, &late, &signed).await.refused(400, "verification_expired", "");
}

#[tokio::test]
async fn fault_096_of_parallel_answers_to_one_challenge_one_gets_through() {
    let server = server().await;
    let (_, mut authenticator, _) = registered(&server).await;
    let mut browser = server.browser();
    let begun = discover(&mut browser).await;
    let signed = authenticator.get(nonce(&begun));
    let nodes = server.nodes().await;
    let answers = join_all((0..100).map(|n| {
        let (mut browser, begun, signed) = (browser.clone().on_node(nodes[n % 2]), begun.clone(), signed.clone());
        async move { answer(&mut browser, &begun, &signed).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1, "{:?}", answers.iter().map(Answer::code).collect::<Vec<_>>());

    // The same signature count over two challenges: a copy of the key at work beside the key.
    let (mut one, mut two) = (server.browser(), server.browser());
    let (first, second) = (discover(&mut one).await, discover(&mut two).await);
    let mut copy = authenticator.clone();
    let (by_key, by_copy) = (authenticator.get(nonce(&first)), copy.get(nonce(&second)));
    let (a, b) = tokio::join!(answer(&mut one, &first, &by_key), answer(&mut two, &second, &by_copy));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400], "{} {}", a.text, b.text);

    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let begun = begin(&mut ada).await;
    let made = Authenticator::default().create(&begun["verification"]["nonce"]);
    let answers = join_all((0..100).map(|n| {
        let (mut ada, id, made) = (ada.clone().on_node(nodes[n % 2]), begun["id"].clone(), made.clone());
        async move { prove(&mut ada, &id, &made).await }
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| it.status == 200).count(), 1);
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn fault_097_a_passkey_stands_for_both_factors_only_when_it_checked_its_user() {
    let server = server().await;
    let (mut ada, mut authenticator, _) = registered(&server).await;
    let app = enrol(&server, &mut ada).await;

    let (_, done) = enter(&server, &mut authenticator).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.json["client"]["sessions"][0]["factor_verification_age"], json!([0, 0]));

    authenticator.user_verified = false;
    let (mut browser, half) = enter(&server, &mut authenticator).await;
    assert_eq!(half.response()["status"], "needs_second_factor");
    assert_eq!(browser.session_id().await, None);
    server.advance(Duration::from_secs(30));
    let code = app.generate(u64::try_from(START / 1000 + 30).unwrap());
    let path = format!("/v1/client/sign_ins/{}/attempt_second_factor", half.response()["id"].as_str().unwrap());
    let done = browser.post(&path, &[("strategy", "totp"), ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");

    let mut settings = doorward_core::settings::Settings { allowed_origins: vec![ORIGIN.to_owned()], ..Default::default() };
    settings.attributes.passkey = true;
    settings.passkey.satisfies_second_factor = false;
    let instance = doorward_core::instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    doorward_core::instance::update_settings(&server.app, &instance, &settings).await.unwrap();
    authenticator.user_verified = true;
    assert_eq!(enter(&server, &mut authenticator).await.1.response()["status"], "needs_second_factor", "when the instance says so");
}

#[tokio::test]
async fn fault_097_a_counter_that_goes_back_and_a_credential_of_somebody_else_are_refused() {
    let server = server().await;
    let (_, mut authenticator, _) = registered(&server).await;
    let mut copy = authenticator.clone();
    assert_eq!(enter(&server, &mut authenticator).await.1.response()["status"], "complete");
    let (_, refused) = enter(&server, &mut copy).await;
    refused.refused(FAILURE.0, FAILURE.1, "");
    let mut silent = Authenticator { sign_count: 0, ..authenticator.clone() };
    enter(&server, &mut silent).await.1.refused(FAILURE.0, FAILURE.1, "");
    let mut now_synced = Authenticator { synced: true, ..authenticator.clone() };
    enter(&server, &mut now_synced).await.1.refused(FAILURE.0, FAILURE.1, "");

    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    let mut bobs = Authenticator::default();
    register(&mut bob, &mut bobs).await;
    let mut browser = server.browser();
    let begun = named(&mut browser).await;
    let signed = bobs.get(nonce(&begun));
    answer(&mut browser, &begun, &signed).await.refused(404, "passkey_not_registered", "");

    // Bob's signature under Ada's name, and Ada's credential with Bob's handle.
    let bent = |signed: &str, change: &dyn Fn(&mut Value)| {
        let mut it: Value = serde_json::from_str(signed).unwrap();
        change(&mut it);
        it.to_string()
    };
    let begun = discover(&mut browser).await;
    let (by_ada, by_bob) = (authenticator.get(nonce(&begun)), bobs.get(nonce(&begun)));
    let (ada_says, bob_says): (Value, Value) = (serde_json::from_str(&by_ada).unwrap(), serde_json::from_str(&by_bob).unwrap());
    let forged = bent(&by_ada, &|it| it["response"]["signature"] = bob_says["response"]["signature"].clone());
    answer(&mut browser, &begun, &forged).await.refused(FAILURE.0, FAILURE.1, "");
    for change in [json!(ada_says["response"]["userHandle"]), Value::Null, json!(""), json!("AAAA")] {
        let begun = discover(&mut browser).await;
        let signed = bobs.get(nonce(&begun));
        let forged = bent(&signed, &|it| it["response"]["userHandle"] = change.clone());
        answer(&mut browser, &begun, &forged).await.refused(404, "passkey_not_registered", "");
    }

    // A credential that somebody has is nobody else's.
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let taken = begin(&mut ada).await;
    let mut shared = Authenticator::default();
    let made = shared.create(&taken["verification"]["nonce"]);
    let theirs = begin(&mut bob).await;
    let mut stolen: Value = serde_json::from_str(&made).unwrap();
    prove(&mut ada, &taken["id"], &made).await.expect(200);
    let options: Value = serde_json::from_str(theirs["verification"]["nonce"].as_str().unwrap()).unwrap();
    let page = json!({"type": "webauthn.create", "challenge": options["challenge"], "origin": ORIGIN}).to_string();
    stolen["response"]["clientDataJSON"] = json!(base64url(page.as_bytes()));
    let refused = prove(&mut bob, &theirs["id"], &stolen.to_string()).await;
    refused.refused(422, "passkey_invalid_public_key_credential", "public_key_credential");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

#[tokio::test]
async fn a_passkey_is_renamed_and_removed_by_its_user_only() {
    let server = server().await;
    let (mut ada, mut authenticator, passkey) = registered(&server).await;
    let path = format!("/v1/me/passkeys/{}", passkey["id"].as_str().unwrap());
    server.user("bob@example.com", PASSWORD).await;
    let mut bob = server.browser();
    bob.sign_in("bob@example.com", PASSWORD).await.expect(200);
    bob.get(&path).await.refused(404, "resource_not_found", "");
    bob.send("PATCH", &path, Some(("application/json", json!({"name": "mine"}).to_string()))).await.refused(404, "resource_not_found", "");
    bob.send("DELETE", &path, None).await.refused(404, "resource_not_found", "");
    let waiting = begin(&mut ada).await;
    let made = Authenticator::default().create(&waiting["verification"]["nonce"]);
    prove(&mut bob, &waiting["id"], &made).await.refused(404, "resource_not_found", "");

    let rename = |name: &str| Some(("application/json", json!({"name": name}).to_string()));
    assert_eq!(ada.send("PATCH", &path, rename("Key ring")).await.response()["name"], "Key ring");
    assert_eq!(ada.get(&path).await.response()["name"], "Key ring");
    ada.send("PATCH", &path, rename("")).await.refused(422, "form_param_missing", "name");
    ada.send("PATCH", &path, rename("a\u{7}b")).await.refused(422, "form_param_format_invalid", "name");

    let mut browser = server.browser();
    let begun = discover(&mut browser).await;
    let signed = authenticator.get(nonce(&begun));
    let gone = ada.send("DELETE", &path, None).await;
    assert_eq!((gone.response()["object"].as_str(), gone.response()["deleted"].as_bool()), (Some("passkey"), Some(true)));
    answer(&mut browser, &begun, &signed).await.refused(404, "passkey_not_registered", "");

    let another = register(&mut ada, &mut authenticator).await;
    let users = ada.get("/v1/me").await.response()["id"].as_str().unwrap().to_owned();
    let at = format!("/v1/users/{users}/passkeys/{}", another["id"].as_str().unwrap());
    assert_eq!(server.backend("DELETE", &at, None).await.expect(200)["deleted"], true);
    server.backend("DELETE", &at, None).await.refused(404, "resource_not_found", "");
    ada.get(&path).await.refused(404, "resource_not_found", "");
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"], json!([]));
}

#[tokio::test]
async fn fault_098_the_only_way_into_an_account_is_not_removed() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.passkey = true;
        settings.attributes.email_code = false;
        settings.attributes.password = doorward_core::settings::Presence::Optional;
    })
    .await;
    let (mut ada, mut authenticator, passkey) = registered(&server).await;
    ada.post("/v1/me/remove_password", &[("current_password", PASSWORD)]).await.expect(200);
    let path = format!("/v1/me/passkeys/{}", passkey["id"].as_str().unwrap());
    ada.send("DELETE", &path, None).await.refused(422, "form_data_missing", "");
    assert_eq!(enter(&server, &mut authenticator).await.1.response()["status"], "complete");
    register(&mut ada, &mut Authenticator::default()).await;
    ada.send("DELETE", &path, None).await.expect(200);
}

#[tokio::test]
async fn who_is_signed_in_proves_it_once_more_with_a_passkey() {
    let server = server().await;
    let (mut ada, mut authenticator, _) = registered(&server).await;
    server.advance(Duration::from_secs(600));
    let session = ada.session_id().await.unwrap();
    let at = format!("/v1/client/sessions/{session}/verify");
    let begun = ada.post(&at, &[("level", "multi_factor")]).await.response().clone();
    assert!(begun["supported_first_factors"].as_array().unwrap().iter().any(|f| f["strategy"] == "passkey"));
    let asked = ada.post(&format!("{at}/prepare_first_factor"), &[("strategy", "passkey")]).await.response().clone();
    let signed = authenticator.get(nonce(&asked));
    let fields = [("strategy", "passkey"), ("public_key_credential", signed.as_str())];
    let done = ada.post(&format!("{at}/attempt_first_factor"), &fields).await;
    assert_eq!(done.response()["status"], "complete");
    assert_eq!(done.response()["session"]["factor_verification_age"], json!([0, 0]));
    ada.post(&format!("{at}/attempt_first_factor"), &fields).await.refused(400, "invalid_action_for_session_reverification", "");
}

#[tokio::test]
async fn where_accounts_are_hidden_a_passkey_is_offered_to_nobody_by_name() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.passkey = true;
        settings.attack_protection.enumeration_protection = true;
    })
    .await;
    let (_, mut authenticator, _) = registered(&server).await;
    for identifier in [EMAIL, "nobody@example.com"] {
        let mut browser = server.browser();
        let one_step = [("identifier", identifier), ("strategy", "passkey")];
        browser.post("/v1/client/sign_ins", &one_step).await.refused(400, "strategy_for_user_invalid", "strategy");
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", identifier)]).await.response().clone();
        let offered = begun["supported_first_factors"].to_string();
        assert!(!offered.contains("passkey"), "{identifier}: {offered}");
        let at = format!("/v1/client/sign_ins/{}", begun["id"].as_str().unwrap());
        let prepared = browser.post(&format!("{at}/prepare_first_factor"), &[("strategy", "passkey")]).await;
        prepared.refused(400, "strategy_for_user_invalid", "strategy");
        answer(&mut browser, &begun, "{}").await.refused(400, "strategy_for_user_invalid", "strategy");
    }
    assert_eq!(enter(&server, &mut authenticator).await.1.response()["status"], "complete", "a passkey names its user itself");
}

#[tokio::test]
async fn an_instance_without_passkeys_registers_none_and_lets_nobody_in_with_one() {
    let server = TestServer::start().await;
    let mut ada = signed_in(&server).await;
    ada.post("/v1/me/passkeys", &[]).await.refused(403, "feature_not_enabled", "");
    let mut browser = server.browser();
    browser.post("/v1/client/sign_ins", &[("strategy", "passkey")]).await.refused(403, "feature_not_enabled", "");
    let settings = browser.get("/v1/environment").await.expect(200)["user_settings"].clone();
    assert_eq!(
        (&settings["attributes"]["passkey"]["enabled"], &settings["passkey_settings"]["show_sign_in_button"]),
        (&json!(false), &json!(false))
    );
}

#[tokio::test]
async fn answers_that_make_no_sense_are_refused_and_name_the_parameter() {
    let server = server().await;
    let (mut ada, mut authenticator, _) = registered(&server).await;
    let mut browser = server.browser();
    let begun = discover(&mut browser).await;
    answer(&mut browser, &begun, "").await.refused(422, "form_param_missing", "public_key_credential");
    answer(&mut browser, &begun, &"x".repeat(70_000)).await.refused(422, "form_param_exceeds_allowed_size", "public_key_credential");
    let param = ("passkey_invalid_public_key_credential", "public_key_credential");
    for text in ["[]", "null", "{", "{}", "\"text\"", &"[".repeat(5000)] {
        answer(&mut browser, &begun, text).await.refused(422, param.0, param.1);
    }
    for path in ["/id", "/rawId", "/type", "/response/clientDataJSON", "/response/authenticatorData", "/response/signature"] {
        for value in [json!("%%"), json!(7), Value::Null, json!([])] {
            let begun = discover(&mut browser).await;
            let mut bent: Value = serde_json::from_str(&authenticator.get(nonce(&begun))).unwrap();
            *bent.pointer_mut(path).unwrap() = value;
            answer(&mut browser, &begun, &bent.to_string()).await.refused(422, param.0, param.1);
        }
    }

    let begun = begin(&mut ada).await;
    let made: Value = serde_json::from_str(&Authenticator::default().create(&begun["verification"]["nonce"])).unwrap();
    let object = made["response"]["attestationObject"].as_str().unwrap();
    for cut in (0..object.len()).step_by(7) {
        let mut short = made.clone();
        short["response"]["attestationObject"] = json!(&object[..cut]);
        let begun = begin(&mut ada).await;
        let refused = prove(&mut ada, &begun["id"], &short.to_string()).await;
        assert!(matches!(refused.status, 400 | 422), "cut at {cut}: {}", refused.text);
    }
    assert_eq!(ada.get("/v1/me").await.response()["passkeys"].as_array().unwrap().len(), 1);
}
