//! Random commands, and a network that loses, delays, repeats and garbles: what must hold all the same.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod page;

use doorward_client::*;
use page::{LIVE, Page, TEST, client, errors, jwt};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Deed {
    Command(u8),
    /// The server deals with a request, which may be any of those on their way.
    Serve(usize),
    /// One of its answers arrives.
    Deliver(usize),
    /// A request or its answer is lost.
    Lose(usize),
    /// An answer arrives once more.
    Repeat(usize),
    /// Something answers in the server's place.
    Garble(usize, u16, String),
    Pass(i64),
    Wake(u8),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (0..10u8).prop_map(Deed::Command),
        8 => any::<usize>().prop_map(Deed::Serve),
        8 => any::<usize>().prop_map(Deed::Deliver),
        2 => any::<usize>().prop_map(Deed::Lose),
        1 => any::<usize>().prop_map(Deed::Repeat),
        1 => (any::<usize>(), prop_oneof![Just(200), Just(204), Just(301), Just(401), Just(404), Just(429), Just(502)], prop_oneof![
            Just(String::new()), Just("{}".to_owned()), Just("<html>".to_owned()), Just("[1]".to_owned()), Just("{\"errors\":3}".to_owned()),
        ]).prop_map(|(at, status, body)| Deed::Garble(at, status, body)),
        3 => (0..90_000i64).prop_map(Deed::Pass),
        2 => (0..4u8).prop_map(Deed::Wake),
    ]
}

/// What the server knows.
#[derive(Default)]
struct Server {
    sessions: Vec<String>,
    made: u32,
    at: i64,
}

impl Server {
    fn serve(&mut self, url: &str, now: i64) -> (u16, Value) {
        let path = url.split_once("/v1/").unwrap().1.split('?').next().unwrap().to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["dev_browser"] => (200, json!({"id": "dvb", "token": "dvb"})),
            ["client"] => (200, json!({"response": self.client(), "client": null})),
            ["client", "sign_ins"] => {
                self.made += 1;
                self.sessions.push(format!("s{}", self.made));
                self.at = self.at.max(now) + 1;
                let done = json!({"id": "sia", "status": "complete", "created_session_id": format!("s{}", self.made)});
                (200, json!({"response": done, "client": self.client()}))
            }
            ["client", "sessions"] => {
                self.sessions.clear();
                self.at = self.at.max(now) + 1;
                (200, json!({"response": self.client(), "client": null}))
            }
            ["client", "sessions", id, what] if self.sessions.iter().any(|it| it == id) => {
                if *what == "tokens" {
                    return (200, json!({"object": "token", "jwt": jwt(now, id)}));
                }
                if *what == "remove" {
                    self.sessions.retain(|it| it != id);
                    self.at = self.at.max(now) + 1;
                }
                (200, json!({"response": {"id": id}, "client": self.client()}))
            }
            _ => (404, errors("resource_not_found")),
        }
    }

    fn client(&self) -> Value {
        let sessions: Vec<&str> = self.sessions.iter().map(String::as_str).collect();
        client(self.at, &sessions)
    }
}

/// Requests on their way by their number, and what the server made of them so far.
type Asked = BTreeMap<u64, (String, Option<(u16, Value)>)>;

struct World {
    page: Page,
    server: Server,
    asked: Asked,
    answered: Vec<(u64, u16, Value)>,
    given: BTreeSet<u64>,
    /// Calls of sign-ins and of sign-outs of all.
    sign_ins: BTreeSet<u64>,
    sign_outs: BTreeSet<u64>,
    out: bool,
    seen: (u64, String),
}

fn nth(map: &Asked, at: usize) -> Option<(u64, &str)> {
    let len = map.len();
    map.iter().nth(at.checked_rem(len)?).map(|(id, (url, _))| (*id, url.as_str()))
}

impl World {
    fn new(key: &str) -> Self {
        let page = Page::new(key);
        let seen = (page.core.version(), page.core.snapshot().to_owned());
        let (sign_ins, sign_outs, given) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { page, server: Server::default(), asked: BTreeMap::new(), answered: Vec::new(), given, sign_ins, sign_outs, out: false, seen }
    }

    fn command(&mut self, which: u8) {
        let session = Some(format!("s{}", which % 3 + 1));
        let command = match which {
            0 => Command::Load,
            1 => Command::Reload,
            2 => Command::Step(Step::SignInCreate, Map::new()),
            3 | 4 => Command::SetActive { session: Some(session), organization: None },
            5 => Command::SignOut { session: None },
            6 => Command::SignOut { session },
            7 => Command::Touch { session },
            8 => Command::GetToken(TokenQuery { skip_cache: true, ..TokenQuery::default() }),
            _ => Command::GetToken(TokenQuery::default()),
        };
        if which == 2 {
            self.out = false;
        }
        let call = self.page.command(command);
        self.given.insert(call);
        match which {
            2 => self.sign_ins.insert(call),
            5 => self.sign_outs.insert(call),
            _ => true,
        };
    }

    fn respond(&mut self, id: u64, status: u16, body: &str) {
        let body = body.to_owned();
        self.page.event(Event::Response { id, status, headers: Vec::new(), body });
    }

    fn serve(&mut self, at: usize) {
        let Some((id, url)) = nth(&self.asked, at) else { return };
        let answer = self.server.serve(url, self.page.now);
        self.asked.get_mut(&id).unwrap().1.get_or_insert(answer);
    }

    fn deliver(&mut self, at: usize) {
        let ready: Vec<u64> = self.asked.iter().filter(|(_, it)| it.1.is_some()).map(|(id, _)| *id).collect();
        let Some(id) = at.checked_rem(ready.len()).map(|at| ready[at]) else { return };
        let (status, body) = self.asked.remove(&id).unwrap().1.unwrap();
        self.answered.push((id, status, body.clone()));
        self.respond(id, status, &body.to_string());
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Command(which) => self.command(which),
            Deed::Serve(at) => self.serve(at),
            Deed::Deliver(at) => self.deliver(at),
            Deed::Lose(at) => {
                if let Some((id, _)) = nth(&self.asked, at) {
                    self.asked.remove(&id);
                    self.page.event(Event::Failed { id });
                }
            }
            Deed::Repeat(at) => {
                if let Some(at) = at.checked_rem(self.answered.len()) {
                    let (id, status, body) = self.answered[at].clone();
                    self.respond(id, status, &body.to_string());
                }
            }
            Deed::Garble(at, status, body) => {
                if let Some((id, url)) = nth(&self.asked, at) {
                    // To be told of a sign-out that never was is beyond repair.
                    let status = if url.contains("_method=DELETE") { 502 } else { status };
                    self.asked.remove(&id);
                    self.respond(id, status, &body);
                }
            }
            Deed::Pass(ms) => self.page.pass(ms),
            Deed::Wake(which) => {
                self.page.event(match which {
                    0 => Event::Visible,
                    1 => Event::Hidden,
                    2 => Event::Online,
                    _ => Event::Offline,
                });
            }
        }
        self.check();
    }

    fn check(&mut self) {
        for request in std::mem::take(&mut self.page.requests) {
            self.asked.insert(request.id, (request.url, None));
        }
        let mut tokens: Vec<&str> = self.asked.values().map(|(url, _)| url.as_str()).filter(|url| url.contains("/tokens")).collect();
        tokens.sort_unstable();
        assert!(tokens.windows(2).all(|pair| pair[0] != pair[1]), "two requests for one token: {tokens:?}");

        let now = (self.page.core.version(), self.page.core.snapshot().to_owned());
        assert!(now.0 >= self.seen.0, "the version went back");
        assert_eq!(now.0 == self.seen.0, now.1 == self.seen.1, "version and snapshot change together");
        self.seen = now;

        assert!(self.page.settled.keys().all(|call| self.given.contains(call)));
        let done = |call: &u64| self.page.settled.contains_key(call);
        let coming = self.asked.values().any(|(url, _)| url.contains("/sign_ins")) || !self.server.sessions.is_empty();
        let out = self.sign_outs.iter().any(|call| self.page.settled.get(call).is_some_and(Result::is_ok));
        self.out |= out && !coming && self.sign_ins.iter().all(done);
        self.sign_outs.retain(|call| !self.page.settled.contains_key(call));
        if self.out {
            let snapshot = self.page.snapshot();
            assert_eq!((&snapshot["session"], &snapshot["sessions"]), (&Value::Null, &json!([])), "nobody is there after a sign-out");
            assert_eq!(self.page.core.token(None, None, self.page.now), None);
            assert!(self.page.cookies.get("__session").is_none_or(Option::is_none));
        }
    }

    /// The network is good from here on: everybody is answered.
    fn come_to_rest(&mut self) {
        self.act(Deed::Wake(2));
        for _ in 0..400 {
            if self.page.settled.len() == self.given.len() {
                break;
            }
            while !self.asked.is_empty() {
                self.act(Deed::Serve(0));
                self.act(Deed::Deliver(0));
            }
            if let Some(at) = self.page.timer {
                self.act(Deed::Pass((at - self.page.now).max(0)));
            }
        }
        assert_eq!(self.page.settled.keys().copied().collect::<BTreeSet<_>>(), self.given, "each call is answered");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_each_call_is_answered_once(live in any::<bool>(), deeds in prop::collection::vec(deed(), 0..120)) {
        let mut world = World::new(if live { LIVE } else { TEST });
        for deed in deeds {
            world.act(deed);
        }
        world.come_to_rest();
    }

    #[test]
    fn no_bytes_make_it_panic(texts in prop::collection::vec(".{0,60}", 1..8), status in any::<u16>()) {
        let mut page = Page::new(LIVE);
        page.command(Command::Load);
        for text in &texts {
            drop(doorward_client::json::config(text).map(Core::new));
            if let Some((call, now, command)) = doorward_client::json::command(text) {
                page.core.command(call, command, now);
            }
            let headers = vec![("retry-after".to_owned(), text.clone()), ("authorization".to_owned(), text.clone())];
            for id in 0..4 {
                page.event(Event::Response { id, status, headers: headers.clone(), body: text.clone() });
            }
            page.event(Event::Cookies(text.clone()));
        }
    }

    #[test]
    fn no_shape_makes_it_panic(value in shape(), now in any::<i64>(), id in 0..4u64, step in 0..Step::ALL.len()) {
        let mut page = Page::loaded(&["s1"]);
        page.now = now;
        page.command(Command::Step(Step::ALL[step], value.as_object().cloned().unwrap_or_default().into()));
        page.token();
        page.event(Event::Message(json!({"client": value}).into()));
        page.event(Event::Message(value.clone().into()));
        for status in [200, 401, 422, 503] {
            for body in [json!({"response": value, "client": value}), json!({"errors": [value], "meta": {"client": value}}), json!({"jwt": value})] {
                page.event(Event::Response { id: id + 2, status, headers: Vec::new(), body: body.to_string() });
            }
        }
        page.event(Event::Visible);
        page.event(Event::Timer);
        let texts = [json!({"now": value, "event": value, "call": value, "do": value, "params": value}).to_string()];
        drop(doorward_client::json::event(&texts[0]));
        drop(doorward_client::json::command(&texts[0]));
    }
}

/// JSON of the names that the core looks for and of values that do not belong there.
fn shape() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        Just(json!("active")),
        Just(json!("s1")),
        (any::<i64>(), any::<i64>()).prop_map(|(iat, exp)| page::claims(iat, exp).into()),
    ];
    let names = ["sessions", "id", "status", "user", "last_active_token", "jwt", "updated_at", "sign_in", "last_active_session_id", "code"];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names.to_vec()), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}
