//! Visits to a provider, as the stories of several files tell them.

use crate::{Answer, Browser, CLIENT_ID, CLIENT_SECRET, ORIGIN, Options, Provider, StandIn, TestServer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use doorward_core::oauth::OAuthConnection;
use doorward_core::settings::Settings;
use serde_json::{Value, json};
use std::sync::Arc;

/// The strategy of a provider of one's own.
pub const ACME: &str = "oauth_custom_acme";
/// Where a visit to a provider leads when something is left to do.
pub const CALLBACK: &str = "/sso-callback";

/// An account at a provider.
pub fn ada() -> Value {
    json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true, "given_name": "Ada", "family_name": "Lovelace"})
}

/// A connection as the test's client, to be told where.
pub fn connection() -> OAuthConnection {
    OAuthConnection { client_id: CLIENT_ID.to_owned(), ..OAuthConnection::default() }
}

/// A server whose people sign in at a provider of their own.
pub async fn acme_with(change: impl FnOnce(&mut Settings)) -> (TestServer, Provider) {
    let provider = Provider::start(ada()).await;
    let issuer = provider.url();
    let server = TestServer::with_settings(|it| {
        it.oauth.insert("custom_acme".to_owned(), OAuthConnection { issuer: Some(issuer), ..connection() });
        change(it);
    })
    .await;
    server.provider_secret("custom_acme", CLIENT_SECRET).await;
    (server, provider)
}

/// The same, with nothing changed.
pub async fn acme() -> (TestServer, Provider) {
    acme_with(|_| {}).await
}

/// A server that believes to talk to a known provider.
pub async fn known(key: &str, issuer: &str, change: impl FnOnce(&mut OAuthConnection)) -> (TestServer, Provider) {
    let provider = Provider::start(ada()).await;
    provider.issue_as(issuer);
    let mut options = Options::default();
    options.outbound = Arc::new(StandIn { provider: provider.at, through: options.outbound });
    let mut it = connection();
    change(&mut it);
    options.settings.oauth.insert(key.to_owned(), it);
    let server = TestServer::with(options).await;
    server.provider_secret(key, CLIENT_SECRET).await;
    (server, provider)
}

/// Begins a sign-in (`sign_ins`) or a sign-up (`sign_ups`) by way of a provider.
pub async fn set_out(browser: &mut Browser, what: &str, strategy: &str) -> Answer {
    let fields = [("strategy", strategy), ("redirect_url", CALLBACK), ("action_complete_redirect_url", "/done")];
    browser.post(&format!("/v1/client/{what}"), &fields).await
}

/// Where a sign-in or a sign-up sends the browser.
#[track_caller]
pub fn way(answer: &Answer) -> String {
    let it = answer.response();
    let verification = if it["object"] == "sign_in_attempt" {
        &it["first_factor_verification"]
    } else if it["object"] == "external_account" {
        &it["verification"]
    } else {
        &it["verifications"]["external_account"]
    };
    assert_eq!((&verification["object"], &verification["status"]), (&json!("verification_oauth"), &json!("unverified")), "{it}");
    verification["external_verification_redirect_url"].as_str().unwrap().to_owned()
}

/// Comes back from the provider. Answers the path that the browser is sent to.
pub async fn back(browser: &mut Browser, path: &str) -> String {
    let answer = browser.get(path).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let to = answer.headers["location"].to_str().unwrap().to_owned();
    to.strip_prefix(ORIGIN).unwrap_or_else(|| panic!("{to}")).to_owned()
}

/// The whole way there and back.
pub async fn visit(browser: &mut Browser, provider: &Provider, what: &str, strategy: &str) -> String {
    let to = way(&set_out(browser, what, strategy).await);
    back(browser, &provider.visit(&to)).await
}

/// The client as its browser sees it.
pub async fn client(browser: &mut Browser) -> Value {
    browser.get("/v1/client").await.response().clone()
}

/// Who is signed in on it.
pub async fn user_id(browser: &mut Browser) -> Option<String> {
    client(browser).await["sessions"][0]["user"]["id"].as_str().map(str::to_owned)
}

/// A key of the form that Apple gives out (PEM), and its public part.
pub fn signing_key() -> (String, Vec<u8>) {
    let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.as_ref()).unwrap();
    let text = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|it| std::str::from_utf8(it).unwrap()).collect();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    (pem, key.public_key().as_ref().to_vec())
}
