//! An authenticator app (RFC 6238), as people in several of the stories have one.

use doorward_testkit::{Browser, TestServer};
use totp_rs::{Algorithm, Secret, TOTP};

/// The app that was given a secret in base32.
pub(crate) fn app(secret: &str) -> TOTP {
    let secret = Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
    TOTP::new(Algorithm::SHA1, 6, 0, 30, secret, None, "ada@example.com".to_owned()).unwrap()
}

/// What it shows now.
pub(crate) fn code(app: &TOTP, server: &TestServer) -> String {
    app.generate(u64::try_from(server.app.clock.now() / 1000).unwrap())
}

/// Makes one a second factor of whoever is signed in.
pub(crate) async fn enrol(server: &TestServer, browser: &mut Browser) -> TOTP {
    let made = browser.post("/v1/me/totp", &[]).await;
    let app = app(made.response()["secret"].as_str().unwrap());
    browser.post("/v1/me/totp/attempt_verification", &[("code", &code(&app, server))]).await.expect(200);
    app
}
