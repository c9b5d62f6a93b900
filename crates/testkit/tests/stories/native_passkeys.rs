//! Passkeys in apps on phones, which have no origin: the site that names them vouches for them.

use doorward_core::settings::AndroidApp;
use doorward_testkit::{Answer, Authenticator, Browser, TestServer};
use serde_json::Value;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const FINGERPRINT: &str = "14:6D:E9:83:C5:73:06:50:D8:EE:B9:95:2F:34:FC:64:16:A0:83:42:E6:1D:BE:A8:8A:04:96:B2:3F:CF:44:E5";
const ANDROID: &str = "android:apk-key-hash:FG3pg8VzBlDY7rmVLzT8ZBagg0LmHb6oigSWsj_PROU";

async fn server() -> TestServer {
    TestServer::with_settings(|s| {
        s.attributes.passkey = true;
        s.native.apple_apps = vec!["A1B2C3D4E5.com.example.app".to_owned()];
        s.native.android_apps =
            vec![AndroidApp { package_name: "com.example.app".to_owned(), sha256_cert_fingerprints: vec![FINGERPRINT.to_owned()] }];
    })
    .await
}

/// An app: no cookies, no origin, its token in a header.
async fn call(app: &mut Browser, path: &str, fields: &[(&str, &str)]) -> Answer {
    app.origin = None;
    let answer = app.post(&format!("{path}?_is_native=1"), fields).await;
    if let Some(token) = answer.headers.get("authorization") {
        app.token = Some(token.to_str().unwrap().into());
    }
    answer
}

fn site(nonce: &Value) -> String {
    let options: Value = serde_json::from_str(nonce.as_str().unwrap()).unwrap();
    options["rp"]["id"].as_str().or(options["rpId"].as_str()).unwrap().to_owned()
}

/// Signs in with the passkey of an authenticator, on a phone that has nobody yet.
async fn enter(server: &TestServer, authenticator: &mut Authenticator) -> Answer {
    let mut phone = server.browser();
    let begun = call(&mut phone, "/v1/client/sign_ins", &[("strategy", "passkey")]).await;
    let signed = authenticator.get(&begun.response()["first_factor_verification"]["nonce"]);
    let at = format!("/v1/client/sign_ins/{}/attempt_first_factor", begun.response()["id"].as_str().unwrap());
    call(&mut phone, &at, &[("strategy", "passkey"), ("public_key_credential", &signed)]).await
}

#[tokio::test]
async fn an_app_makes_a_passkey_and_signs_in_by_it() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    for origin in ["apple", ANDROID] {
        let mut app = server.browser();
        call(&mut app, "/v1/client/sign_ins", &[("identifier", EMAIL), ("password", PASSWORD)]).await.expect(200);
        let begun = call(&mut app, "/v1/me/passkeys", &[]).await.response().clone();
        let nonce = &begun["verification"]["nonce"];
        let origin = if origin == "apple" { format!("https://{}", site(nonce)) } else { origin.to_owned() };
        let mut authenticator = Authenticator { origin, ..Authenticator::default() };
        let made = authenticator.create(nonce);
        let at = format!("/v1/me/passkeys/{}/attempt_verification", begun["id"].as_str().unwrap());
        let kept = call(&mut app, &at, &[("strategy", "passkey"), ("public_key_credential", &made)]).await;
        assert_eq!(kept.response()["verification"]["status"], "verified", "{}", kept.text);
        assert_eq!(enter(&server, &mut authenticator).await.response()["status"], "complete");

        // Neither another app that is on the phone, nor a page.
        for other in ["android:apk-key-hash:AAAAg8VzBlDY7rmVLzT8ZBagg0LmHb6oigSWsj_PROU", "https://evil.example"] {
            let mut stranger = Authenticator { origin: other.to_owned(), ..authenticator.clone() };
            enter(&server, &mut stranger).await.refused(400, "passkey_authentication_failure", "");
        }
    }
}

#[tokio::test]
async fn without_apps_of_its_own_an_instance_gives_none_a_passkey() {
    let server = TestServer::with_settings(|s| s.attributes.passkey = true).await;
    let mut app = server.browser();
    call(&mut app, "/v1/client/sign_ins", &[("strategy", "passkey")]).await.refused(400, "origin_missing", "");
}
