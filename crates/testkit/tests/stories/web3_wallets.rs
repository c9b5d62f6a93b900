//! Web3 wallets: signing up and in with a signature, the user's own list of them, and what a server may do with them.

use doorward_core::settings::{Presence, Settings};
use doorward_testkit::{Answer, Browser, TestServer, Wallet};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::time::Duration;

const METAMASK: &str = "web3_metamask_signature";
const SOLANA: &str = "web3_solana_signature";
const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";

fn with_wallets(settings: &mut Settings) {
    settings.attributes.web3_wallet = Presence::Optional;
    settings.attributes.email_address = Presence::Optional;
    settings.attributes.password = Presence::Optional;
}

async fn server() -> TestServer {
    TestServer::with_settings(with_wallets).await
}

/// A user with a wallet that the backend vouches for.
async fn user_with(server: &TestServer, wallet: &Wallet) -> String {
    let body = json!({"web3_wallet": [wallet.address()]});
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

fn id(answer: &Answer) -> String {
    answer.response()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn users_are_listed_in_the_order_of_their_primary_wallets() {
    let server = server().await;
    let mut owners = Vec::new();
    for n in 1..5 {
        server.advance(Duration::from_secs(1));
        let wallet = if n == 2 { Wallet::solana(n) } else { Wallet::ethereum(n) };
        owners.push((wallet.address(), user_with(&server, &wallet).await));
    }
    server.advance(Duration::from_secs(1));
    let without = server.user(EMAIL, PASSWORD).await;
    owners.sort();
    let mut expected: Vec<String> = std::iter::once(without).chain(owners.into_iter().map(|(_, user)| user)).collect();
    let listed = async |query: &str| {
        let page = server.backend("GET", &format!("/v1/users?{query}"), None).await.expect(200).clone();
        page.as_array().unwrap().iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed("order_by=web3wallet").await, expected, "who has none comes before");
    assert_eq!(listed("order_by=web3wallet&limit=2&offset=2").await, expected[2..4]);
    expected.reverse();
    assert_eq!(listed("order_by=-web3wallet").await, expected);
}

/// Starts a sign-in and has the text made, as the SDKs do.
async fn ask(browser: &mut Browser, wallet: &Wallet, strategy: &str) -> (String, Value) {
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", &wallet.address())]).await;
    let factors = begun.response()["supported_first_factors"].as_array().unwrap().clone();
    let factor = factors.iter().find(|it| it["strategy"] == strategy).unwrap();
    let at = format!("/v1/client/sign_ins/{}", id(&begun));
    let fields = [("strategy", strategy), ("web3_wallet_id", factor["web3_wallet_id"].as_str().unwrap())];
    let asked = browser.post(&format!("{at}/prepare_first_factor"), &fields).await;
    (at, asked.response()["first_factor_verification"].clone())
}

async fn answer(browser: &mut Browser, at: &str, strategy: &str, signature: &str) -> Answer {
    browser.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("signature", signature)]).await
}

#[tokio::test]
async fn ada_signs_up_with_a_wallet_and_in_by_each_strategy_of_its_chain() {
    let server = server().await;
    let wallet = Wallet::ethereum(7);
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ups", &[("web3_wallet", &wallet.address().to_uppercase().replacen("0X", "0x", 1))]).await;
    let sign_up = begun.response();
    assert_eq!((&sign_up["web3_wallet"], &sign_up["unverified_fields"]), (&json!(wallet.address()), &json!(["web3_wallet"])));
    let at = format!("/v1/client/sign_ups/{}", id(&begun));
    let asked = browser.post(&format!("{at}/prepare_verification"), &[("strategy", METAMASK)]).await;
    let shown = &asked.response()["verifications"]["web3_wallet"];
    assert_eq!((&shown["status"], &shown["next_action"]), (&json!("unverified"), &json!("needs_attempt")));
    assert_eq!(shown["message"], shown["nonce"], "SDKs look in different places");
    let text = shown["message"].as_str().unwrap();
    assert!(text.starts_with("localhost:3000 wants you to sign in with your Ethereum account:\n0x"), "{text}");
    let fields = [("strategy", METAMASK), ("signature", &wallet.sign(text))];
    let done = browser.post(&format!("{at}/attempt_verification"), &fields).await;
    assert_eq!(
        (&done.response()["status"], &done.response()["verifications"]["web3_wallet"]["object"]),
        (&json!("complete"), &json!("verification_web3"))
    );
    let me = browser.get("/v1/me").await;
    let own = &me.response()["web3_wallets"][0];
    assert_eq!((&own["web3_wallet"], &me.response()["primary_web3_wallet_id"]), (&json!(wallet.address()), &own["id"]));
    assert_eq!((&own["verification"]["strategy"], &own["verification"]["status"]), (&json!(METAMASK), &json!("verified")));

    for strategy in [METAMASK, "web3_base_signature", "web3_coinbase_wallet_signature", "web3_okx_wallet_signature"] {
        let mut browser = server.browser();
        let (at, asked) = ask(&mut browser, &wallet, strategy).await;
        let done = answer(&mut browser, &at, strategy, &wallet.sign(asked["message"].as_str().unwrap())).await;
        assert_eq!(done.response()["status"], "complete", "{strategy}");
        assert_eq!(done.json["client"]["last_authentication_strategy"], strategy);
    }
}

#[tokio::test]
async fn a_wallet_of_solana_signs_in_and_one_step_asks_for_the_wallet_that_was_named() {
    let server = server().await;
    let wallet = Wallet::solana(7);
    user_with(&server, &wallet).await;
    let mut browser = server.browser();
    let fields = [("identifier", wallet.address()), ("strategy", SOLANA.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let begun = browser.post("/v1/client/sign_ins", &fields).await;
    let text = begun.response()["first_factor_verification"]["message"].as_str().unwrap().to_owned();
    assert!(text.contains("Solana account:\n") && !text.contains("Chain ID"), "{text}");
    let at = format!("/v1/client/sign_ins/{}", id(&begun));
    assert_eq!(answer(&mut browser, &at, SOLANA, &wallet.sign(&text)).await.response()["status"], "complete");
    let mut other = server.browser();
    let of_other_chain = other.post("/v1/client/sign_ins", &[("identifier", &wallet.address()), ("strategy", METAMASK)]).await;
    of_other_chain.refused(400, "strategy_for_user_invalid", "strategy");
}

#[tokio::test]
async fn a_text_is_signed_once_and_a_wrong_signature_spends_it() {
    let server = server().await;
    let (wallet, thief) = (Wallet::ethereum(7), Wallet::ethereum(8));
    user_with(&server, &wallet).await;
    let mut browser = server.browser();
    let begun = browser.post("/v1/client/sign_ins", &[("identifier", &wallet.address())]).await;
    let at = format!("/v1/client/sign_ins/{}", id(&begun));
    answer(&mut browser, &at, METAMASK, &wallet.sign("anything")).await.refused(400, "verification_missing", "");

    let (at, asked) = ask(&mut browser, &wallet, METAMASK).await;
    let text = asked["message"].as_str().unwrap();
    for unreadable in ["0x", "no signature", &"0".repeat(130), "🦀"] {
        answer(&mut browser, &at, METAMASK, unreadable).await.refused(422, "form_param_format_invalid", "signature");
    }
    answer(&mut browser, &at, METAMASK, "").await.refused(422, "form_param_missing", "signature");
    answer(&mut browser, &at, "web3_okx_wallet_signature", &wallet.sign(text)).await.refused(400, "verification_strategy_invalid", "");
    answer(&mut browser, &at, METAMASK, &thief.sign(text)).await.refused(422, "form_incorrect_signature", "signature");
    answer(&mut browser, &at, METAMASK, &wallet.sign(text)).await.refused(400, "verification_failed", "");

    let (at, late) = ask(&mut browser, &wallet, METAMASK).await;
    server.advance(Duration::from_secs(601));
    let signature = wallet.sign(late["message"].as_str().unwrap());
    answer(&mut browser, &at, METAMASK, &signature).await.refused(400, "verification_expired", "");
    let (other_at, fresh) = ask(&mut browser, &wallet, METAMASK).await;
    answer(&mut browser, &other_at, METAMASK, &signature).await.refused(422, "form_incorrect_signature", "signature");
    assert_ne!(fresh["message"], late["message"]);
}

#[tokio::test]
async fn fault_134_of_a_hundred_answers_with_one_signature_one_gets_through() {
    let server = server().await;
    let wallet = Wallet::ethereum(7);
    user_with(&server, &wallet).await;
    let mut browser = server.browser();
    let (at, asked) = ask(&mut browser, &wallet, METAMASK).await;
    let signature = wallet.sign(asked["message"].as_str().unwrap());
    let nodes = server.nodes().await;
    let answers = join_all((0..100).map(|n| {
        let (mut browser, at, signature) = (browser.clone().on_node(nodes[n % 2]), at.clone(), signature.clone());
        async move { answer(&mut browser, &at, METAMASK, &signature).await.status }
    }))
    .await;
    assert_eq!(answers.iter().filter(|it| **it == 200).count(), 1, "{answers:?}");
}

#[tokio::test]
async fn fault_054_who_has_no_account_is_asked_the_same() {
    let server = TestServer::with_settings(|s| {
        with_wallets(s);
        s.attributes.password = Presence::Off;
        s.attack_protection.enumeration_protection = true;
    })
    .await;
    let (known, unknown) = (Wallet::ethereum(7), Wallet::ethereum(8));
    user_with(&server, &known).await;
    let mut seen = Vec::new();
    for wallet in [&known, &unknown] {
        let mut browser = server.browser();
        let begun = browser.post("/v1/client/sign_ins", &[("identifier", &wallet.address())]).await;
        let factors = begun.response()["supported_first_factors"].as_array().unwrap().clone();
        let strategies: Vec<Value> = factors.iter().map(|it| it["strategy"].clone()).collect();
        assert!(factors.iter().all(|it| it["web3_wallet_id"].as_str().unwrap().len() == 31), "{factors:?}");
        let (at, asked) = ask(&mut browser, wallet, METAMASK).await;
        let wrong = answer(&mut browser, &at, METAMASK, &Wallet::ethereum(9).sign("another text")).await;
        let missing = answer(&mut browser, &at, METAMASK, "").await;
        seen.push((strategies, asked["message"].as_str().unwrap().len(), wrong.code().to_owned(), missing.code().to_owned()));
    }
    assert_eq!(seen[0], seen[1]);
    // Whose wallet it is, is told to who can sign with it.
    let mut eve = server.browser();
    let begun = eve.post("/v1/client/sign_ups", &[("web3_wallet", &known.address())]).await;
    let at = format!("/v1/client/sign_ups/{}", id(&begun));
    let asked = eve.post(&format!("{at}/prepare_verification"), &[("strategy", METAMASK)]).await;
    let text = asked.response()["verifications"]["web3_wallet"]["nonce"].as_str().unwrap().to_owned();
    let fields = [("strategy", METAMASK), ("signature", &known.sign(&text))];
    eve.post(&format!("{at}/attempt_verification"), &fields).await.refused(422, "form_identifier_exists", "web3_wallet");
    let without = TestServer::start().await;
    let mut browser = without.browser();
    browser.post("/v1/client/sign_ins", &[("identifier", &known.address())]).await.refused(422, "form_identifier_not_found", "identifier");
    browser.post("/v1/client/sign_ups", &[("web3_wallet", &known.address())]).await.refused(422, "form_param_unknown", "web3_wallet");
}

#[tokio::test]
async fn a_wallet_is_added_proven_listed_chosen_and_removed() {
    let server = server().await;
    server.user(EMAIL, PASSWORD).await;
    let mut browser = server.browser();
    browser.sign_in(EMAIL, PASSWORD).await.expect(200);
    let mut ids = Vec::new();
    for (wallet, strategy) in [(Wallet::ethereum(7), METAMASK), (Wallet::solana(7), SOLANA)] {
        server.advance(Duration::from_secs(1));
        let added = browser.post("/v1/me/web3_wallets/", &[("web3_wallet", &wallet.address())]).await;
        assert_eq!(added.response()["verification"], Value::Null);
        let at = format!("/v1/me/web3_wallets/{}", id(&added));
        browser.post(&format!("{at}/attempt_verification"), &[("signature", &wallet.sign(""))]).await.refused(
            400,
            "verification_missing",
            "",
        );
        let asked = browser.post(&format!("{at}/prepare_verification"), &[("strategy", strategy), ("redirect_url", "")]).await;
        let text = asked.response()["verification"]["message"].as_str().unwrap();
        assert_eq!(browser.get(&at).await.response()["verification"]["nonce"], text);
        let proven = browser.post(&format!("{at}/attempt_verification"), &[("signature", &wallet.sign(text))]).await;
        assert_eq!(proven.response()["verification"]["status"], "verified");
        browser.post(&format!("{at}/prepare_verification"), &[("strategy", strategy)]).await.refused(
            400,
            "verification_already_verified",
            "",
        );
        browser.post("/v1/me/web3_wallets", &[("web3_wallet", &wallet.address())]).await.refused(
            422,
            "form_identifier_exists",
            "web3_wallet",
        );
        ids.push(id(&proven));
    }
    browser.post("/v1/me/web3_wallets", &[("web3_wallet", "0x1")]).await.refused(422, "form_param_format_invalid", "web3_wallet");
    assert_eq!(browser.get("/v1/me/web3_wallets").await.expect(200).as_array().unwrap().len(), 2);
    assert_eq!(browser.get("/v1/me").await.response()["primary_web3_wallet_id"], ids[0].as_str());
    browser.post("/v1/me?_method=PATCH", &[("primary_web3_wallet_id", &ids[1])]).await.expect(200);
    assert_eq!(browser.get("/v1/me").await.response()["primary_web3_wallet_id"], ids[1].as_str());

    // Whoever names one wallet is asked for that one, not for the oldest.
    let mut other = server.browser();
    let begun = other.post("/v1/client/sign_ins", &[("identifier", &Wallet::solana(7).address())]).await;
    let factors = begun.response()["supported_first_factors"].as_array().unwrap();
    let wallets: Vec<&Value> = factors.iter().filter_map(|it| it.get("web3_wallet_id")).collect();
    assert_eq!(wallets, [&json!(ids[1])]);

    let gone = browser.post(&format!("/v1/me/web3_wallets/{}?_method=DELETE", ids[1]), &[]).await;
    assert_eq!((&gone.response()["object"], &gone.response()["deleted"]), (&json!("web3_wallet"), &json!(true)));
    assert_eq!(browser.get("/v1/me").await.response()["primary_web3_wallet_id"], ids[0].as_str());
}

#[tokio::test]
async fn fault_045_a_wallet_that_two_wait_for_is_whose_proof_comes_first_and_the_last_identifier_stays() {
    let server = server().await;
    let wallet = Wallet::ethereum(7);
    server.user(EMAIL, PASSWORD).await;
    let mut ada = server.browser();
    ada.sign_in(EMAIL, PASSWORD).await.expect(200);
    let waiting = ada.post("/v1/me/web3_wallets", &[("web3_wallet", &wallet.address())]).await;
    let at = format!("/v1/me/web3_wallets/{}", id(&waiting));
    let asked = ada.post(&format!("{at}/prepare_verification"), &[("strategy", METAMASK)]).await;
    let signature = wallet.sign(asked.response()["verification"]["message"].as_str().unwrap());
    ada.post(&format!("{at}/attempt_verification"), &[("signature", "")]).await.refused(422, "form_param_missing", "signature");
    let mut bob = server.browser();
    let begun = bob.post("/v1/client/sign_ups", &[("web3_wallet", &wallet.address())]).await;
    let of_bob = format!("/v1/client/sign_ups/{}", id(&begun));
    let asked = bob.post(&format!("{of_bob}/prepare_verification"), &[("strategy", METAMASK)]).await;
    let text = asked.response()["verifications"]["web3_wallet"]["message"].as_str().unwrap();
    let fields = [("strategy", METAMASK), ("signature", &wallet.sign(text))];
    let done = bob.post(&format!("{of_bob}/attempt_verification"), &fields).await;
    let bob = done.response()["created_user_id"].as_str().unwrap();
    ada.post(&format!("{at}/attempt_verification"), &[("signature", &signature)]).await.refused(400, "identification_claimed", "");

    let mut browser = server.browser();
    let (at, asked) = ask(&mut browser, &wallet, METAMASK).await;
    let done = answer(&mut browser, &at, METAMASK, &wallet.sign(asked["message"].as_str().unwrap())).await;
    let user = &done.json["client"]["sessions"][0]["user"];
    assert_eq!(user["id"], bob);
    let own = format!("/v1/me/web3_wallets/{}?_method=DELETE", user["primary_web3_wallet_id"].as_str().unwrap());
    browser.post(&own, &[]).await.refused(422, "form_data_missing", "");
}

#[tokio::test]
async fn servers_create_find_and_remove_wallets() {
    let server = server().await;
    let (one, two) = (Wallet::ethereum(7), Wallet::solana(7));
    let user = user_with(&server, &one).await;
    let body = json!({"web3_wallet": [two.address(), one.address()]});
    server.backend("POST", "/v1/users", Some(body)).await.refused(422, "form_identifier_exists", "web3_wallet");
    let twice = json!({"web3_wallet": [two.address(), two.address()]});
    server.backend("POST", "/v1/users", Some(twice)).await.refused(422, "form_param_duplicate", "web3_wallet");
    let bad = json!({"web3_wallet": ["0x0"]});
    server.backend("POST", "/v1/users", Some(bad)).await.refused(422, "form_param_format_invalid", "web3_wallet");
    for (query, count) in [
        (format!("web3_wallet={}", one.address()), 1),
        (format!("web3_wallet={}", two.address()), 0),
        ("web3_wallet=nobody's".to_owned(), 0),
        (format!("query={}", &one.address()[..12]), 1),
    ] {
        let found = server.backend("GET", &format!("/v1/users?{query}"), None).await;
        assert_eq!(found.expect(200).as_array().unwrap().len(), count, "{query}");
    }
    let shown = server.backend("GET", &format!("/v1/users/{user}"), None).await;
    let wallet = &shown.expect(200)["web3_wallets"][0];
    assert_eq!((&wallet["web3_wallet"], &wallet["verification"]["object"]), (&json!(one.address()), &json!("verification_admin")));
    let at = format!("/v1/users/{user}/web3_wallets/{}", wallet["id"].as_str().unwrap());
    assert_eq!(server.backend("DELETE", &at, None).await.expect(200)["deleted"], true);
    assert_eq!(server.backend("DELETE", &at, None).await.status, 404);
    server.browser().post("/v1/client/sign_ins", &[("identifier", &one.address())]).await.refused(
        422,
        "form_identifier_not_found",
        "identifier",
    );
    server.browser().post("/v1/client/sign_ups", &[("web3_wallet", &one.address())]).await.expect(200);
}
