//! Whatever an app asks for, and whatever the network does with it, some things always hold.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod world;

use doorward_client::{Command, Event, Step, TokenQuery, json};
use proptest::prelude::*;
use std::collections::BTreeMap;
use world::World;

#[derive(Clone, Debug)]
enum Move {
    Token(bool),
    SignIn(bool),
    Activate(usize),
    Deactivate,
    SignOut(Option<usize>),
    Reload,
    Answer(usize),
    Lose(usize),
    Repeat(usize),
    Garble(usize, u16),
    Pass(i64),
    Hide(bool),
    Online,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        3 => any::<bool>().prop_map(Move::Token),
        2 => any::<bool>().prop_map(Move::SignIn),
        2 => (0..4usize).prop_map(Move::Activate),
        1 => Just(Move::Deactivate),
        1 => prop::option::of(0..4usize).prop_map(Move::SignOut),
        1 => Just(Move::Reload),
        8 => (0..8usize).prop_map(Move::Answer),
        2 => (0..8usize).prop_map(Move::Lose),
        2 => (0..8usize).prop_map(Move::Repeat),
        1 => (0..8usize, prop::sample::select(vec![200u16, 400, 401, 404, 429, 500])).prop_map(|(at, status)| Move::Garble(at, status)),
        3 => (0..90_000i64).prop_map(Move::Pass),
        1 => any::<bool>().prop_map(Move::Hide),
        1 => Just(Move::Online),
    ];
    prop::collection::vec(one, 1..80)
}

fn step(password: &str) -> Command {
    let params = serde_json::json!({"identifier": "a", "password": password});
    Command::Step(Step::SignInCreate, params.as_object().unwrap().clone())
}

/// What must hold after every move.
fn check(world: &World, before: (u64, &str, usize)) {
    let (version, snapshot, changes) = before;
    let changed = world.core.version() != version;
    assert_eq!(changed, world.core.snapshot() != snapshot, "the version tells whether the snapshot changed");
    assert!(world.core.version() >= version);
    assert_eq!(changed, world.changes > changes, "and a change is told");
    let mut calls = BTreeMap::new();
    for (call, _) in &world.settled {
        *calls.entry(call).or_insert(0) += 1;
    }
    assert!(calls.values().all(|n| *n == 1), "no call is answered twice");
    let mut minting: Vec<&str> = world.sent.iter().filter(|it| it.url.contains("/tokens")).map(|it| it.url.as_str()).collect();
    let all = minting.len();
    minting.sort_unstable();
    minting.dedup();
    assert_eq!(minting.len(), all, "one request a token at a time");
    let shown = world.snapshot();
    if let Some(id) = world.core.session() {
        assert_eq!(shown["session"]["id"], id);
    } else {
        assert!(shown["session"].is_null() && shown["user"].is_null());
        assert!(!world.cookies.contains_key("__session"), "nobody is in, so no token lies around");
        assert_eq!(world.core.token(None, None, world.now), None);
    }
}

fn play(world: &mut World, step_: Move, seen: &mut Vec<(doorward_client::Request, u16, String)>) -> Option<u64> {
    let session = |world: &World, at: usize| world.server.sessions.get(at).cloned().unwrap_or_else(|| "sess_none".to_owned());
    match step_ {
        Move::Token(skip_cache) => return Some(world.command(Command::GetToken(TokenQuery { skip_cache, ..TokenQuery::default() }))),
        Move::SignIn(right) => return Some(world.command(step(if right { "right" } else { "wrong" }))),
        Move::Activate(at) => {
            let session = Some(Some(session(world, at)));
            return Some(world.command(Command::SetActive { session, organization: None }));
        }
        Move::Deactivate => return Some(world.command(Command::SetActive { session: Some(None), organization: None })),
        Move::SignOut(at) => {
            let session = at.map(|at| session(world, at));
            return Some(world.command(Command::SignOut { session }));
        }
        Move::Reload => return Some(world.command(Command::Reload)),
        Move::Answer(at) if at < world.sent.len() => {
            let request = world.sent.remove(at);
            let (status, body) = world.server.answer(&request, world.now);
            seen.push((request.clone(), status, body.to_string()));
            world.reply(&request, status, &body.to_string());
        }
        Move::Lose(at) if at < world.sent.len() => world.lose(at),
        Move::Repeat(at) => {
            if let Some((request, status, body)) = seen.get(at).cloned() {
                world.reply(&request, status, &body);
            }
        }
        Move::Garble(at, status) if at < world.sent.len() => {
            let request = world.sent.remove(at);
            world.reply(&request, status, "<html>");
        }
        Move::Pass(time) => world.pass(time),
        Move::Hide(hidden) => world.event(if hidden { Event::Hidden } else { Event::Visible }),
        Move::Online => world.event(Event::Online),
        Move::Answer(_) | Move::Lose(_) | Move::Garble(..) => {}
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_wishes_answers_losses_and_repeats_leaves_the_core_sound(moves in moves()) {
        let mut world = World::loaded(&["sess_a", "sess_b"]);
        let (mut calls, mut seen) = (Vec::new(), Vec::new());
        for one in moves {
            let (version, snapshot, changes) = (world.core.version(), world.core.snapshot().to_owned(), world.changes);
            calls.extend(play(&mut world, one, &mut seen));
            check(&world, (version, &snapshot, changes));
        }
        // In the end the network is good: everybody gets an answer.
        for _ in 0..20 {
            world.serve();
            world.pass(40_000);
        }
        world.serve();
        for call in calls {
            let _ = world.outcome(call);
        }
        let out = world.command(Command::SignOut { session: None });
        world.serve();
        prop_assert_eq!(world.outcome(out), Ok(serde_json::Value::Null));
        prop_assert!(world.core.session().is_none() && !world.cookies.contains_key("__session"));
    }

    #[test]
    fn no_bytes_make_it_panic(bodies in prop::collection::vec((any::<String>(), 100u16..600), 1..20), texts in prop::collection::vec(any::<String>(), 0..10)) {
        let mut world = World::loaded(&["sess_a"]);
        world.command(Command::Reload);
        for (body, status) in bodies {
            if let Some(request) = world.sent.pop() {
                world.reply(&request, status, &body);
            }
            world.pass(60_000);
            world.command(Command::GetToken(TokenQuery::default()));
        }
        for text in texts {
            let _ = (json::config(&text), json::command(&text), json::event(&text));
            world.event(Event::Cookies(text.clone()));
            world.event(Event::Message(text.into()));
        }
    }

    #[test]
    fn no_json_makes_it_panic(text in "\\{\"response\":(null|[0-9]+|\\{\"sessions\":(\\[(null|[0-9]+|\\{\"id\":[\"a-z0-9]*\\})?\\]|[0-9]+)\\})\\}") {
        let mut world = World::loaded(&["sess_a"]);
        world.command(Command::Reload);
        let request = world.sent.remove(0);
        world.reply(&request, 200, &text);
        world.pass(60_000);
    }
}
