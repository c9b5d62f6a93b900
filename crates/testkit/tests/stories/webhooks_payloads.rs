//! What webhook endpoints are told, held against the schemas of the reference document where that is at hand.

use doorward_core::settings::Presence;
use doorward_core::webhooks::{self, EVENTS, EndpointChange};
use doorward_core::{Scope, instance};
use doorward_jobs::{WebhookOptions, WebhookWorker};
use doorward_testkit::{Receiver, TestServer};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The reference; nothing where it is not beside the repository.
fn reference() -> Option<Value> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/specs/webhooks/2025-04-15.yml");
    if !file.exists() {
        return None;
    }
    let convert = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let out = Command::new("python3").args(["-c", convert]).arg(file).output().ok()?;
    serde_json::from_slice(&out.stdout).ok()
}

struct Schemas(Value);

impl Schemas {
    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(to) = schema["$ref"].as_str() else { return schema };
        self.resolve(self.0.pointer(&to[1..]).unwrap())
    }

    /// The properties and required names of an object's schema, those of its `allOf` parts included, and whether others may be.
    fn object<'a>(&'a self, schema: &'a Value, into: &mut (Map<String, Value>, BTreeSet<&'a str>, bool)) {
        let schema = self.resolve(schema);
        into.0.extend(schema["properties"].as_object().cloned().unwrap_or_default());
        into.1.extend(schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str));
        into.2 &= schema["additionalProperties"] != json!(false);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.object(part, into);
        }
    }

    /// What is wrong with a value, each with its place.
    fn check(&self, schema: &Value, value: &Value, at: &str, out: &mut Vec<String>) {
        let schema = self.resolve(schema);
        if value.is_null() {
            let parts = schema["allOf"].as_array().into_iter().flatten();
            if schema["nullable"] != json!(true) && !parts.clone().any(|it| self.resolve(it)["nullable"] == json!(true)) {
                out.push(format!("{at} is null"));
            }
            return;
        }
        for choice in ["oneOf", "anyOf"] {
            if let Some(all) = schema[choice].as_array() {
                let fits = |one: &Value| {
                    let mut wrong = Vec::new();
                    self.check(one, value, at, &mut wrong);
                    wrong.is_empty()
                };
                if !all.iter().any(fits) {
                    out.push(format!("{at} is none of its choices: {value}"));
                }
                return;
            }
        }
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            out.push(format!("{at} is {value}"));
        }
        let right = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !right {
            out.push(format!("{at} is {value}"));
        }
        for (n, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&schema["items"], item, &format!("{at}[{n}]"), out);
        }
        let Some(fields) = value.as_object() else { return };
        let mut known = (Map::new(), BTreeSet::new(), true);
        self.object(schema, &mut known);
        for (name, field) in fields {
            match known.0.get(name) {
                Some(schema) => self.check(schema, field, &format!("{at}.{name}"), out),
                None if known.2 => {}
                None => out.push(format!("{at}.{name} is not known")),
            }
        }
        out.extend(known.1.iter().filter(|name| !fields.contains_key(**name)).map(|name| format!("{at}.{name} is missing")));
    }
}

/// A life of a user, with as much of everything as there is.
async fn live(server: &TestServer) {
    let email = "ada@example.com";
    let mut ada = server.browser();
    let fields = [("email_address", email), ("phone_number", "+12024560143"), ("password", "correct horse battery"), ("first_name", "Ada")];
    let up = ada.post("/v1/client/sign_ups", &fields).await;
    let id = up.response()["id"].as_str().unwrap().to_owned();
    for (strategy, to) in [("email_code", email), ("phone_code", "+12024560143")] {
        ada.post(&format!("/v1/client/sign_ups/{id}/prepare_verification"), &[("strategy", strategy)]).await.expect(200);
        let code = server.code_for(to).await;
        ada.post(&format!("/v1/client/sign_ups/{id}/attempt_verification"), &[("strategy", strategy), ("code", &code)]).await.expect(200);
    }
    let me = ada.get("/v1/me").await.response()["id"].as_str().unwrap().to_owned();
    let change = json!({"external_id": "ext_1", "last_name": "Lovelace"});
    server.backend("PATCH", &format!("/v1/users/{me}"), Some(change)).await.expect(200);
    let change = json!({"private_metadata": {"a": 1}, "unsafe_metadata": {"b": [null]}});
    server.backend("PATCH", &format!("/v1/users/{me}/metadata"), Some(change)).await.expect(200);
    let session = |answer: &Value| answer["client"]["sessions"][0]["id"].as_str().unwrap().to_owned();
    let first = session(&json!({"client": ada.get("/v1/client").await.json["response"]}));
    ada.post(&format!("/v1/client/sessions/{first}/end"), &[]).await.expect(200);
    let mut desk = server.browser();
    let second = desk.sign_in(email, "correct horse battery").await.response()["created_session_id"].as_str().unwrap().to_owned();
    desk.post(&format!("/v1/client/sessions/{second}/remove"), &[]).await.expect(200);
    let third = desk.sign_in(email, "correct horse battery").await.response()["created_session_id"].as_str().unwrap().to_owned();
    server.backend("POST", &format!("/v1/sessions/{third}/revoke"), None).await.expect(200);
    server.backend("POST", &format!("/v1/users/{me}/ban"), None).await.expect(200);
    server.backend("DELETE", &format!("/v1/users/{me}"), None).await.expect(200);
    let entry = server.backend("POST", "/v1/waitlist_entries", Some(json!({"email_address": "eve@example.com"}))).await;
    let entry = entry.expect(200)["id"].as_str().unwrap().to_owned();
    server.backend("POST", &format!("/v1/waitlist_entries/{entry}/invite"), None).await.expect(200);
}

#[tokio::test]
async fn payloads_are_as_the_reference_says() {
    let server = TestServer::with_settings(|settings| {
        settings.attributes.phone_number = Presence::Optional;
        settings.attributes.phone_code = true;
    })
    .await;
    let receiver = Receiver::new().await;
    let instance = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let scope = Scope { app: server.app.clone(), instance, now: server.app.clock.now() };
    webhooks::create(&scope, EndpointChange { url: Some(receiver.url()), ..EndpointChange::default() }).await.unwrap();
    live(&server).await;
    let worker = WebhookWorker::new(server.app.clone(), WebhookOptions::default());
    while worker.run_due().await.unwrap() > 0 {}
    let told: BTreeSet<String> = receiver.types().into_iter().collect();
    let expected = [
        "email.created",
        "session.created",
        "session.ended",
        "session.removed",
        "session.revoked",
        "sms.created",
        "user.created",
        "user.deleted",
        "user.updated",
        "waitlistEntry.created",
        "waitlistEntry.updated",
    ];
    assert_eq!(told, expected.map(str::to_owned).into());

    let Some(reference) = reference() else { return };
    let names: Vec<&String> = reference["x-webhooks"].as_object().unwrap().keys().collect();
    assert_eq!(names, EVENTS, "an endpoint can choose each event of the reference");
    let schemas = Schemas(reference.clone());
    for call in receiver.taken() {
        let told = call.json();
        let kind = told["type"].as_str().unwrap();
        let schema = &reference["x-webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{kind}");
        let mut wrong = Vec::new();
        schemas.check(schema, &told, kind, &mut wrong);
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
