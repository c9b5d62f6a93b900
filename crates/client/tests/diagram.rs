//! The states that an app can see, found by trying each deed in each of them; `docs/CLIENT.md` shows them.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod page;

use doorward_client::*;
use page::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

type Deed = (&'static str, fn(&mut Page));

/// What happens to an app, as whoever watches would tell it.
const DEEDS: [Deed; 11] = [
    ("load: nobody there", |page| load(page, &client(page.now, &[]))),
    ("load: a session there", |page| load(page, &client(page.now, &["s1"]))),
    ("load: no answer", |page| {
        page.command(Command::Load);
        reply(page, "/client?", 503, &Value::Null);
    }),
    ("signIn.create: needs a factor", |page| {
        let attempt = json!({"id": "sia", "status": "needs_first_factor"});
        let mut with = client(page.now, if page.snapshot()["sessions"] == json!([]) { &[] } else { &["s1"] });
        with["sign_in"] = attempt.clone();
        page.step(Step::SignInCreate, json!({}));
        reply(page, "/sign_ins?", 200, &json!({"response": attempt, "client": with}));
    }),
    ("signIn.attemptFirstFactor: right", |page| {
        page.step(Step::SignInAttemptFirstFactor, json!({}));
        let done = json!({"id": "sia", "status": "complete", "created_session_id": "s1"});
        reply(page, "/attempt_first_factor", 200, &json!({"response": done, "client": client(page.now, &["s1"])}));
    }),
    ("signIn.attemptFirstFactor: wrong", |page| {
        page.step(Step::SignInAttemptFirstFactor, json!({}));
        reply(page, "/attempt_first_factor", 422, &errors("form_password_incorrect"));
    }),
    ("setActive(session)", |page| {
        page.command(Command::SetActive { session: Some(Some("s1".into())), organization: None });
        let with = if page.snapshot()["sessions"] == json!([]) { Value::Null } else { client(page.now, &["s1"]) };
        reply(page, "/touch", 200, &json!({"response": {"id": "s1"}, "client": with}));
    }),
    ("setActive(null)", |page| {
        page.command(Command::SetActive { session: Some(None), organization: None });
    }),
    ("signOut", |page| {
        page.command(Command::SignOut { session: None });
        reply(page, "_method=DELETE", 200, &json!({"response": client(page.now, &[]), "client": null}));
    }),
    ("token: the session was ended elsewhere", |page| {
        page.command(Command::GetToken(TokenQuery { skip_cache: true, ..TokenQuery::default() }));
        reply(page, "/tokens", 401, &errors("authentication_invalid"));
        reply(page, "/client?", 200, &json!({"response": client(page.now, &[]), "client": null}));
    }),
    ("another tab: signed out", |page| {
        page.event(Event::Message(json!({"client": client(page.now, &[]), "signedOut": true}).into()));
    }),
];

fn load(page: &mut Page, client: &Value) {
    page.command(Command::Load);
    reply(page, "/client?", 200, &json!({"response": client, "client": null}));
}

/// Answers the request, if there was one.
fn reply(page: &mut Page, part: &str, status: u16, body: &Value) {
    if page.requests.iter().any(|request| request.url.contains(part)) {
        page.now += 1;
        page.answer(part, status, body);
    }
}

fn state(page: &Page) -> &'static str {
    let it = page.snapshot();
    match () {
        () if it["isLoaded"] == false => "Loading",
        () if it["session"].is_object() => "SignedIn",
        () if it["sessions"] != json!([]) => "SessionNotActive",
        () if it["signIn"].is_object() => "SignInUnderWay",
        () => "SignedOut",
    }
}

fn play(deeds: &[Deed]) -> Page {
    let mut page = Page::new(LIVE);
    for (_, deed) in deeds {
        page.now += 1;
        deed(&mut page);
        // What is still on its way is another deed's affair.
        page.requests.clear();
    }
    page
}

#[test]
fn the_document_shows_the_states_and_what_leads_from_one_to_the_next() {
    let mut ways: BTreeMap<&str, Vec<Deed>> = BTreeMap::from([(state(&play(&[])), Vec::new())]);
    let mut open = vec![state(&play(&[]))];
    let mut edges = BTreeSet::new();
    while let Some(from) = open.pop() {
        for deed in DEEDS {
            let way = [ways[from].as_slice(), &[deed]].concat();
            let to = state(&play(&way));
            if to != from {
                edges.insert(format!("    {from} --> {to}: {}\n", deed.0.replace(':', " -")));
            }
            if !ways.contains_key(to) {
                ways.insert(to, way);
                open.push(to);
            }
        }
    }
    let diagram = ["```mermaid\nstateDiagram-v2\n    [*] --> Loading\n", &edges.into_iter().collect::<String>(), "```\n"].concat();
    let document = include_str!("../../../docs/CLIENT.md");
    assert!(document.contains(&diagram), "docs/CLIENT.md should have this:\n{diagram}");
}
