//! Templates of messages: the server's own words, an instance's in their place, and what people get.

use doorward_core::keys::Environment;
use doorward_core::settings::Presence;
use doorward_testkit::{Options, TestServer};
use serde_json::{Value, json};
use std::time::Duration;

const EMAIL: &str = "ada@example.com";
const PASSWORD: &str = "correct horse";
const CODE: &str = "/v1/templates/email/verification_code";

/// Asks for a code by mail, in a browser of its own.
async fn ask(server: &TestServer, email: &str) {
    server.advance(Duration::from_secs(5));
    let mut browser = server.browser();
    browser.post("/v1/client/sign_ins", &[("strategy", "email_code"), ("identifier", email)]).await.expect(200);
}

async fn put(server: &TestServer, at: &str, body: Value) -> doorward_testkit::Answer {
    server.backend("PUT", at, Some(body)).await
}

#[tokio::test]
async fn templates_are_listed_changed_tried_and_put_back() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let emails = server.backend("GET", "/v1/templates/email", None).await.expect(200).clone();
    let slugs: Vec<_> = emails.as_array().unwrap().iter().map(|it| it["slug"].as_str().unwrap()).collect();
    assert!(slugs.contains(&"verification_code") && slugs.contains(&"primary_email_address_changed"), "{slugs:?}");
    let page = server.backend("GET", "/v1/templates/email?paginated=true", None).await.expect(200).clone();
    assert_eq!(page["total_count"], json!(slugs.len()), "all of them, unless a page was asked for");
    assert_eq!(page["data"].as_array().unwrap().len(), 10);
    let page = server.backend("GET", "/v1/templates/sms?paginated=true&limit=1", None).await.expect(200).clone();
    assert_eq!((&page["total_count"], page["data"].as_array().unwrap().len()), (&json!(3), 1));
    let ours = server.backend("GET", CODE, None).await.expect(200).clone();
    assert_eq!((&ours["resource_type"], &ours["can_revert"], &ours["instance_id"]), (&json!("system"), &json!(false), &Value::Null));
    assert_eq!((&ours["required_variables"], &ours["delivered_by_clerk"]), (&json!(["otp_code"]), &json!(true)));

    ask(&server, EMAIL).await;
    let mail = server.outbox().await.pop().unwrap();
    let (code, html) = (mail.subject[..6].to_owned(), mail.html.unwrap());
    assert!(mail.text.contains(&code) && html.contains(&code) && html.contains("lang=\"en\""), "{html}");

    let own = json!({"name": "Code", "subject": "Hi: {{otp_code}}", "body": "<h1>{{ app.name }}</h1>{% if otp_code %}<b>{{ otp_code }}</b>{% endif %}"});
    let tried = server.backend("POST", &format!("{CODE}/preview"), Some(json!({"subject": own["subject"], "body": own["body"]}))).await;
    assert_eq!((&tried.expect(200)["subject"], &tried.json["body"]), (&json!("Hi: 123456"), &json!("<h1>Doorward</h1><b>123456</b>")));
    assert_eq!(server.backend("GET", CODE, None).await.expect(200), &ours, "trying changes nothing");
    let changed = put(&server, CODE, own.clone()).await.expect(200).clone();
    assert_eq!((&changed["resource_type"], &changed["can_revert"], &changed["body"]), (&json!("user"), &json!(true), &own["body"]));
    assert_eq!(server.backend("GET", CODE, None).await.expect(200), &changed);
    ask(&server, EMAIL).await;
    let mail = server.outbox().await.pop().unwrap();
    let code = mail.subject.strip_prefix("Hi: ").unwrap();
    assert_eq!(mail.html.unwrap(), format!("<h1>Doorward</h1><b>{code}</b>"));
    assert_eq!(mail.text, format!("Doorward\n\n{code}\n"), "the plain part says the same");

    let back = server.backend("POST", &format!("{CODE}/revert"), None).await.expect(200).clone();
    assert_eq!((&back["body"], &back["name"], &back["can_revert"]), (&ours["body"], &ours["name"], &json!(false)));
    server.backend("POST", &format!("{CODE}/revert"), None).await.refused(400, "template_revert_error", "");
}

#[tokio::test]
async fn a_mail_comes_from_whom_the_instance_says() {
    let server = TestServer::start().await;
    server.user(EMAIL, PASSWORD).await;
    let senders = async || {
        ask(&server, EMAIL).await;
        let mail = server.outbox().await.pop().unwrap();
        (mail.from_local, mail.reply_to_local)
    };
    assert_eq!(senders().await, (None, None));
    let beta = "/v1/beta_features/instance_settings";
    let changed = server.backend("PATCH", beta, Some(json!({"from_email_address": "hello", "progressive_sign_up": false}))).await;
    assert_eq!((&changed.expect(200)["from_email_address"], &changed.json["progressive_sign_up"]), (&json!("hello"), &json!(true)));
    let bad = server.backend("PATCH", beta, Some(json!({"from_email_address": "hello@example.com"}))).await;
    bad.refused(422, "form_param_format_invalid", "from_email_address");
    assert_eq!(senders().await, (Some("hello".to_owned()), None));
    assert_eq!(server.backend("GET", CODE, None).await.expect(200)["from_email_name"], "hello");

    let own = json!({"from_email_name": "codes", "reply_to_email_name": "help.desk", "markup": "<re-html/>"});
    let kept = put(&server, CODE, own.clone()).await.expect(200).clone();
    assert!(own.as_object().unwrap().iter().all(|(name, value)| &kept[name] == value), "{kept}");
    assert_eq!(kept["can_revert"], true);
    assert_eq!(senders().await, (Some("codes".to_owned()), Some("help.desk".to_owned())));
    let tried = server.backend("POST", &format!("{CODE}/preview"), Some(json!({"from_email_name": "other"}))).await;
    assert_eq!((&tried.expect(200)["from_email_name"], &tried.json["reply_to_email_name"]), (&json!("other"), &json!("help.desk")));
    for param in ["from_email_name", "reply_to_email_name"] {
        for bad in ["a@example.com", "a b", ".a", "a\r\nBcc: eve"] {
            put(&server, CODE, json!({param: bad})).await.refused(422, "form_param_format_invalid", param);
        }
        let sms = put(&server, "/v1/templates/sms/verification_code", json!({param: "codes"})).await;
        sms.refused(422, "form_conditional_param_disallowed", param);
    }
    put(&server, CODE, json!({"reply_to_email_name": ""})).await.expect(200);
    assert_eq!(senders().await, (Some("codes".to_owned()), None));
    let back = server.backend("POST", &format!("{CODE}/revert"), None).await.expect(200).clone();
    assert_eq!((&back["from_email_name"], &back["markup"]), (&json!("hello"), &json!("")));
    assert_eq!(senders().await, (Some("hello".to_owned()), None));
}

#[tokio::test]
async fn what_does_not_work_or_hides_the_code_is_refused() {
    let server = TestServer::start().await;
    for (change, code, param) in [
        (json!({"body": "no code"}), "required_variable_missing", "body"),
        (json!({"body": "{{ otp_code"}), "invalid_template_body", "body"),
        (json!({"body": "{% include '/etc/passwd' %}{{ otp_code }}"}), "invalid_template_body", "body"),
        (json!({"body": "{% set a = 'x' %}{{ otp_code }}"}), "invalid_template_body", "body"),
        (json!({"body": "{{ otp_code * 1000000 }}"}), "invalid_template_body", "body"),
        (json!({"subject": "{{ x|y }}"}), "invalid_template_body", "subject"),
        (json!({"body": "x".repeat(70_000)}), "form_param_max_length_exceeded", "body"),
        (json!({"subject": "x".repeat(300)}), "form_param_max_length_exceeded", "subject"),
    ] {
        put(&server, CODE, change.clone()).await.refused(422, code, param);
        if change["body"].is_string() {
            server.backend("POST", &format!("{CODE}/preview"), Some(change)).await.refused(422, code, param);
        }
    }
    let sms = "/v1/templates/sms/verification_code";
    put(&server, sms, json!({"subject": "x"})).await.refused(422, "form_conditional_param_disallowed", "subject");
    assert_eq!(put(&server, "/v1/templates/email/nothing", json!({})).await.status, 404);
    put(&server, "/v1/templates/letter/verification_code", json!({})).await.refused(400, "template_type_unsupported", "");
    assert_eq!(server.backend("GET", CODE, None).await.expect(200)["can_revert"], false, "nothing of it was kept");
}

#[tokio::test]
async fn fault_114_and_110_names_are_escaped_and_links_lead_to_the_configured_address() {
    let server = TestServer::with_settings(|s| {
        s.application_name = "<script>alert(1)</script>\r\nBcc: eve@example.com".to_owned();
        s.attributes.email_link = true;
    })
    .await;
    server.user(EMAIL, PASSWORD).await;
    ask(&server, EMAIL).await;
    let mail = server.outbox().await.pop().unwrap();
    let html = mail.html.unwrap();
    assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
    assert!(!mail.subject.contains(['\r', '\n']) && !mail.from_name.contains(['\r', '\n']));

    let mut browser = server.browser();
    browser.headers.push(("x-forwarded-host".to_owned(), "evil.test".to_owned()));
    let fields = [("identifier", EMAIL)];
    let begun = browser.post("/v1/client/sign_ins", &fields).await.response().clone();
    let factor = begun["supported_first_factors"].as_array().unwrap().iter().find(|it| it["strategy"] == "email_link").unwrap().clone();
    let at = format!("/v1/client/sign_ins/{}/prepare_first_factor", begun["id"].as_str().unwrap());
    let address = factor["email_address_id"].as_str().unwrap();
    let fields = [("strategy", "email_link"), ("email_address_id", address), ("redirect_url", "http://localhost:3000/")];
    server.advance(Duration::from_secs(5));
    browser.post(&at, &fields).await.expect(200);
    let mail = server.outbox().await.pop().unwrap();
    let html = mail.html.unwrap();
    assert!(mail.text.contains(&format!("{}/v1/verify?token=", server.instance.frontend_url)), "{}", mail.text);
    assert!(!mail.text.contains("evil.test") && !html.contains("evil.test"));
}

#[tokio::test]
async fn people_get_their_own_language_where_the_server_has_it() {
    let server = TestServer::with_settings(|s| s.attributes.phone_number = Presence::Optional).await;
    for (n, (locale, words)) in [("de-CH", "ist Ihr Code"), ("fr-FR", "is your"), ("", "is your")].into_iter().enumerate() {
        let (email, number) = (format!("ada{n}@example.com"), format!("+1202456014{n}"));
        let body = json!({"email_address": [email], "phone_number": [number], "password": PASSWORD, "locale": locale});
        server.backend("POST", "/v1/users", Some(body)).await.expect(200);
        ask(&server, &email).await;
        let mail = server.outbox().await.pop().unwrap();
        assert!(mail.subject.contains(words) && mail.to == email, "{locale}: {}", mail.subject);
        let mut browser = server.browser();
        browser.post("/v1/client/sign_ins", &[("strategy", "phone_code"), ("identifier", &number)]).await.expect(200);
        let text = server.texts().await.into_iter().find(|it| it.to == number).unwrap().text;
        assert!(text.contains(words), "{locale}: {text}");
    }
    let mut browser = server.browser();
    let fields = [("email_address", "new@example.com"), ("password", PASSWORD), ("locale", "de")];
    let at = format!(
        "/v1/client/sign_ups/{}/prepare_verification",
        browser.post("/v1/client/sign_ups", &fields).await.response()["id"].as_str().unwrap()
    );
    server.advance(Duration::from_secs(5));
    browser.post(&at, &[("strategy", "email_code")]).await.expect(200);
    assert!(server.outbox().await.pop().unwrap().subject.contains("ist Ihr Code"));
}

#[tokio::test]
async fn a_message_that_the_app_delivers_itself_is_not_sent_in_production() {
    for (environment, sent) in [(Environment::Production, 0), (Environment::Development, 1)] {
        let server = TestServer::with(Options { environment, ..Options::default() }).await;
        server.user(EMAIL, PASSWORD).await;
        let toggle =
            async |on: Value| server.backend("POST", &format!("{CODE}/toggle_delivery"), Some(json!({"delivered_by_clerk": on}))).await;
        assert_eq!(toggle(json!(false)).await.expect(200)["delivered_by_clerk"], false);
        ask(&server, EMAIL).await;
        assert_eq!(server.outbox().await.len(), sent, "{environment:?}");
        assert_eq!(toggle(json!(true)).await.expect(200)["delivered_by_clerk"], true);
        ask(&server, EMAIL).await;
        assert_eq!(server.outbox().await.len(), sent + 1);
        toggle(Value::Null).await.refused(422, "form_param_missing", "delivered_by_clerk");
    }
}

#[tokio::test]
async fn fault_109_one_instance_s_words_are_not_another_s() {
    let server = TestServer::start().await;
    let other = server.another_instance("other.example.test").await;
    put(&server, CODE, json!({"subject": "Mine {{otp_code}}"})).await.expect(200);
    let theirs = server.backend_as(&other.secret_key, "GET", CODE, None).await;
    assert_eq!(theirs.expect(200)["resource_type"], "system");
}
