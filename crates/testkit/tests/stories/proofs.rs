//! What a proof is worth, for how long, and what it is not taken for.

use super::authenticator_app::{code, enrol};
use doorward_core::settings::Presence;
use doorward_store::Sql;
use doorward_store::db::Dialect;
use doorward_testkit::{Answer, Authenticator, Browser, DeviceKey, TestServer, Wallet};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

async fn signed_in(server: &TestServer) -> Browser {
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    browser
}

fn at(begun: &Answer) -> String {
    format!("/v1/client/sign_ins/{}", begun.response()["id"].as_str().unwrap())
}

async fn second(browser: &mut Browser, at: &str, code: &str) -> Answer {
    browser.post(&format!("{at}/attempt_second_factor"), &[("strategy", "totp"), ("code", code)]).await
}

/// Somebody who reads the mail may choose a new password as often as they like, and guess at the app no more often for that.
#[tokio::test]
async fn fault_034_a_code_for_a_new_password_gives_no_guesses_at_the_second_factor_back() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 6).await;
    server.user(EMAIL, PASSWORD).await;
    let app = enrol(&server, &mut signed_in(&server).await).await;
    server.advance(Duration::from_secs(60));
    let right = code(&app, &server);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let mut codes = Vec::new();
    for round in 0..3 {
        server.advance(Duration::from_secs(1));
        let mut reader = server.browser();
        let begun = reader.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
        let (at, named) = (at(&begun), [("strategy", "reset_password_email_code")]);
        reader.post(&format!("{at}/prepare_first_factor"), &named).await.expect(200);
        let mail = server.code_for(EMAIL).await;
        let proof = reader.post(&format!("{at}/attempt_first_factor"), &[named[0], ("code", mail.as_str())]).await;
        codes.push(proof.code().to_owned());
        if proof.status == 200 {
            let new = format!("another horse {round}");
            let half = reader.post(&format!("{at}/reset_password"), &[("password", new.as_str())]).await;
            assert_eq!(half.response()["status"], "needs_second_factor");
            for _ in 0..3 {
                codes.push(second(&mut reader, &at, wrong).await.code().to_owned());
            }
        }
    }
    let count = |code: &str| codes.iter().filter(|it| *it == code).count();
    assert_eq!((count("form_code_incorrect"), count("user_locked")), (6, 1), "{codes:?}");
    assert_eq!(signed_in_status(&server, PASSWORD).await, "user_locked");
}

async fn signed_in_status(server: &TestServer, password: &str) -> String {
    let answer = server.browser().sign_in(EMAIL, password).await;
    if answer.status == 200 { answer.response()["status"].as_str().unwrap().to_owned() } else { answer.code().to_owned() }
}

#[tokio::test]
async fn fault_034_a_proof_of_presence_gives_no_guesses_at_the_other_factor_back() {
    let server = TestServer::with_settings(|s| s.attack_protection.max_attempts = 6).await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    enrol(&server, &mut ada).await;
    let verify = format!("/v1/client/sessions/{}/verify", ada.session_id().await.unwrap());
    let mut codes = Vec::new();
    for _ in 0..3 {
        for (level, step, fields) in [
            ("first_factor", "attempt_first_factor", [("strategy", "password"), ("password", PASSWORD)]),
            ("second_factor", "attempt_second_factor", [("strategy", "backup_code"), ("code", "nocode00")]),
            ("second_factor", "attempt_second_factor", [("strategy", "backup_code"), ("code", "nocode01")]),
        ] {
            ada.post(&verify, &[("level", level)]).await.expect(200);
            codes.push(ada.post(&format!("{verify}/{step}"), &fields).await.code().to_owned());
        }
    }
    assert_eq!(codes.iter().filter(|it| *it == "form_code_incorrect").count(), 6, "{codes:?}");
    assert_eq!(signed_in_status(&server, PASSWORD).await, "user_locked");
}

#[tokio::test]
async fn fault_034_what_cannot_be_guessed_and_a_change_of_the_password_give_no_guesses_back_either() {
    let server = TestServer::with_settings(|s| {
        s.attributes.passkey = true;
        s.passkey.satisfies_second_factor = false;
        s.attack_protection.max_attempts = 5;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    let mut authenticator = passkey_of(&mut ada).await;
    enrol(&server, &mut ada).await;
    let verify = format!("/v1/client/sessions/{}/verify", ada.session_id().await.unwrap());
    let mut codes = Vec::new();
    let (mut old, mut new) = (PASSWORD, "another horse");
    for _ in 0..5 {
        ada.post(&verify, &[("level", "second_factor")]).await.expect(200);
        let wrong = [("strategy", "backup_code"), ("code", "nocode00")];
        codes.push(ada.post(&format!("{verify}/attempt_second_factor"), &wrong).await.code().to_owned());
        ada.post(&verify, &[("level", "first_factor")]).await.expect(200);
        let passkey = ("strategy", "passkey");
        let asked = ada.post(&format!("{verify}/prepare_first_factor"), &[passkey]).await.response().clone();
        let signed = authenticator.get(&asked["first_factor_verification"]["nonce"]);
        ada.post(&format!("{verify}/attempt_first_factor"), &[passkey, ("public_key_credential", &signed)]).await.expect(200);
        ada.post("/v1/me/change_password", &[("current_password", old), ("new_password", new)]).await;
        (old, new) = (new, old);
    }
    assert!(codes.iter().all(|code| code == "form_code_incorrect"), "{codes:?}");
    assert_eq!(signed_in_status(&server, PASSWORD).await, "user_locked");
}

#[tokio::test]
async fn a_session_in_use_is_not_abandoned_and_one_that_is_left_is() {
    let server = TestServer::with_settings(|s| s.session.inactivity = 600).await;
    server.user(EMAIL, PASSWORD).await;
    let (mut touching, mut minting, mut idle) = (signed_in(&server).await, signed_in(&server).await, signed_in(&server).await);
    let of = async |browser: &mut Browser| browser.session_id().await.unwrap();
    let (touched, minted, left) = (of(&mut touching).await, of(&mut minting).await, of(&mut idle).await);
    for _ in 0..4 {
        server.advance(Duration::from_secs(300));
        let seen = touching.post(&format!("/v1/client/sessions/{touched}/touch"), &[]).await;
        assert_eq!(seen.response()["abandon_at"], server.app.clock.now() + 600_000);
        minting.mint(&minted).await.expect(200);
    }
    touching.mint(&touched).await.expect(200);
    assert_eq!(idle.mint(&left).await.status, 404, "nobody was there for ten minutes");
    for (id, status) in [(&touched, "active"), (&minted, "active"), (&left, "abandoned")] {
        assert_eq!(server.backend("GET", &format!("/v1/sessions/{id}"), None).await.expect(200)["status"], status);
    }
    server.advance(Duration::from_secs(600));
    assert_eq!(minting.mint(&minted).await.status, 404);
}

#[tokio::test]
async fn tokens_are_minted_where_nothing_can_be_written() {
    let server = TestServer::with_settings(|s| s.session.inactivity = 600).await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    let session = ada.session_id().await.unwrap();
    let full = match server.app.db.dialect() {
        Dialect::Sqlite => {
            "CREATE TRIGGER full_disk BEFORE UPDATE OF abandon_at ON sessions BEGIN SELECT RAISE(FAIL, 'full'); END".to_owned()
        }
        Dialect::Postgres => {
            let most = server.app.clock.now() + 600_000;
            format!("ALTER TABLE sessions ADD CONSTRAINT full_disk CHECK (abandon_at <= {most})")
        }
    };
    server.app.db.exec(Sql::new(full)).await.unwrap();
    server.advance(Duration::from_secs(300));
    ada.mint(&session).await.expect(200);
    assert!(ada.post(&format!("/v1/client/sessions/{session}/touch"), &[]).await.status >= 409, "and nothing could be");
}

/// The SDKs' dialog asks for the level `second_factor`, which is the first one of whoever has no second.
#[tokio::test]
async fn what_the_official_dialog_proves_is_what_a_change_asks_for() {
    let server = TestServer::with_settings(|s| s.session.reverify_sensitive = true).await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    let verify = format!("/v1/client/sessions/{}/verify", ada.session_id().await.unwrap());
    server.advance(Duration::from_secs(601));
    let add = [("email_address", "other@example.com")];
    ada.post("/v1/me/email_addresses", &add).await.refused(403, "session_reverification_required", "");
    ada.post(&verify, &[("level", "second_factor")]).await.expect(200);
    ada.post(&format!("{verify}/attempt_first_factor"), &[("strategy", "password"), ("password", PASSWORD)]).await.expect(200);
    ada.post("/v1/me/email_addresses", &add).await.expect(200);

    let app = enrol(&server, &mut ada).await;
    ada.post("/v1/me/email_addresses", &[("email_address", "third@example.com")]).await.expect(200);
    server.advance(Duration::from_secs(601));
    let add = [("email_address", "fourth@example.com")];
    ada.post("/v1/me/email_addresses", &add).await.refused(403, "session_reverification_required", "");
    ada.post(&verify, &[("level", "first_factor")]).await.expect(200);
    ada.post(&format!("{verify}/attempt_first_factor"), &[("strategy", "password"), ("password", PASSWORD)]).await.expect(200);
    ada.post("/v1/me/email_addresses", &add).await.refused(403, "session_reverification_required", "");
    ada.post(&verify, &[("level", "second_factor")]).await.expect(200);
    ada.post(&format!("{verify}/attempt_second_factor"), &[("strategy", "totp"), ("code", &code(&app, &server))]).await.expect(200);
    ada.post("/v1/me/email_addresses", &add).await.expect(200);
}

#[tokio::test]
async fn a_device_is_proven_where_nobody_signs_in_by_codes() {
    let server = TestServer::with_settings(|s| {
        s.attack_protection.client_trust = true;
        s.attributes.email_code = false;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    let half = browser.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(half.response()["status"], "needs_client_trust", "{}", half.text);
    assert_eq!(half.response()["supported_second_factors"][0]["strategy"], "email_code");
    let named = ("strategy", "email_code");
    browser.post(&format!("{}/prepare_second_factor", at(&half)), &[named]).await.expect(200);
    let code = server.code_for(EMAIL).await;
    let done = browser.post(&format!("{}/attempt_second_factor", at(&half)), &[named, ("code", &code)]).await;
    assert_eq!(done.response()["status"], "complete");
    let factors = server.browser().post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let offered = factors.response()["supported_first_factors"].to_string();
    assert!(!offered.contains("\"email_code\""), "it signs nobody in: {offered}");
}

#[tokio::test]
async fn fault_052_messages_that_are_asked_for_side_by_side_are_no_more_than_the_limit() {
    let server = TestServer::with_settings(|s| s.attributes.phone_number = Presence::Optional).await;
    let user = server.user(EMAIL, PASSWORD).await;
    let number = "+12024560144";
    let body = json!({"user_id": user, "phone_number": number, "verified": true, "primary": true});
    server.backend("POST", "/v1/phone_numbers", Some(body)).await.expect(200);
    let nodes = server.nodes().await;
    for (strategy, to) in [("phone_code", number), ("email_code", EMAIL)] {
        let asked = (0..100).map(|n| {
            let mut browser = server.browser().on_node(nodes[n % 2]);
            async move { browser.post("/v1/client/sign_ins", &[("strategy", strategy), ("identifier", to)]).await }
        });
        let answers = join_all(asked).await;
        let sent = answers.iter().filter(|it| it.status == 200).count();
        let refused = answers.iter().filter(|it| it.code() == "verification_code_too_many_requests" || it.status == 409).count();
        assert_eq!((sent, refused), (5, 95), "{strategy}: {:?}", answers.iter().map(|it| it.code()).collect::<Vec<_>>());
    }
    assert_eq!((server.texts().await.len(), server.outbox().await.len()), (5, 5));
}

#[tokio::test]
async fn fault_057_who_holds_a_key_gets_in_while_others_guess_at_the_password() {
    let server = TestServer::with_settings(|s| {
        s.native.trusted_devices = true;
        s.attributes.passkey = true;
        s.attributes.web3_wallet = Presence::Optional;
        s.attack_protection.max_attempts = 3;
    })
    .await;
    let user = server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    let key = DeviceKey::default();
    let jwk = key.jwk();
    let about = [("platform", "ios"), ("app_identifier", "com.example.app"), ("algorithm", "ES256"), ("public_key_jwk", jwk.as_str())];
    let asked = ada.post("/v1/me/trusted_devices/prepare", &about).await;
    let text = asked.response()["client_data"].as_str().unwrap().to_owned();
    let signature = key.sign(&text);
    let fields = [&about[..], &[("client_data", text.as_str()), ("signature", signature.as_str())]].concat();
    let device = ada.post("/v1/me/trusted_devices/attempt", &fields).await.response()["id"].as_str().unwrap().to_owned();
    let by_key = async || {
        let mut phone = server.browser();
        let named = [("strategy", "trusted_device"), ("trusted_device_id", device.as_str())];
        let begun = phone.post("/v1/client/sign_ins", &named).await;
        let text = begun.response()["first_factor_verification"]["trusted_device_challenge"]["client_data"].as_str().unwrap().to_owned();
        let signature = key.sign(&text);
        let answer = [&named[..], &[("client_data", text.as_str()), ("signature", signature.as_str())]].concat();
        phone.post(&format!("{}/attempt_first_factor", at(&begun)), &answer).await
    };
    for _ in 0..3 {
        server.browser().sign_in(EMAIL, "wrong horse").await.refused(422, "form_password_incorrect", "password");
    }
    assert_eq!(signed_in_status(&server, PASSWORD).await, "user_locked");
    assert_eq!(by_key().await.response()["status"], "complete");
    // So do a passkey and a wallet.
    let close = async || {
        for _ in 0..3 {
            server.browser().sign_in(EMAIL, "wrong horse").await;
        }
        assert_eq!(signed_in_status(&server, PASSWORD).await, "user_locked");
    };
    let mut authenticator = passkey_of(&mut ada).await;
    let (wallet, by) = (Wallet::ethereum(7), ("strategy", "web3_metamask_signature"));
    let kept = ada.post("/v1/me/web3_wallets", &[("web3_wallet", &wallet.address())]).await.response().clone();
    let path = format!("/v1/me/web3_wallets/{}", kept["id"].as_str().unwrap());
    let asked = ada.post(&format!("{path}/prepare_verification"), &[by]).await.response().clone();
    let signature = wallet.sign(asked["verification"]["message"].as_str().unwrap());
    ada.post(&format!("{path}/attempt_verification"), &[by, ("signature", &signature)]).await.expect(200);
    let mut by_passkey = async || {
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("strategy", "passkey")]).await;
        let signed = authenticator.get(&begun.response()["first_factor_verification"]["nonce"]);
        let fields = [("strategy", "passkey"), ("public_key_credential", signed.as_str())];
        browser.post(&format!("{}/attempt_first_factor", at(&begun)), &fields).await
    };
    let by_wallet = async || {
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", &wallet.address())]).await;
        let asked = browser.post(&format!("{}/prepare_first_factor", at(&begun)), &[by]).await;
        let signature = wallet.sign(asked.response()["first_factor_verification"]["message"].as_str().unwrap());
        browser.post(&format!("{}/attempt_first_factor", at(&begun)), &[by, ("signature", signature.as_str())]).await
    };
    close().await;
    assert_eq!(by_passkey().await.response()["status"], "complete");
    close().await;
    assert_eq!(by_wallet().await.response()["status"], "complete");
    // A server that closes an account closes it to everybody, also to whoever has a ticket for it.
    let ticket = server.backend("POST", "/v1/sign_in_tokens", Some(json!({"user_id": user}))).await.expect(200)["token"].clone();
    server.backend("POST", &format!("/v1/users/{user}/lock"), None).await.expect(200);
    by_key().await.refused(403, "user_locked", "");
    by_passkey().await.refused(403, "user_locked", "");
    by_wallet().await.refused(403, "user_locked", "");
    let fields = [("strategy", "ticket"), ("ticket", ticket.as_str().unwrap())];
    server.browser().post("/v1/client/sign_ins", &fields).await.refused(403, "user_locked", "");
}

async fn passkey_of(browser: &mut Browser) -> Authenticator {
    let mut authenticator = Authenticator::default();
    let begun = browser.post("/v1/me/passkeys", &[]).await.response().clone();
    let made = authenticator.create(&begun["verification"]["nonce"]);
    let path = format!("/v1/me/passkeys/{}/attempt_verification", begun["id"].as_str().unwrap());
    browser.post(&path, &[("strategy", "passkey"), ("public_key_credential", &made)]).await.expect(200);
    authenticator
}

#[tokio::test]
async fn a_half_sign_in_ends_with_the_password_that_began_it() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = signed_in(&server).await;
    let app = enrol(&server, &mut ada).await;
    server.advance(Duration::from_secs(60));
    // Whoever knew the old password, and whoever has read a code that replaces it.
    let mut thief = server.browser();
    let half = thief.sign_in(EMAIL, PASSWORD).await;
    let mut reader = server.browser();
    let begun = reader.post("/v1/client/sign_ins", &[("identifier", EMAIL)]).await;
    let named = ("strategy", "reset_password_email_code");
    reader.post(&format!("{}/prepare_first_factor", at(&begun)), &[named]).await.expect(200);
    let mail = server.code_for(EMAIL).await;
    let proof = reader.post(&format!("{}/attempt_first_factor", at(&begun)), &[named, ("code", &mail)]).await;
    assert_eq!((&half.response()["status"], &proof.response()["status"]), (&json!("needs_second_factor"), &json!("needs_new_password")));
    server.advance(Duration::from_secs(1));
    let change = [("current_password", PASSWORD), ("new_password", "another horse"), ("sign_out_of_other_sessions", "true")];
    ada.post("/v1/me/change_password", &change).await.expect(200);
    second(&mut thief, &at(&half), &code(&app, &server)).await.refused(400, "client_state_invalid", "");
    let fields = [("password", "yet another horse")];
    reader.post(&format!("{}/reset_password", at(&begun)), &fields).await.refused(400, "client_state_invalid", "");
    assert_eq!(signed_in_status(&server, "another horse").await, "needs_second_factor");
    // Nor does one go on that began with a password which is no more.
    server.advance(Duration::from_secs(60));
    let half = thief.sign_in(EMAIL, "another horse").await;
    let user = ada.get("/v1/me").await.response()["id"].as_str().unwrap().to_owned();
    server.backend("POST", &format!("/v1/users/{user}/remove_password"), None).await.expect(200);
    second(&mut thief, &at(&half), &code(&app, &server)).await.refused(400, "client_state_invalid", "");
}

#[tokio::test]
async fn a_proof_of_the_device_does_not_stand_in_for_a_second_factor_that_came_meanwhile() {
    let server = TestServer::with_settings(|s| s.attack_protection.client_trust = true).await;
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    let begun = ada.post("/v1/client/sign_ins", &[("identifier", EMAIL), ("strategy", "email_code")]).await;
    let (named, mail) = (("strategy", "email_code"), server.code_for(EMAIL).await);
    ada.post(&format!("{}/attempt_first_factor", at(&begun)), &[named, ("code", &mail)]).await.expect(200);
    let mut other = server.browser();
    let half = other.sign_in(EMAIL, PASSWORD).await;
    assert_eq!(half.response()["status"], "needs_client_trust");
    server.advance(Duration::from_secs(5));
    other.post(&format!("{}/prepare_second_factor", at(&half)), &[named]).await.expect(200);
    let mail = server.code_for(EMAIL).await;
    enrol(&server, &mut ada).await;
    let tried = other.post(&format!("{}/attempt_second_factor", at(&half)), &[named, ("code", &mail)]).await;
    tried.refused(400, "client_state_invalid", "");
}

#[tokio::test]
async fn who_acts_as_somebody_has_proven_nothing_of_theirs() {
    let server = TestServer::with_settings(|s| s.session.reverify_sensitive = true).await;
    let user = server.user(EMAIL, PASSWORD).await;
    let body = json!({"user_id": user, "actor": {"sub": "user_support"}});
    let made = server.backend("POST", "/v1/actor_tokens", Some(body)).await.expect(200).clone();
    let mut desk = server.browser();
    let fields = [("strategy", "ticket"), ("ticket", made["token"].as_str().unwrap())];
    let done = desk.post("/v1/client/sign_ins", &fields).await;
    assert_eq!(done.json["client"]["sessions"][0]["factor_verification_age"], json!([-1, -1]));
    desk.post("/v1/me/totp", &[]).await.refused(403, "resource_forbidden", "");
    desk.get("/v1/me").await.expect(200);
}

/// Programs that look for harm in mail ask for a link's head first, and some of them with the cookies of whoever reads it.
#[tokio::test]
async fn fault_030_a_head_uses_no_link_up() {
    for across in [false, true] {
        let server = TestServer::with_settings(|s| {
            s.attributes.email_link = true;
            s.attack_protection.email_link_same_client = !across;
        })
        .await;
        server.user(EMAIL, PASSWORD).await;
        let mut ada = server.browser();
        let fields = [("identifier", EMAIL), ("strategy", "email_link"), ("redirect_url", "http://localhost:3100/verify")];
        let begun = ada.post("/v1/client/sign_ins", &fields).await;
        let link = server.link().await;
        for looker in [&mut server.browser(), &mut ada] {
            let seen = looker.send("HEAD", &link, None).await;
            assert_eq!((seen.status, seen.text.as_str()), (200, ""));
        }
        assert_eq!(ada.get(&at(&begun)).await.response()["status"], "needs_first_factor", "across devices: {across}");
        let opened = ada.get(&link).await;
        let to = opened.headers["location"].to_str().unwrap();
        assert!(to.contains("__clerk_status=verified") && to.contains("__clerk_created_session="), "{to}");
    }
}

#[tokio::test]
async fn fault_030_a_head_accepts_no_invitation() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let body = json!({"email_address": EMAIL, "ignore_existing": true});
    let made = server.backend("POST", "/v1/invitations", Some(body)).await.expect(200).clone();
    let url = made["url"].as_str().unwrap();
    let path = &url[url.find("/v1/").unwrap()..];
    let mut ada = signed_in(&server).await;
    let status = async || {
        let list = server.backend("GET", "/v1/invitations", None).await;
        list.expect(200)[0]["status"].as_str().unwrap().to_owned()
    };
    ada.send("HEAD", path, None).await;
    assert_eq!(status().await, "pending");
    for path in
        ["/v1/client", "/v1/me", "/v1/oauth_callback?state=ver_1.x&code=c", "/v1/client/handshake?redirect_url=http://localhost:3000/"]
    {
        assert_eq!(ada.send("HEAD", path, None).await.status, 405, "{path}: what reads may change something");
    }
    ada.get(path).await;
    assert_eq!(status().await, "accepted");
}

/// Behind a proxy of the app the server is under a path that it does not see.
#[tokio::test]
async fn the_page_of_a_link_posts_back_to_where_it_was_opened() {
    let server = TestServer::with_settings(|s| {
        s.attributes.email_link = true;
        s.attack_protection.email_link_same_client = false;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    let fields = [("identifier", EMAIL), ("strategy", "email_link"), ("redirect_url", "http://localhost:3100/verify")];
    server.browser().post("/v1/client/sign_ins", &fields).await.expect(200);
    let link = server.link().await;
    let page = server.browser().get(&link).await;
    assert!(page.text.contains("<form method=\"post\" action=\"?\">"), "{}", page.text);
}

#[tokio::test]
async fn a_ticket_tells_why_it_opens_nothing() {
    let server = TestServer::start().await;
    let user = server.user(EMAIL, PASSWORD).await;
    let redeem = async |made: &Value| {
        server.browser().post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", made["token"].as_str().unwrap())]).await
    };
    for (kind, more) in [("sign_in_token", json!({})), ("actor_token", json!({"actor": {"sub": "user_support"}}))] {
        let mut body = json!({"user_id": user});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = async || server.backend("POST", &format!("/v1/{kind}s"), Some(body.clone())).await.expect(200).clone();
        let revoke = async |it: &Value| server.backend("POST", &format!("/v1/{kind}s/{}/revoke", it["id"].as_str().unwrap()), None).await;
        let (used, revoked) = (made().await, made().await);
        redeem(&used).await.expect(200);
        redeem(&used).await.refused(400, &format!("{kind}_already_used_code"), "");
        revoke(&revoked).await.expect(200);
        redeem(&revoked).await.refused(400, &format!("{kind}_revoked_code"), "");
        for it in [&used, &revoked] {
            revoke(it).await.refused(400, &format!("{kind}_cannot_be_revoked_code"), "");
        }
    }
}

/// The components of the newest SDK ask for it where accounts are hidden: whoever is new signs up where others sign in.
#[tokio::test]
async fn who_is_missing_proves_their_address_and_goes_on_as_a_sign_up() {
    for hides in [true, false] {
        let server = TestServer::with_settings(|s| {
            s.attack_protection.enumeration_protection = hides;
            s.attributes.phone_number = Presence::Optional;
            s.attributes.password = Presence::Optional;
        })
        .await;
        server.user(EMAIL, PASSWORD).await;
        let start = |named: &'static str| [("identifier", named), ("sign_up_if_missing", "true")];
        let (mut known, mut new) = (server.browser(), server.browser());
        let shown = |answer: &Answer| {
            let factors = answer.response()["supported_first_factors"].as_array().unwrap().clone();
            factors.iter().map(|it| it["strategy"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (ada, grace) =
            (known.post("/v1/client/sign_ins", &start(EMAIL)).await, new.post("/v1/client/sign_ins", &start("grace@example.com")).await);
        assert_eq!((&grace.response()["status"], &grace.response()["user_data"]), (&json!("needs_first_factor"), &Value::Null));
        if hides {
            assert_eq!(shown(&ada), shown(&grace));
        }
        let email = grace.response()["supported_first_factors"].as_array().unwrap().iter().find(|it| it["strategy"] == "email_code");
        let email = email.unwrap()["email_address_id"].as_str().unwrap().to_owned();
        let named = ("strategy", "email_code");
        new.post(&format!("{}/prepare_first_factor", at(&grace)), &[named, ("email_address_id", &email)]).await.expect(200);
        let attempt = format!("{}/attempt_first_factor", at(&grace));
        new.post("/v1/client/sign_ups", &[("transfer", "true")]).await.refused(400, "account_transfer_invalid", "");
        new.post(&attempt, &[named, ("code", "000000")]).await.refused(422, "form_code_incorrect", "code");
        let code = server.code_for("grace@example.com").await;
        let proven = new.post(&attempt, &[named, ("code", &code)]).await;
        proven.refused(422, "sign_up_if_missing_transfer", "");
        let open = new.get(&at(&grace)).await;
        let proof = &open.response()["first_factor_verification"];
        assert_eq!((&proof["status"], &proof["strategy"]), (&json!("transferable"), &json!("email_code")));
        new.post(&attempt, &[named, ("code", &code)]).await.refused(400, "client_state_invalid", "");
        let made = new.post("/v1/client/sign_ups", &[("transfer", "true"), ("unsafe_metadata", "{\"from\":\"sign-in\"}")]).await;
        assert_eq!(made.response()["status"], "complete", "{}", made.text);
        let me = new.get("/v1/me").await.response().clone();
        assert_eq!(me["email_addresses"][0]["email_address"], "grace@example.com");
        assert_eq!(me["email_addresses"][0]["verification"]["status"], "verified");
        assert_eq!(me["unsafe_metadata"], json!({"from": "sign-in"}));

        // By a number, in one step; and nothing is sent to whoever has no account and may have none.
        let mut by_phone = server.browser();
        let fields = [("identifier", "+12024560145"), ("sign_up_if_missing", "true"), ("strategy", "phone_code")];
        let begun = by_phone.post("/v1/client/sign_ins", &fields).await;
        let code = server.code_for("+12024560145").await;
        let fields = [("strategy", "phone_code"), ("code", code.as_str())];
        by_phone.post(&format!("{}/attempt_first_factor", at(&begun)), &fields).await.refused(422, "sign_up_if_missing_transfer", "");
        let half = by_phone.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
        assert_eq!(half.response()["verifications"]["phone_number"]["status"], "verified", "{}", half.text);
        server.change_settings(|s| s.sign_up.mode = doorward_core::settings::SignUpMode::Restricted).await;
        let sent = server.outbox().await.len();
        let mut late = server.browser();
        let fields = [("identifier", "late@example.com"), ("sign_up_if_missing", "true"), ("strategy", "email_code")];
        late.post("/v1/client/sign_ins", &fields).await.refused(403, "sign_up_mode_restricted", "");
        assert_eq!(server.outbox().await.len(), sent);
        // An attribute that the instance does not take is nobody's, and nothing is sent to it.
        server
            .change_settings(|s| {
                s.sign_up.mode = doorward_core::settings::SignUpMode::Public;
                s.attributes.phone_number = Presence::Off;
            })
            .await;
        let texts = server.texts().await.len();
        let fields = [("identifier", "+12024560149"), ("sign_up_if_missing", "true"), ("strategy", "phone_code")];
        server.browser().post("/v1/client/sign_ins", &fields).await;
        assert_eq!(server.texts().await.len(), texts);
    }
}

#[tokio::test]
async fn who_is_missing_proves_their_address_by_a_link_too() {
    for across in [false, true] {
        let server = TestServer::with_settings(|s| {
            s.attack_protection.enumeration_protection = true;
            s.attack_protection.email_link_same_client = !across;
            s.attributes.email_link = true;
            s.attributes.password = Presence::Optional;
        })
        .await;
        let mut new = server.browser();
        let fields = [("identifier", "grace@example.com"), ("sign_up_if_missing", "true"), ("strategy", "email_link")];
        let fields = [&fields[..], &[("redirect_url", "http://localhost:3100/verify")]].concat();
        let begun = new.post("/v1/client/sign_ins", &fields).await;
        let link = server.link().await;
        if across {
            let token = link.split_once("token=").unwrap().1.to_owned();
            let opened = server.browser().post("/v1/verify", &[("token", token.as_str())]).await;
            assert!(opened.headers["location"].to_str().unwrap().contains("__clerk_status=verified"));
        } else {
            let opened = new.get(&link).await;
            let to = opened.headers["location"].to_str().unwrap();
            assert!(to.ends_with("__clerk_status=transferable"), "{to}");
        }
        let polled = new.get(&at(&begun)).await;
        assert_eq!(polled.response()["first_factor_verification"]["status"], "transferable", "{}", polled.text);
        let made = new.post("/v1/client/sign_ups", &[("transfer", "true")]).await;
        assert_eq!(made.response()["status"], "complete", "{}", made.text);
    }
}

#[tokio::test]
async fn a_code_goes_over_whatsapp_where_the_person_chose_that_at_the_start() {
    let server = TestServer::with_settings(|s| {
        s.attributes.phone_number = Presence::Optional;
        s.attributes.phone_code = true;
        s.sms.whatsapp = true;
    })
    .await;
    let user = server.user(EMAIL, PASSWORD).await;
    let number = "+12024560146";
    let body = json!({"user_id": user, "phone_number": number, "verified": true, "primary": true});
    server.backend("POST", "/v1/phone_numbers", Some(body)).await.expect(200);
    let mut browser = server.browser();
    let environment = browser.get("/v1/environment").await;
    assert_eq!(environment.json["user_settings"]["attributes"]["phone_number"]["channels"], json!(["sms", "whatsapp"]));
    let by = [("strategy", "phone_code"), ("channel", "whatsapp")];
    let begun = browser.post("/v1/client/sign_ins", &[&[("identifier", number)], &by[..]].concat()).await;
    assert_eq!(begun.response()["first_factor_verification"]["channel"], "whatsapp");
    let mut other = server.browser();
    let begun = other.post("/v1/client/sign_ups", &[&[("phone_number", "+12024560147")], &by[..]].concat()).await;
    assert_eq!(begun.response()["verifications"]["phone_number"]["channel"], "whatsapp");
    let at = format!("/v1/client/sign_ups/{}", begun.response()["id"].as_str().unwrap());
    let sent = other.post(&format!("{at}/prepare_verification"), &[("strategy", "phone_code")]).await;
    assert_eq!(sent.response()["verifications"]["phone_number"]["channel"], "whatsapp");
    let channels: Vec<_> = server.texts().await.iter().map(|it| it.channel.as_str()).collect();
    assert_eq!(channels, ["whatsapp", "whatsapp"]);
    let wrong = [("phone_number", "+12024560148"), ("channel", "pigeon")];
    server.browser().post("/v1/client/sign_ups", &wrong).await.refused(422, "form_param_value_invalid", "channel");
}

#[tokio::test]
async fn fault_098_nobody_takes_their_own_last_way_in_away_not_even_with_both_hands() {
    let server = TestServer::with_settings(|s| s.attributes.username = Presence::Optional).await;
    let by_code = async |who: Value, email: &str| {
        server.backend("POST", "/v1/users", Some(who)).await.expect(200);
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", email), ("strategy", "email_code")]).await;
        let code = server.code_for(email).await;
        let fields = [("strategy", "email_code"), ("code", code.as_str())];
        browser.post(&format!("{}/attempt_first_factor", at(&begun)), &fields).await.expect(200);
        browser
    };
    let named = json!({"username": "countess", "email_address": [EMAIL], "skip_password_requirement": true});
    let mut ada = by_code(named, EMAIL).await;
    let own = ada.get("/v1/me").await.response()["email_addresses"][0]["id"].as_str().unwrap().to_owned();
    let refused = ada.post(&format!("/v1/me/email_addresses/{own}?_method=DELETE"), &[]).await;
    refused.refused(422, "form_data_missing", "");
    // An address that was only named, or mistyped, is no way in.
    let named = json!({"username": "mistyped", "password": PASSWORD, "skip_user_requirement": true});
    let id = server.backend("POST", "/v1/users", Some(named)).await.expect(200)["id"].as_str().unwrap().to_owned();
    let body = json!({"user_id": id, "email_address": "mistyped@example.com"});
    server.backend("POST", "/v1/email_addresses", Some(body)).await.expect(200);
    let mut typist = server.browser();
    typist.sign_in("mistyped", PASSWORD).await.expect(200);
    typist.post("/v1/me?_method=PATCH", &[("username", "")]).await.refused(422, "form_data_missing", "username");
    typist.post("/v1/me?_method=PATCH", &[("username", "typed")]).await.expect(200);

    let two = ["one@example.com", "two@example.com"];
    let both = json!({"email_address": two, "skip_password_requirement": true});
    let mut grace = by_code(both, two[0]).await;
    let me = grace.get("/v1/me").await.response().clone();
    let nodes = server.nodes().await;
    let removals = me["email_addresses"].as_array().unwrap().iter().zip(nodes).map(|(it, node)| {
        let mut hand = grace.clone().on_node(node);
        let path = format!("/v1/me/email_addresses/{}?_method=DELETE", it["id"].as_str().unwrap());
        async move { hand.post(&path, &[]).await.status }
    });
    let mut done = join_all(removals).await;
    done.sort_unstable();
    assert_eq!(done, [200, 422]);
    assert_eq!(grace.get("/v1/me").await.response()["email_addresses"].as_array().map(Vec::len), Some(1));
}

/// The SDKs' screens ask for the password that is replaced where the environment speaks of no proof of presence, and only there.
#[tokio::test]
async fn a_password_is_changed_by_the_old_one_or_by_a_proof_of_presence() {
    for reverifies in [false, true] {
        let server = TestServer::with_settings(|s| s.session.reverify_sensitive = reverifies).await;
        server.user(EMAIL, PASSWORD).await;
        let mut ada = signed_in(&server).await;
        assert_eq!(ada.get("/v1/environment").await.json["auth_config"]["reverification"], reverifies);
        server.advance(Duration::from_secs(601));
        let change = [("new_password", "another horse")];
        let changed = ada.post("/v1/me/change_password", &change).await;
        if !reverifies {
            changed.refused(422, "form_param_missing", "current_password");
            ada.post("/v1/me/change_password", &[change[0], ("current_password", PASSWORD)]).await.expect(200);
            continue;
        }
        changed.refused(403, "session_reverification_required", "");
        let verify = format!("/v1/client/sessions/{}/verify", ada.session_id().await.unwrap());
        ada.post(&verify, &[("level", "second_factor")]).await.expect(200);
        ada.post(&format!("{verify}/attempt_first_factor"), &[("strategy", "password"), ("password", PASSWORD)]).await.expect(200);
        ada.post("/v1/me/change_password", &change).await.expect(200);
        assert_eq!(signed_in_status(&server, "another horse").await, "complete");
        ada.post("/v1/me/remove_password", &[]).await.refused(400, "password_required", "");
    }
}
