//! Whether an answer's time tells who has an account, where the settings hide it (fault 55): for each step the times of known and
//! unknown identifiers, taken in turns, are held against each other by rank. Status and length of the answers must be equal.

use crate::cost::median;
use crate::database::Kind;
use crate::load::{self, Call, Connection};
use crate::ranks::mann_whitney_p;
use crate::report::{Aim, Row};
use crate::server::{EMAIL, PASSWORD, Server};
use crate::visitor::{ORIGIN, Visitor};
use anyhow::{Context as _, ensure};
use doorward_base::Rng;
use serde_json::json;
use std::time::Instant;

/// Samples of each side.
const SAMPLES: usize = 200;
/// Requests before the first one that counts.
const WARM_UP: usize = 20;
/// With less, the times differ. One in a hundred is below by chance; two in a row are not.
const LEAST_P: f64 = 0.01;

/// What a stranger sees of an answer.
struct Seen {
    status: u16,
    length: usize,
    ms: f64,
}

/// A new address, as long as that of the server's own user.
fn address() -> String {
    let domain = "@example.com";
    format!("{}{domain}", Rng::system().alphanumeric(EMAIL.len() - domain.len()).to_ascii_lowercase())
}

/// What a stranger tries with an identifier.
const STEPS: [&str; 5] =
    ["sign-in with a wrong password", "sign-in by a code", "forgotten password", "a wrong code", "sign-up to its code"];

/// Measures all steps on a server of its own.
pub(crate) async fn measure(kind: &Kind) -> anyhow::Result<Vec<Row>> {
    let settings = json!({
        "version": 1,
        "allowed_origins": [ORIGIN],
        "attack_protection": {"enumeration_protection": true, "max_attempts": 1000},
    });
    let server = Server::start_with(kind, &settings, "").await?;
    // Codes for one address are few, and a step may be repeated.
    let known = [(); 2].map(|()| (0..SAMPLES + WARM_UP).map(|_| address()).collect::<Vec<String>>());
    for email in known.iter().flatten() {
        let user = json!({"email_address": [email], "skip_password_requirement": true});
        load::once(&server.private, server.backend(Call::post("/v1/users").json(&user))).await?;
    }
    let mut connection = Connection::open(&server.public).await?;
    let mut rows = Vec::new();
    for step in STEPS {
        rows.push(compare(kind, &mut connection, step, &known).await?);
    }
    server.stop().await?;
    Ok(rows)
}

async fn compare(kind: &Kind, connection: &mut Connection, step: &str, known: &[Vec<String>; 2]) -> anyhow::Result<Row> {
    let (mut p, mut tries) = (0.0, Vec::new());
    for known in known {
        let (ours, nobodys) = sample(connection, step, known).await?;
        p = mann_whitney_p(&ours, &nobodys);
        tries.push(json!({"p": p, "samples": 2 * SAMPLES, "known_ms": median(ours), "unknown_ms": median(nobodys)}));
        if p >= LEAST_P {
            break;
        }
    }
    Ok(Row {
        what: format!("{}: {step}, p of known and unknown identifiers taking as long", kind.name()),
        value: p,
        unit: "",
        aim: Some(Aim::AtLeast(LEAST_P)),
        details: json!({"tries": tries}),
    })
}

/// The times of known and of unknown identifiers, in milliseconds.
async fn sample(connection: &mut Connection, step: &str, known: &[String]) -> anyhow::Result<(Vec<f64>, Vec<f64>)> {
    let rng = Rng::system();
    let (mut ours, mut nobodys) = (Vec::new(), Vec::new());
    for n in 0..SAMPLES + WARM_UP {
        // A password is guessed of one account, which has one; codes of many, for one gets only a few.
        let known = if step == STEPS[0] { EMAIL } else { known[n].as_str() };
        let unknown = address();
        let first = rng.bytes::<1>()[0] & 1 == 1;
        let mut pair = Vec::new();
        for identifier in if first { [known, &unknown] } else { [&unknown, known] } {
            pair.push(seen(connection, step, identifier).await?);
        }
        let (one, two) = (pair.pop().context("two answers")?, pair.pop().context("two answers")?);
        ensure!((one.status, one.length) == (two.status, two.length), "{step}: status or length tells who has an account");
        let (ours_now, nobodys_now) = if first { (two, one) } else { (one, two) };
        if n >= WARM_UP {
            ours.push(ours_now.ms);
            nobodys.push(nobodys_now.ms);
        }
    }
    Ok((ours, nobodys))
}

/// Does what comes before the step, and looks at the step itself.
async fn seen(connection: &mut Connection, step: &str, identifier: &str) -> anyhow::Result<Seen> {
    let mut visitor = Visitor::new(connection);
    let wrong = format!("not {PASSWORD}");
    let (path, fields): (String, Vec<(&str, &str)>) = match step {
        "sign-in with a wrong password" => {
            ("/v1/client/sign_ins".to_owned(), vec![("identifier", identifier), ("password", wrong.as_str())])
        }
        "sign-in by a code" => ("/v1/client/sign_ins".to_owned(), vec![("identifier", identifier), ("strategy", "email_code")]),
        "forgotten password" => {
            ("/v1/client/sign_ins".to_owned(), vec![("identifier", identifier), ("strategy", "reset_password_email_code")])
        }
        "a wrong code" => {
            let (_, at) = visitor.start(&[("identifier", identifier), ("strategy", "email_code")]).await?;
            (format!("{at}/attempt_first_factor"), vec![("strategy", "email_code"), ("code", "000000")])
        }
        _ => {
            let begun = visitor.post("/v1/client/sign_ups", &[("email_address", identifier)]).await?;
            let id = begun["id"].as_str().context("no sign-up")?;
            (format!("/v1/client/sign_ups/{id}/prepare_verification"), vec![("strategy", "email_code")])
        }
    };
    let began = Instant::now();
    let answer = visitor.send(&path, &fields).await?;
    let ms = began.elapsed().as_secs_f64() * 1000.0;
    ensure!(answer.status.as_u16() != 429 && !answer.status.is_server_error(), "{step}: {}", String::from_utf8_lossy(&answer.body));
    Ok(Seen { status: answer.status.as_u16(), length: answer.body.len(), ms })
}
