//! Whether users cost more when there are many of them.

use crate::process::Server;
use crate::say;
use anyhow::Context as _;
use doorward_base::{Clock, IdentificationId, InstanceId, Rng, UserId};
use doorward_store::db::DbOptions;
use doorward_store::users::{EmailRecord, UserRecord, insert, insert_email};
use doorward_store::{Db, instances};
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const FEW: usize = 10_000;

/// Server time of one call each, in microseconds.
struct Costs {
    create: f64,
    get: f64,
    list: f64,
}

/// Measures create, get and list at ten thousand users and at many. On PostgreSQL the server's own share only.
pub(crate) async fn measure(name: &str, postgres: Option<&str>) -> anyhow::Result<Vec<Value>> {
    if postgres.is_some() {
        say("postgres: users are measured on SQLite only, where the database's work is in the server's process");
        return Ok(Vec::new());
    }
    let many: usize = std::env::var("BENCH_USERS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let server = Server::start(None).await?;
    let options = DbOptions { url: server.sqlite_url(), max_connections: 2, acquire_timeout: Duration::from_secs(30) };
    let db = Db::connect(&options).await?;
    let instance = instances::list(&db).await?.first().map(|it| it.id.clone()).context("the instance")?;
    let mut last = fill(&db, &instance, FEW).await?;
    let few = costs(&server, &last).await?;
    say(&format!("{name}: filling up to {many} users"));
    if many > FEW {
        last = fill(&db, &instance, many - FEW).await?;
    }
    let lots = costs(&server, &last).await?;
    let row = |what: &str, few: f64, lots: f64| json!({"what": format!("{name}: user {what}, {many} / {FEW} users"), "value": lots / few, "unit": "ratio", "aim": "<= 1.5", "few_us": few, "many_us": lots});
    db.close().await;
    server.stop().await?;
    Ok(vec![row("create", few.create, lots.create), row("get", few.get, lots.get), row("list", few.list, lots.list)])
}

async fn fill(db: &Db, instance: &InstanceId, count: usize) -> anyhow::Result<UserId> {
    let (clock, rng) = (Clock::system(), Rng::system());
    let mut last = UserId::default();
    for start in (0..count).step_by(5_000) {
        let mut tx = db.begin().await?;
        for _ in start..count.min(start + 5_000) {
            let now = clock.now();
            let (id, email_id) = (UserId::new(now, &rng), IdentificationId::new(now, &rng));
            let address = format!("{}@example.com", rng.alphanumeric(16).to_ascii_lowercase());
            let user = UserRecord {
                id: id.clone(),
                primary_email_address_id: Some(email_id.clone()),
                primary_email_key: Some(address.clone()),
                public_metadata: "{}".to_owned(),
                private_metadata: "{}".to_owned(),
                unsafe_metadata: "{}".to_owned(),
                created_at: now,
                updated_at: now,
                ..UserRecord::default()
            };
            insert(&mut tx, instance, &user).await?;
            let email = EmailRecord {
                id: email_id,
                user_id: id.clone(),
                address: address.clone(),
                address_key: address,
                verified: true,
                created_at: now,
                updated_at: now,
                ..EmailRecord::default()
            };
            insert_email(&mut tx, instance, &email).await?;
            last = id;
        }
        tx.commit().await?;
    }
    Ok(last)
}

async fn costs(server: &Server, known: &UserId) -> anyhow::Result<Costs> {
    let rng = Rng::system();
    let mut all = Vec::new();
    for (method, path, rounds) in [
        (Method::POST, "/v1/users".to_owned(), 400),
        (Method::GET, format!("/v1/users/{known}"), 2_000),
        (Method::GET, "/v1/users?limit=10".to_owned(), 1_000),
    ] {
        let body = |n: u32| {
            let address = format!("{n}-{}@example.com", rng.alphanumeric(8).to_ascii_lowercase());
            (method == Method::POST).then(|| json!({"email_address": [address], "skip_password_requirement": true}))
        };
        for n in 0..20 {
            server.backend(method.clone(), &path, body(n)).await?;
        }
        let before = server.cpu_us()?;
        for n in 0..rounds {
            server.backend(method.clone(), &path, body(n)).await?;
        }
        all.push((server.cpu_us()? - before) / f64::from(rounds));
    }
    let [create, get, list] = all.as_slice() else { anyhow::bail!("three costs") };
    Ok(Costs { create: *create, get: *get, list: *list })
}
