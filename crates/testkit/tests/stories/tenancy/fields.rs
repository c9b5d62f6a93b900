//! Ids that travel in queries and bodies, and lists: from the documents of both interfaces, so that an endpoint that is added
//! later is held against this without anybody thinking of it.

use super::{OTHER, PASSWORD, device_of, fill, two};
use doorward_base::Secret;
use doorward_core::instance::{self, CreatedInstance};
use doorward_core::settings::Settings;
use doorward_gateway::{Routes, openapi};
use doorward_testkit::{Answer, Browser, TestServer};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A parameter that names an object, outside the path.
struct Field {
    operation: String,
    method: String,
    path: String,
    name: String,
}

/// What names nothing of ours: others' ids, which mean what whoever set them says, and organizations and roles, which there are none of.
const NO_OBJECTS: [&str; 7] = [
    "external_id",
    "provider_user_id",
    "organization_id",
    "active_organization_id",
    "org_id",
    "creator_role_id",
    "domains_default_role_id",
];

fn names_an_object(name: &str) -> bool {
    let id = name.ends_with("_id") || name.ends_with("_ids") || matches!(name, "starting_after" | "ending_before");
    id && !NO_OBJECTS.contains(&name)
}

fn fields(routes: &Routes) -> Vec<Field> {
    let document = openapi::document(routes);
    let mut out = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, it) in methods.as_object().unwrap() {
            let query = it["parameters"].as_array().unwrap().iter().filter(|it| it["in"] == "query");
            let query = query.map(|it| it["name"].as_str().unwrap().to_owned());
            let bodies = it["requestBody"]["content"].as_object().into_iter().flat_map(Map::values);
            let body = bodies.flat_map(|it| it["schema"]["properties"].as_object().into_iter().flat_map(Map::keys)).cloned();
            let operation = it["operationId"].as_str().unwrap();
            out.extend(query.chain(body).filter(|name| names_an_object(name)).map(|name| Field {
                operation: operation.to_owned(),
                method: method.to_ascii_uppercase(),
                path: path.clone(),
                name,
            }));
        }
    }
    out
}

/// What a caller learns: nothing may tell a foreign id from one that was never given out.
fn learned(answer: &Answer) -> (u16, String, String) {
    let body = if answer.status == 200 { answer.text.clone() } else { String::new() };
    (answer.status, answer.code().to_owned(), body)
}

/// An id of the same kind that nobody has.
fn made_up(id: &str) -> String {
    format!("{}_nobodyhasthisoneatall0000000", id.split_once('_').unwrap().0)
}

type Ids = BTreeMap<&'static str, String>;

fn pairs(ids: &Ids) -> Vec<(&str, &str)> {
    ids.iter().map(|(name, id)| (*name, id.as_str())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned()
}

/// A user with one identifier of each kind, and the ids of all that.
async fn somebody(server: &TestServer, key: &Secret, n: u32) -> Ids {
    let body = json!({
        "email_address": [format!("p{n}@example.com")],
        "phone_number": [format!("+1202456{n:04}")],
        "web3_wallet": [format!("0x{n:040x}")],
        "password": PASSWORD,
    });
    let user = server.backend_as(key, "POST", "/v1/users", Some(body)).await.expect(200).clone();
    let (email, phone, wallet) = ("primary_email_address_id", "primary_phone_number_id", "primary_web3_wallet_id");
    let id = text(&user["id"]);
    Ids::from([
        ("user_id", id.clone()),
        ("user_ids", id.clone()),
        ("starting_after", id),
        ("email_address_id", text(&user[email])),
        (email, text(&user[email])),
        ("phone_number_id", text(&user[phone])),
        (phone, text(&user[phone])),
        ("web3_wallet_id", text(&user[wallet])),
        (wallet, text(&user[wallet])),
    ])
}

/// The same with a session, and with a code on its way.
async fn with_session(server: &TestServer, key: &Secret, n: u32, by: &str) -> Ids {
    let mut ids = somebody(server, key, n).await;
    let made = async |path: &str, body: Value| server.backend_as(key, "POST", path, Some(body)).await.expect(200).clone();
    let session = made("/v1/sessions", json!({"user_id": ids["user_id"]})).await;
    ids.insert("client_id", text(&session["client_id"]));
    let at = match by {
        "AttemptEmailAddressVerification" => fill("/v1/email_addresses/{email_address_id}/prepare_verification", &pairs(&ids)),
        "AttemptPhoneNumberVerification" => fill("/v1/phone_numbers/{phone_number_id}/prepare_verification", &pairs(&ids)),
        _ => return ids,
    };
    let verification = made(&at, json!({})).await;
    ids.insert("verification_id", text(&verification["id"]));
    ids
}

/// What the Backend API needs besides for the id to matter.
fn beside(operation: &str) -> Value {
    match operation {
        "CreateEmailAddress" => json!({"email_address": "one.more@example.com"}),
        "CreatePhoneNumber" => json!({"phone_number": "+12024560199"}),
        "CreateActorToken" => json!({"actor": {"sub": "user_support"}}),
        "AttemptEmailAddressVerification" | "AttemptPhoneNumberVerification" => json!({"code": "000000"}),
        _ => json!({}),
    }
}

/// Where ids are named and nothing is looked up by them: refused whatever they are, or sent along. The last one is of a step
/// that needs a signature to get there: `trusted_devices.rs` tells it.
const UNUSED: [(&str, &str); 4] = [
    ("UpdateUser", "profile_image_id"),
    ("VerifyDomainProxy", "domain_id"),
    ("prepareSignInFactorTwo", "web3_wallet_id"),
    ("attemptSignInFactorOne", "trusted_device_id"),
];

fn used(field: &Field) -> bool {
    field.operation != "getProxyHealth" && !UNUSED.contains(&(field.operation.as_str(), field.name.as_str()))
}

/// Two instances of the same settings.
async fn alike(change: impl FnOnce(&mut Settings)) -> (TestServer, CreatedInstance) {
    let (server, other) = two().await;
    server.change_settings(change).await;
    let ours = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let theirs = instance::by_id(&server.app, &other.id).await.unwrap().unwrap();
    instance::update_settings(&server.app, &theirs, &ours.settings).await.unwrap();
    (server, other)
}

#[tokio::test]
async fn fault_109_no_id_in_a_query_or_a_body_reaches_another_instance() {
    let (server, other) = alike(|_| {}).await;
    let all = fields(&doorward_bapi::routes());
    assert!(all.len() > 15);
    for (n, field) in (100..).step_by(2).zip(all.iter().filter(|it| used(it))) {
        let (operation, name) = (field.operation.as_str(), field.name.as_str());
        let theirs = with_session(&server, &server.instance.secret_key, n, operation).await;
        let ours = with_session(&server, &other.secret_key, n + 1, operation).await;
        let send = async |id: &str| {
            let mut path = fill(&field.path, &pairs(&ours));
            let mut body = beside(operation);
            if field.method == "GET" {
                path = format!("{path}?{name}={id}");
                return server.backend_as(&other.secret_key, "GET", &path, None).await;
            }
            body[name] = if name.ends_with("_ids") { json!([id]) } else { json!(id) };
            server.backend_as(&other.secret_key, &field.method, &path, Some(body)).await
        };
        let id = |ids: &Ids| ids.get(name).unwrap_or_else(|| panic!("{operation}: the test knows no {name} yet")).clone();
        let before = server.backend("GET", &format!("/v1/users/{}", theirs["user_id"]), None).await.json;
        let foreign = send(&id(&theirs)).await;
        let nobody = send(&made_up(&id(&theirs))).await;
        assert_eq!(learned(&foreign), learned(&nobody), "{operation}: {name}");
        let own = send(&id(&ours)).await;
        assert_eq!(own.status, 200, "{operation}: {name}: {}", own.text);
        assert_ne!(learned(&own), learned(&nobody), "{operation}: {name}: the id has to matter");
        assert_eq!(server.backend("GET", &format!("/v1/users/{}", theirs["user_id"]), None).await.json, before, "{operation}: {name}");
    }
}

/// Somebody who is signed in, and what is theirs.
struct Visitor {
    host: String,
    email: String,
    browser: Browser,
    ids: Ids,
}

impl Visitor {
    /// With a second factor, if `guarded`.
    async fn new(server: &TestServer, key: &Secret, host: &str, n: u32, guarded: bool) -> Self {
        let mut ids = somebody(server, key, n).await;
        let ticket = server.backend_as(key, "POST", "/v1/sign_in_tokens", Some(json!({"user_id": ids["user_id"]}))).await;
        let ticket = text(&ticket.expect(200)["token"]);
        let mut browser = server.browser_on(host);
        let done = browser.post("/v1/client/sign_ins", &[("strategy", "ticket"), ("ticket", &ticket)]).await;
        let session = text(&done.response()["created_session_id"]);
        ids.insert("_clerk_session_id", session.clone());
        ids.insert("session_id", session);
        ids.insert("trusted_device_id", device_of(&mut browser).await);
        if guarded {
            let at = fill("/v1/me/phone_numbers/{phone_number_id}?_method=PATCH", &pairs(&ids));
            browser.post(&at, &[("reserved_for_second_factor", "true")]).await.expect(200);
        }
        Self { host: host.to_owned(), email: format!("p{n}@example.com"), browser, ids }
    }

    /// Everything as far as the field needs it: the browser and the path to send it to.
    async fn ready(&self, server: &TestServer, field: &Field) -> (Browser, String) {
        let mut ids = self.ids.clone();
        let mut browser = self.browser.clone();
        if field.path.contains("{sign_in_id}") {
            browser = server.browser_on(&self.host);
            let begun = if field.operation.ends_with("FactorTwo") {
                browser.sign_in(&self.email, PASSWORD).await
            } else {
                browser.post("/v1/client/sign_ins", &[("identifier", &self.email)]).await
            };
            ids.insert("sign_in_id", text(&begun.response()["id"]));
        } else if field.operation == "createSignIn" {
            browser = server.browser_on(&self.host);
        } else if field.path.contains("/verify/") {
            let level = if field.operation.ends_with("SecondFactor") { "second_factor" } else { "first_factor" };
            browser.post(&fill("/v1/client/sessions/{session_id}/verify", &pairs(&ids)), &[("level", level)]).await.expect(200);
        }
        // Of what is named in the path, only what exists shows whether the session is looked at first.
        ids.extend([
            ("email_id", ids["email_address_id"].clone()),
            ("passkey_id", "idn_none".to_owned()),
            ("external_account_id", "eac_none".to_owned()),
        ]);
        (browser, fill(&field.path, &pairs(&ids)))
    }

    async fn send(&self, server: &TestServer, field: &Field, strategy: &str, id: &str) -> Answer {
        let (mut browser, path) = self.ready(server, field).await;
        let name = field.name.as_str();
        if name == "_clerk_session_id" {
            return browser.send(&field.method, &format!("{path}?{name}={id}"), None).await;
        }
        browser.post(&format!("{path}?_method={}", field.method), &[("strategy", strategy), (name, id)]).await
    }
}

/// The same of the Frontend API, without the client beside it.
fn answered(answer: &Answer) -> (u16, String, Value) {
    (answer.status, answer.code().to_owned(), answer.json["response"].clone())
}

/// With which strategy the Frontend API looks at an id.
fn strategy(name: &str) -> &'static str {
    match name {
        "email_address_id" => "email_code",
        "phone_number_id" => "phone_code",
        "web3_wallet_id" => "web3_metamask_signature",
        "trusted_device_id" => "trusted_device",
        _ => "",
    }
}

#[tokio::test]
async fn fault_099_no_id_in_a_query_or_a_form_reaches_what_is_somebody_else_s() {
    let (server, other) = alike(|it| {
        it.attack_protection.client_trust = true;
        it.attributes.phone_second_factor = true;
    })
    .await;
    let here = server.public.to_string();
    let mut people = Vec::new();
    for guarded in [false, true] {
        let n = 100 + u32::from(guarded) * 10;
        let (a, b) = (&server.instance.secret_key, &other.secret_key);
        let ada = Visitor::new(&server, a, &here, n, guarded).await;
        let bob = Visitor::new(&server, a, &here, n + 1, guarded).await;
        people.push((ada, [bob, Visitor::new(&server, b, OTHER, n + 2, guarded).await]));
    }
    let all = fields(&doorward_fapi::routes());
    assert!(all.len() > 50);
    for field in all.iter().filter(|it| used(it)) {
        let (operation, name) = (field.operation.as_str(), field.name.as_str());
        let second = operation.ends_with("SecondFactor") || operation.ends_with("FactorTwo");
        let (ada, others) = &people[usize::from(second && name == "phone_number_id")];
        let id = |ids: &Ids| ids.get(name).unwrap_or_else(|| panic!("{operation}: the test knows no {name} yet")).clone();
        for somebody in others {
            // A device is named before anybody says who they are, by whatever app: within its instance it is nobody else's.
            if name == "trusted_device_id" && somebody.host == here {
                continue;
            }
            let foreign = somebody.send(&server, field, strategy(name), &id(&ada.ids)).await;
            let nobody = somebody.send(&server, field, strategy(name), &made_up(&id(&ada.ids))).await;
            assert_eq!(answered(&foreign), answered(&nobody), "{operation}: {name}: {}", foreign.text);
            assert!(!foreign.text.contains(&ada.email), "{operation}: {name}: {}", foreign.text);
            // With their own session some of these would be the last thing that they do; `table.rs` calls them all.
            if name != "_clerk_session_id" || field.method == "GET" {
                let own = somebody.send(&server, field, strategy(name), &id(&somebody.ids)).await;
                assert_ne!(answered(&own), answered(&nobody), "{operation}: {name}: the id has to matter");
            } else {
                assert_eq!(foreign.status, 401, "{operation}: {}", foreign.text);
            }
        }
    }
}

/// The ids of a list's items; none when the answer is no list.
fn listed(answer: &Answer) -> Option<BTreeSet<String>> {
    let items = answer.json.as_array().or_else(|| answer.json["data"].as_array())?;
    Some(items.iter().map(|it| text(it.get("id").unwrap_or(&it["slug"]))).collect())
}

#[tokio::test]
async fn fault_109_no_list_shows_anything_of_another_instance() {
    let (server, other) = two().await;
    let theirs = with_session(&server, &server.instance.secret_key, 1, "").await;
    for (path, body) in [
        ("/v1/invitations", json!({"email_address": "new@example.com"})),
        ("/v1/waitlist_entries", json!({"email_address": "new@example.com"})),
        ("/v1/allowlist_identifiers", json!({"identifier": "new@example.com"})),
        ("/v1/blocklist_identifiers", json!({"identifier": "new@example.com"})),
        ("/v1/redirect_urls", json!({"url": "my-app://callback"})),
        ("/v1/jwt_templates", json!({"name": "any", "claims": {}})),
    ] {
        server.backend("POST", path, Some(body)).await.expect(200);
    }
    let mut lists = 0;
    for meta in doorward_bapi::routes().table().filter(|meta| meta.method == "GET" && meta.path_params().next().is_none()) {
        // Some need to know whose they are, and others do not know users.
        let user = format!("?user_id={}", theirs["user_id"]);
        let of_user = server.backend("GET", &format!("{}{user}", meta.path), None).await;
        let answer = if of_user.status == 422 { server.backend("GET", meta.path, None).await } else { of_user };
        let Some(shown) = listed(&answer) else { continue };
        assert!(!shown.is_empty(), "{}: make one of them in this test", meta.id);
        lists += 1;
        for query in ["", "?paginated=true", "?query=p1", &user] {
            let answer = server.backend_as(&other.secret_key, "GET", &format!("{}{query}", meta.path), None).await;
            // A list that does not know the parameter may refuse it.
            assert!(listed(&answer).map_or(answer.status == 422, |it| it.is_disjoint(&shown)), "{}{query}: {}", meta.path, answer.text);
            assert!(!answer.text.contains("new@example.com") && !answer.text.contains("p1@"), "{}{query}: {}", meta.path, answer.text);
        }
    }
    assert!(lists > 8, "{lists}");
    let count = server.backend_as(&other.secret_key, "GET", "/v1/users/count", None).await;
    assert_eq!(count.expect(200)["total_count"], 0);
}
