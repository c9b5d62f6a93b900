//! A page as a value: performs the core's effects on nothing but memory, on a clock that stands.
#![allow(dead_code, reason = "each test takes what it needs")]

use base64ct::{Base64UrlUnpadded, Encoding as _};
use doorward_client::{Account, Area, Command, Config, Core, Effect, Event, Failure, Outcome, Request, Step, TokenQuery};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const START: i64 = 1_767_225_600_000;
/// clerk.example.com and 127.0.0.1:4100
pub(crate) const LIVE: &str = "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k";
pub(crate) const TEST: &str = "pk_test_MTI3LjAuMC4xOjQxMDAk";

pub(crate) struct Page {
    pub(crate) core: Core,
    pub(crate) now: i64,
    pub(crate) requests: Vec<Request>,
    pub(crate) settled: BTreeMap<u64, Outcome>,
    pub(crate) cookies: BTreeMap<String, Option<String>>,
    pub(crate) timer: Option<i64>,
    pub(crate) told: Vec<Value>,
    pub(crate) changes: u32,
    last: u64,
}

impl Page {
    pub(crate) fn new(key: &str) -> Self {
        Self::with(Config { publishable_key: key.into(), origin: "http://localhost:3000".into(), seed: 7, ..Config::default() })
    }

    pub(crate) fn with(config: Config) -> Self {
        let core = Core::new(config).unwrap();
        let (requests, settled, cookies) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        Self { core, now: START, requests, settled, cookies, timer: None, told: Vec::new(), changes: 0, last: 0 }
    }

    /// On a client with these sessions, the first of them active.
    pub(crate) fn loaded(sessions: &[&str]) -> Self {
        let mut page = Self::new(LIVE);
        page.command(Command::Load);
        let client = client(page.now, sessions);
        page.answer("/client?", 200, &json!({"response": client, "client": null}));
        page
    }

    pub(crate) fn drain(&mut self) {
        for effect in self.core.effects() {
            match effect {
                Effect::Request(request) => self.requests.push(request),
                Effect::Cookie(cookie) => drop(self.cookies.insert(cookie.name, cookie.value)),
                Effect::ClientToken(_) => {}
                Effect::Changed => self.changes += 1,
                Effect::Settle { call, outcome } => {
                    assert!(self.settled.insert(call, outcome).is_none(), "call {call} was answered twice");
                }
                Effect::Broadcast(data) => self.told.push(data.into()),
                Effect::Timer(at) => self.timer = at,
            }
        }
    }

    pub(crate) fn command(&mut self, command: Command) -> u64 {
        self.last += 1;
        self.core.command(self.last, command, self.now);
        self.drain();
        self.last
    }

    pub(crate) fn step(&mut self, step: Step, params: Value) -> u64 {
        self.command(Command::Step(step, params.as_object().unwrap().clone().into()))
    }

    pub(crate) fn account(&mut self, area: Area, method: &str, path: &[&str], params: Value) -> u64 {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        self.command(Command::Account(Account::new(area, method, path).unwrap().with(params.as_object().unwrap().clone().into())))
    }

    pub(crate) fn me(&mut self, method: &str, path: &[&str], params: Value) -> u64 {
        self.account(Area::Me, method, path, params)
    }

    pub(crate) fn token(&mut self) -> u64 {
        self.command(Command::GetToken(TokenQuery::default()))
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.core.event(event, self.now);
        self.drain();
    }

    /// The one request that waits for an answer and has this in its address.
    pub(crate) fn request(&mut self, part: &str) -> Request {
        let found: Vec<usize> = (0..self.requests.len()).filter(|at| self.requests[*at].url.contains(part)).collect();
        assert_eq!(found.len(), 1, "{part} in {:#?}", self.requests);
        self.requests.remove(found[0])
    }

    pub(crate) fn answer(&mut self, part: &str, status: u16, body: &Value) {
        self.answer_with(part, status, &[], body);
    }

    pub(crate) fn answer_with(&mut self, part: &str, status: u16, headers: &[(&str, &str)], body: &Value) {
        let id = self.request(part).id;
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.event(Event::Response { id, status, headers, body: body.to_string() });
    }

    pub(crate) fn lose(&mut self, part: &str) {
        let id = self.request(part).id;
        self.event(Event::Failed { id });
    }

    /// Lets time pass until the timer, which must be set.
    pub(crate) fn until_timer(&mut self) {
        self.now = self.timer.take().expect("a timer").max(self.now);
        self.event(Event::Timer);
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.now += ms;
        if self.timer.is_some_and(|at| at <= self.now) {
            self.timer = None;
            self.event(Event::Timer);
        }
    }

    pub(crate) fn snapshot(&self) -> Value {
        serde_json::from_str(self.core.snapshot()).unwrap()
    }

    #[track_caller]
    pub(crate) fn value(&self, call: u64) -> Value {
        self.settled[&call].clone().unwrap().into()
    }

    #[track_caller]
    pub(crate) fn failure(&self, call: u64) -> Failure {
        self.settled[&call].clone().unwrap_err()
    }
}

/// A token that the core reads as one of 60 seconds.
pub(crate) fn jwt(now: i64, what: &str) -> String {
    token(&json!({"iat": now / 1000, "exp": now / 1000 + 60, "what": what}))
}

pub(crate) fn claims(iat: i64, exp: i64) -> String {
    token(&json!({"iat": iat, "exp": exp}))
}

fn token(claims: &Value) -> String {
    ["e30", &Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()), "c2ln"].join(".")
}

pub(crate) fn client(now: i64, sessions: &[&str]) -> Value {
    let session = |id: &&str| {
        let token = json!({"object": "token", "jwt": jwt(now, id)});
        json!({"id": id, "status": "active", "user": {"id": format!("user_{id}")}, "last_active_token": token})
    };
    let all: Vec<Value> = sessions.iter().map(session).collect();
    json!({"object": "client", "id": "client_1", "sessions": all, "sign_in": null, "sign_up": null,
        "last_active_session_id": sessions.first(), "updated_at": now})
}

pub(crate) fn errors(code: &str) -> Value {
    json!({"errors": [{"code": code, "message": "no", "long_message": "No, not so.", "meta": {"param_name": "password"}}], "clerk_trace_id": "t1"})
}
