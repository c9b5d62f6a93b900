//! Users are found by any part of what identifies them, and counted, whatever was done to them before.

use doorward_core::settings::Presence;
use doorward_core::users::ImportedUser;
use doorward_core::{Scope, instance};
use doorward_store::users::search;
use doorward_store::{Sql, migrate};
use doorward_testkit::{START, TestServer};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn create(server: &TestServer, body: Value) -> String {
    server.backend("POST", "/v1/users", Some(body)).await.expect(200)["id"].as_str().unwrap().to_owned()
}

/// Whom a search finds, which counting must agree with.
async fn found(server: &TestServer, query: &str) -> BTreeSet<String> {
    let list = server.backend("GET", &format!("/v1/users?limit=500&{query}"), None).await;
    let ids: Vec<String> = list.expect(200).as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    let count = server.backend("GET", &format!("/v1/users/count?{query}"), None).await;
    assert_eq!(count.expect(200)["total_count"], ids.len(), "{query}");
    let set: BTreeSet<String> = ids.iter().cloned().collect();
    assert_eq!(set.len(), ids.len(), "nobody is there twice: {query}");
    set
}

fn set(ids: &[&String]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).clone()).collect()
}

#[tokio::test]
async fn a_user_is_found_by_any_part_in_any_case_of_letters() {
    let server = TestServer::with_settings(|settings| settings.attributes.phone_number = Presence::Optional).await;
    let ada = json!({"email_address": ["Ada.Lovelace@Analytical-Engine.example"], "username": "countess", "first_name": "Ada",
        "last_name": "Lovelace", "external_id": "App-77", "skip_password_requirement": true});
    let ada = create(&server, ada).await;
    server.backend("POST", "/v1/phone_numbers", Some(json!({"user_id": ada, "phone_number": "+12024560177"}))).await.expect(200);
    let emile = create(&server, json!({"email_address": ["e@x.example"], "first_name": "Émile", "skip_password_requirement": true})).await;
    let ming = create(&server, json!({"email_address": ["m@x.example"], "first_name": "李明", "skip_password_requirement": true})).await;
    let (a, e, m) = (&ada, &emile, &ming);
    let id = format!("query={}", &ada[..20]);
    let cases: Vec<(&str, Vec<&String>)> = vec![
        ("query=lovelace%40analytical-engine.exa", vec![a]),
        ("query=ADA.LOVELACE%40ANALYTICAL-ENGINE.EXAMPLE", vec![a]),
        ("query=y", vec![a]),
        ("query=x.", vec![e, m]),
        ("query=.example", vec![a, e, m]),
        ("query=ount", vec![a]),
        ("query=a%20love", vec![a]),
        ("query=%C3%A9mi", vec![e]),
        ("query=%E6%98%8E", vec![m]),
        ("name_query=%E6%9D%8E", vec![m]),
        ("query=560177", vec![a]),
        ("query=app-7", vec![a]),
        ("query=pp-7", vec![]),
        (&id, vec![a]),
        ("query=lovelace%40analytical-engine.org", vec![]),
        ("email_address_query=lovelace", vec![a]),
        ("email_address_query=countess", vec![]),
        ("username_query=lovelace", vec![]),
        ("username_query=OUNTES", vec![a]),
        ("name_query=lovelace&email_address_query=engine", vec![a]),
        ("name_query=lovelace&email_address_query=x.example", vec![]),
        ("phone_number_query=2024", vec![a]),
        ("query=countess%0Aada", vec![]),
        ("query=user_", vec![]),
        ("query=example&banned=false", vec![a, e, m]),
        ("banned=false", vec![a, e, m]),
        ("banned=true", vec![]),
    ];
    for (query, expected) in cases {
        assert_eq!(found(&server, query).await, set(&expected), "{query}");
    }
}

#[tokio::test]
async fn what_was_changed_is_found_as_it_is_now() {
    let server = TestServer::start().await;
    let ada = create(&server, json!({"email_address": ["ada@old.example"], "first_name": "Ada", "skip_password_requirement": true})).await;
    let at = format!("/v1/users/{ada}");
    let added = server.backend("POST", "/v1/email_addresses", Some(json!({"user_id": ada, "email_address": "new@young.example"}))).await;
    let email = added.expect(200)["id"].as_str().unwrap().to_owned();
    assert_eq!(found(&server, "query=young.ex").await, set(&[&ada]));
    server.backend("PATCH", &at, Some(json!({"first_name": "Grace", "last_name": "Hopper"}))).await.expect(200);
    assert_eq!(found(&server, "query=grace%20h").await, set(&[&ada]));
    assert_eq!(found(&server, "name_query=ada").await, set(&[]));
    assert_eq!(found(&server, "query=ada").await, set(&[&ada]), "there is still the address");
    server.backend("DELETE", &format!("/v1/email_addresses/{email}"), None).await.expect(200);
    assert_eq!(found(&server, "query=young.ex").await, set(&[]));
    server.backend("POST", &format!("{at}/ban"), None).await.expect(200);
    assert_eq!((found(&server, "banned=true").await, found(&server, "banned=false").await), (set(&[&ada]), set(&[])));
    server.backend("DELETE", &at, None).await.expect(200);
    assert_eq!((found(&server, "").await, found(&server, "query=hopper").await), (set(&[]), set(&[])));
    for table in ["user_texts", "user_terms"] {
        let left = server.app.db.all(Sql::new(format!("SELECT instance_id FROM {table}"))).await.unwrap();
        assert_eq!(left.len(), 0, "{table}");
    }
}

/// Whoever writes last sees what the others have written.
#[tokio::test]
async fn changes_side_by_side_are_all_found() {
    let server = TestServer::start().await;
    let ada = create(&server, json!({"email_address": ["ada@example.com"], "skip_password_requirement": true})).await;
    let adding = (0..20).map(|n| {
        let body = json!({"user_id": ada, "email_address": format!("side{n}@by{n}.example")});
        let made = json!({"email_address": [format!("other{n}@example.com")], "skip_password_requirement": true});
        let server = &server;
        async move {
            create(server, made).await;
            // Who always meets others is told to try again.
            while server.backend("POST", "/v1/email_addresses", Some(body.clone())).await.status == 409 {}
        }
    });
    futures_util::future::join_all(adding).await;
    for n in 0..20 {
        assert_eq!(found(&server, &format!("query=side{n}%40by")).await, set(&[&ada]), "{n}");
    }
    assert_eq!(found(&server, "").await.len(), 21);
    assert_eq!(found(&server, "query=other").await.len(), 20);
}

#[tokio::test]
async fn many_from_a_file_are_found_in_order() {
    let server = TestServer::start().await;
    let row = |n: usize| json!({"external_id": n.to_string(), "email_addresses": [{"value": format!("u{n:03}@many.example")}], "first_name": "Many"});
    let rows: Vec<ImportedUser> = (0..300).map(|n| serde_json::from_value(row(n)).unwrap()).collect();
    let instance = instance::by_id(&server.app, &server.instance.id).await.unwrap().unwrap();
    let scope = Scope { app: server.app.clone(), instance, now: server.app.clock.now() };
    for part in rows.chunks(100) {
        doorward_core::users::import(&scope, part).await.unwrap();
    }
    assert_eq!(found(&server, "query=many.ex").await.len(), 300);
    assert_eq!(found(&server, "name_query=any&email_address_query=u07").await.len(), 10);
    let page = server.backend("GET", "/v1/users?query=many&order_by=email_address&limit=3&offset=1", None).await;
    let page = page.expect(200).as_array().unwrap();
    let emails: Vec<&str> = page.iter().map(|it| it["email_addresses"][0]["email_address"].as_str().unwrap()).collect();
    assert_eq!(emails, ["u001@many.example", "u002@many.example", "u003@many.example"]);
}

#[tokio::test]
async fn users_from_before_there_was_the_index_are_found_after_an_upgrade() {
    let server = TestServer::start().await;
    let ada = create(&server, json!({"email_address": ["ada@example.com"], "skip_password_requirement": true})).await;
    let bob = create(&server, json!({"email_address": ["bob@example.com"], "skip_password_requirement": true})).await;
    let db = &server.app.db;
    // As a node of an older build leaves them: one came, one went.
    search::clear(db, &server.instance.id).await.unwrap();
    for table in ["email_addresses", "users"] {
        let column = if table == "users" { "id" } else { "user_id" };
        let text = format!("DELETE FROM {table} WHERE instance_id = $1 AND {column} = $2");
        db.exec(Sql::new(text).bind(&server.instance.id).bind(bob.as_str())).await.unwrap();
    }
    migrate(db, START).await.unwrap();
    assert_eq!((found(&server, "query=ada").await, found(&server, "query=bob").await), (set(&[&ada]), set(&[])));
    migrate(db, START).await.unwrap();
    assert_eq!(found(&server, "").await, set(&[&ada]));
}
