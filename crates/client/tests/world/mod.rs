//! A server, a network and a clock of the tests' own making.

use base64ct::{Base64UrlUnpadded, Encoding as _};
use doorward_client::{Command, Config, Cookie, Core, Effect, Event, Outcome, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// When the stories begin (Unix milliseconds).
pub(crate) const START: i64 = 1_790_000_000_000;

/// One tab on one network, with the server that it talks to.
pub(crate) struct World {
    pub(crate) core: Core,
    pub(crate) now: i64,
    /// Requests on their way.
    pub(crate) sent: Vec<Request>,
    /// What became of each command.
    pub(crate) settled: Vec<(u64, Outcome)>,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) written: Vec<Cookie>,
    pub(crate) broadcasts: Vec<Value>,
    pub(crate) timer: Option<i64>,
    pub(crate) changes: usize,
    pub(crate) tokens_minted: usize,
    pub(crate) server: Server,
    calls: u64,
}

/// As much of a server as a client can see.
#[derive(Clone, Default)]
pub(crate) struct Server {
    pub(crate) sessions: Vec<String>,
    pub(crate) last_active: Option<String>,
    pub(crate) sign_in: Value,
    pub(crate) updated_at: i64,
    pub(crate) made: u64,
}

pub(crate) fn config() -> Config {
    Config {
        publishable_key: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k".to_owned(),
        origin: "https://app.example.com".to_owned(),
        href: "https://app.example.com/".to_owned(),
        seed: 7,
        ..Config::default()
    }
}

pub(crate) fn jwt(session: &str, now: i64, number: u64) -> String {
    let claims = json!({"sid": session, "sub": "user_1", "iat": now / 1000, "exp": now / 1000 + 60, "n": number});
    format!("h.{}.s", Base64UrlUnpadded::encode_string(claims.to_string().as_bytes()))
}

impl Server {
    pub(crate) fn client(&mut self, now: i64) -> Value {
        let sessions: Vec<Value> = self.sessions.clone().iter().map(|id| self.session(id, now)).collect();
        json!({"object": "client", "id": "client_1", "sessions": sessions, "sign_in": self.sign_in, "sign_up": null,
            "last_active_session_id": self.last_active, "updated_at": self.updated_at})
    }

    fn session(&mut self, id: &str, now: i64) -> Value {
        self.made += 1;
        json!({"object": "session", "id": id, "status": "active", "user": {"object": "user", "id": "user_1"},
            "last_active_token": {"object": "token", "jwt": jwt(id, now, self.made)}})
    }

    /// Answers a request as the real one would: status and body.
    pub(crate) fn answer(&mut self, request: &Request, now: i64) -> (u16, Value) {
        let (address, query) = request.url.split_once('?').unwrap();
        let path = address.strip_prefix("https://clerk.example.com/v1/").unwrap();
        let method = if query.contains("_method=DELETE") { "DELETE" } else { request.method };
        let parts: Vec<&str> = path.split('/').collect();
        match (method, parts.as_slice()) {
            ("GET", ["client"]) => (200, json!({"response": self.client(now), "client": null})),
            ("POST", ["dev_browser"]) => (200, json!({"object": "dev_browser", "id": "dvb_1", "token": "dvb_1"})),
            ("POST", ["client", "sign_ins"]) => self.sign_in(request.body.as_deref().unwrap_or_default(), now),
            ("DELETE", ["client", "sessions"]) => {
                self.sessions.clear();
                self.updated_at = now;
                let client = self.client(now);
                (200, json!({"response": client, "client": null}))
            }
            (_, ["client", "sessions", id, ..]) if !self.sessions.iter().any(|it| it == id) => {
                (404, json!({"errors": [{"code": "resource_not_found", "message": "not found"}]}))
            }
            ("POST", ["client", "sessions", id, "touch"]) => {
                self.last_active = Some((*id).to_owned());
                let response = self.session(id, now);
                (200, json!({"response": response, "client": self.client(now)}))
            }
            ("POST", ["client", "sessions", id, "tokens", ..]) => {
                self.made += 1;
                (200, json!({"object": "token", "jwt": jwt(id, now, self.made)}))
            }
            ("POST", ["client", "sessions", id, "remove"]) => {
                self.sessions.retain(|it| it != id);
                self.updated_at = now;
                (200, json!({"response": {"id": id, "status": "removed"}, "client": self.client(now)}))
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn sign_in(&mut self, form: &str, now: i64) -> (u16, Value) {
        self.updated_at = now;
        if !form.contains("password=right") {
            self.sign_in = json!({"object": "sign_in", "id": "sia_1", "status": "needs_first_factor"});
            let error =
                json!({"code": "form_password_incorrect", "message": "short", "long_message": "Long.", "meta": {"param_name": "password"}});
            return (422, json!({"errors": [error], "clerk_trace_id": "t", "meta": {"client": self.client(now)}}));
        }
        self.made += 1;
        let id = format!("sess_{}", self.made);
        self.sessions.push(id.clone());
        self.sign_in = Value::Null;
        (200, json!({"response": {"object": "sign_in", "status": "complete", "created_session_id": id}, "client": self.client(now)}))
    }
}

impl World {
    pub(crate) fn new(config: Config) -> Self {
        let (core, server) = (Core::new(config).unwrap(), Server { updated_at: START, ..Server::default() });
        Self {
            core,
            now: START,
            sent: Vec::new(),
            settled: Vec::new(),
            cookies: BTreeMap::new(),
            written: Vec::new(),
            broadcasts: Vec::new(),
            timer: None,
            changes: 0,
            tokens_minted: 0,
            server,
            calls: 0,
        }
    }

    /// One that has loaded, with so many sessions.
    pub(crate) fn loaded(sessions: &[&str]) -> Self {
        let mut world = Self::new(config());
        world.server.sessions = sessions.iter().map(|id| (*id).to_owned()).collect();
        let call = world.command(Command::Load);
        world.serve();
        assert_eq!(world.outcome(call), Ok(Value::Null));
        world
    }

    pub(crate) fn command(&mut self, command: Command) -> u64 {
        self.calls += 1;
        self.core.command(self.calls, command, self.now);
        self.drain();
        self.calls
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.core.event(event, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        for effect in self.core.effects() {
            match effect {
                Effect::Request(request) => self.sent.push(request),
                Effect::Cookie(cookie) => {
                    self.written.push(cookie.clone());
                    match cookie.value {
                        Some(value) => self.cookies.insert(cookie.name, value),
                        None => self.cookies.remove(&cookie.name),
                    };
                }
                Effect::ClientToken(_) => {}
                Effect::Changed => self.changes += 1,
                Effect::Settle { call, outcome } => self.settled.push((call, outcome)),
                Effect::Broadcast(message) => self.broadcasts.push(message),
                Effect::Timer(at) => self.timer = at,
            }
        }
    }

    /// Answers one request that is on its way.
    pub(crate) fn answer(&mut self, at: usize) {
        let request = self.sent.remove(at);
        self.tokens_minted += usize::from(request.url.contains("/tokens"));
        let (status, body) = self.server.answer(&request, self.now);
        self.reply(&request, status, &body.to_string());
    }

    pub(crate) fn reply(&mut self, request: &Request, status: u16, body: &str) {
        self.event(Event::Response { id: request.id, status, headers: Vec::new(), body: body.to_owned() });
    }

    /// Loses one.
    pub(crate) fn lose(&mut self, at: usize) {
        let request = self.sent.remove(at);
        self.event(Event::Failed { id: request.id });
    }

    /// Answers everything until nothing is on its way.
    pub(crate) fn serve(&mut self) {
        for _ in 0..100 {
            if self.sent.is_empty() {
                return;
            }
            self.answer(0);
        }
        panic!("it does not stop asking");
    }

    /// Lets time pass, with the timers that fall into it. Requests stay on their way.
    pub(crate) fn pass(&mut self, milliseconds: i64) {
        let end = self.now + milliseconds;
        for _ in 0..1000 {
            let Some(at) = self.timer.filter(|at| *at <= end) else {
                self.now = end;
                return;
            };
            self.now = self.now.max(at);
            self.timer = None;
            self.event(Event::Timer);
        }
        panic!("the timer does not rest");
    }

    pub(crate) fn outcome(&self, call: u64) -> Outcome {
        let all: Vec<&Outcome> = self.settled.iter().filter(|(it, _)| *it == call).map(|(_, outcome)| outcome).collect();
        assert_eq!(all.len(), 1, "call {call} is answered once");
        all[0].clone()
    }

    pub(crate) fn snapshot(&self) -> Value {
        serde_json::from_str(self.core.snapshot()).unwrap()
    }
}
