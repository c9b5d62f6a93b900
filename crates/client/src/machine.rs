//! The core itself: commands and events in, effects out.

use crate::calls::{Command, Owner, Step, TokenQuery};
use crate::config::{Config, Place, cookie, query};
use crate::effects::{Effect, Event, Failure, Outcome};
use crate::few::Few;
use crate::requests::{Ask, Kind, form, pairs, route};
use crate::sessions::Known;
use crate::tokens::{Key, Tokens};
use crate::value::{Map, Value};
use doorward_wire::Endpoint as _;
use doorward_wire::fapi::*;

/// A token that nobody could make is not asked for again by itself for so long (ms).
const PAUSE: i64 = 10_000;
/// A page that comes into view tells so at most this often (ms).
const TOUCH_EVERY: i64 = 60_000;

/// One tab's, or one program's, client.
#[derive(Debug)]
pub struct Core {
    pub(crate) config: Config,
    pub(crate) place: Place,
    pub(crate) known: Known,
    pub(crate) tokens: Tokens,
    pub(crate) dev_browser: Option<String>,
    pub(crate) client_token: Option<String>,
    pub(crate) pending: Few<u64, Ask>,
    /// What waits for a development browser.
    pub(crate) held_back: Vec<Ask>,
    /// What is sent again, and when.
    pub(crate) later: Vec<(i64, Ask)>,
    pub(crate) loading: Vec<u64>,
    pub(crate) mint_after: i64,
    pub(crate) touched_at: i64,
    pub(crate) dirty: bool,
    random: u64,
    next: u64,
    pub(crate) effects: Vec<Effect>,
    settled: Vec<(u64, Outcome)>,
    told: bool,
    pub(crate) body: String,
    pub(crate) snapshot: String,
    pub(crate) version: u64,
    timer: Option<i64>,
    pub(crate) cookies: Few<String, Option<String>>,
}

impl Core {
    /// A client that knows nothing yet.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn new(config: Config) -> Result<Self, String> {
        let place = Place::of(&config)?;
        let found = [["__clerk_db_jwt_", &place.suffix].concat(), "__clerk_db_jwt".to_owned()];
        let from_cookie = || found.iter().find_map(|name| cookie(&config.cookies, name));
        let dev_browser = query(&config.href, "__clerk_db_jwt").or_else(from_cookie).filter(|_| place.development && !config.native);
        let mut core = Self {
            dev_browser: dev_browser.map(str::to_owned),
            client_token: config.client_token.clone(),
            random: config.seed ^ 0x9e37_79b9_7f4a_7c15,
            config,
            place,
            known: Known::default(),
            tokens: Tokens::default(),
            pending: Few::default(),
            held_back: Vec::new(),
            later: Vec::new(),
            loading: Vec::new(),
            mint_after: i64::MIN,
            touched_at: i64::MIN,
            dirty: true,
            next: 0,
            effects: Vec::new(),
            settled: Vec::new(),
            told: false,
            body: String::new(),
            snapshot: String::new(),
            version: 0,
            timer: None,
            cookies: Few::default(),
        };
        core.render();
        core.effects.clear();
        Ok(core)
    }

    /// Takes what is to be done now, in the order in which it is to be done.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// What is known, as JSON: `version`, `isLoaded`, and in the wire's shapes `client`, `session`, `user`, `signIn`, `signUp`,
    /// `sessions`.
    pub fn snapshot(&self) -> &str {
        &self.snapshot
    }

    /// Grows whenever the snapshot changes, and only then.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// A session token that is good for a while yet.
    pub fn token(&self, session: Option<&str>, template: Option<&str>, now: i64) -> Option<String> {
        let session = session.or(self.known.active.as_deref())?;
        let key = Key { session: session.to_owned(), template: template.map(str::to_owned), organization: None };
        self.tokens.good(&key, now).map(str::to_owned)
    }

    /// The active session's id.
    pub fn session(&self) -> Option<&str> {
        self.known.active.as_deref()
    }

    /// Gives a command. `call` is a number of the caller's choice, with which [`Effect::Settle`] comes back.
    pub fn command(&mut self, call: u64, command: Command, now: i64) {
        match command {
            Command::Load if self.known.loaded => self.settle(call, Ok(Value::Null)),
            Command::Load => {
                self.loading.push(call);
                if self.loading.len() == 1 {
                    self.ask(Ask::new(Kind::Load, route!(GetClient), &[], String::new()));
                }
            }
            Command::Reload => self.reload(Some(call)),
            Command::Step(step, params) => self.step(call, step, &params),
            Command::Captcha(params) => self.ask(Ask::new(Kind::Captcha { call }, route!(VerifyClient), &[], form(&params))),
            Command::Account(it) => self.of_account(call, it),
            Command::SetActive { session, organization } => self.set_active(call, session, organization),
            Command::SignOut { session } => self.sign_out(call, session),
            Command::GetToken(query) => self.get_token(call, query, now),
            Command::Touch { session } => match session.or_else(|| self.known.active.clone()) {
                Some(id) => self.touch(Kind::Touch { call: Some(call) }, &id, None, "focus"),
                None => self.settle(call, Err(Failure::signed_out())),
            },
            Command::Unknown(name) => {
                self.settle(call, Err(Failure::new("unknown_command", &["There is no command ", &name, "."].concat())));
            }
        }
        self.finish(now);
    }

    /// Tells what happened.
    pub fn event(&mut self, event: Event, now: i64) {
        match event {
            Event::Response { id, status, headers, body } => self.answered(id, status, &headers, &body, now),
            Event::Failed { id } => {
                if let Some(ask) = self.pending.remove(&id) {
                    self.again(ask, None, Failure::new("network_error", "The server could not be reached."), now);
                }
            }
            // It may have come early: then it has to be asked for once more.
            Event::Timer => self.timer = None,
            Event::Hidden => self.config.hidden = true,
            Event::Visible => {
                self.config.hidden = false;
                if let Some(id) = self.known.active.clone().filter(|_| now.saturating_sub(self.touched_at) >= TOUCH_EVERY) {
                    self.touched_at = now;
                    self.touch(Kind::Touch { call: None }, &id, None, "focus");
                }
            }
            // What the server itself put off stays put off.
            Event::Online => self.later.iter_mut().for_each(|(at, ask)| *at = now.max(ask.not_before)),
            Event::Offline => {}
            Event::Message(message) => self.message(message, now),
            Event::Cookies(cookies) => {
                let names = ["__client_uat_", &self.place.suffix].concat();
                if self.known.active.is_some() && cookie(&cookies, &names).or_else(|| cookie(&cookies, "__client_uat")) == Some("0") {
                    self.reload(None);
                }
            }
        }
        self.finish(now);
    }

    /// Another tab signed somebody in or out.
    fn message(&mut self, mut message: Value, now: i64) {
        let client = message.take("client");
        if !self.known.loaded || !matches!(client, Value::Object(_) | Value::Null) {
            return;
        }
        if message["signedOut"] == true {
            self.known.floor = self.next + 1;
        }
        self.take_client(self.next + 1, client, now);
        if self.known.active.is_none() {
            self.known.active = self.known.default_session();
        }
    }

    pub(crate) fn take_client(&mut self, number: u64, client: Value, now: i64) {
        self.known.take(number, client, &mut self.tokens, now);
        self.dirty = true;
    }

    fn step(&mut self, call: u64, step: Step, params: &Map) {
        let name = match step.owner() {
            Owner::SignIn => "sign_in",
            Owner::SignUp => "sign_up",
        };
        // Reading may name one: another tab may have finished it, and then it is nobody's current one.
        let named = params.get("id").and_then(Value::as_str).filter(|_| step.route().0 == "GET");
        let id = named.or(self.known.client[name]["id"].as_str()).unwrap_or_default().to_owned();
        if id.is_empty() && step.route().1.contains('{') {
            let message = ["There is no ", &name.replace('_', "-"), " to go on with: create one first."].concat();
            return self.settle(call, Err(Failure::new("attempt_missing", &message)));
        }
        self.ask(Ask::new(Kind::Step { call }, step.route(), &[&id], form(params)));
    }

    fn set_active(&mut self, call: u64, session: Option<Option<String>>, organization: Option<Option<String>>) {
        let id = match session {
            Some(None) => {
                self.known.active = None;
                self.dirty = true;
                return self.settle(call, Ok(Value::Null));
            }
            Some(id) => id,
            None => self.known.active.clone(),
        };
        let Some(id) = id else { return self.settle(call, Err(Failure::signed_out())) };
        self.touch(Kind::Activate { call, session: id.clone() }, &id, organization.flatten(), "select_session");
    }

    fn touch(&mut self, kind: Kind, session: &str, organization: Option<String>, intent: &str) {
        let form = pairs(&[("active_organization_id", organization.as_deref().unwrap_or_default()), ("intent", intent)]);
        self.ask(Ask::new(kind, route!(TouchSession), &[session], form));
    }

    fn sign_out(&mut self, call: u64, session: Option<String>) {
        let one = session.filter(|id| self.known.signed_in() > 1 || !self.known.lives(id));
        let ask = match &one {
            Some(id) => Ask::new(Kind::SignOut { call, session: one.clone() }, route!(RemoveSession), &[id], String::new()),
            None => Ask::new(Kind::SignOut { call, session: None }, route!(DeleteClientSessions), &[], String::new()),
        };
        self.ask(ask);
    }

    fn get_token(&mut self, call: u64, query: TokenQuery, now: i64) {
        let Some(session) = query.session.or_else(|| self.known.active.clone()) else {
            return self.settle(call, Ok(Value::Null));
        };
        let key = Key { session, template: query.template, organization: query.organization };
        match self.tokens.good(&key, now).filter(|_| !query.skip_cache) {
            Some(jwt) => {
                let jwt = Value::from(jwt);
                self.settle(call, Ok(jwt));
            }
            None => self.mint(&key, Some(call)),
        }
    }

    fn mint(&mut self, key: &Key, call: Option<u64>) {
        if !self.tokens.wait(key, call) {
            return;
        }
        let route = if key.template.is_some() { route!(CreateTemplateToken) } else { route!(CreateSessionToken) };
        let form = key.organization.as_ref().map(|id| pairs(&[("organization_id", id)]));
        let ids = [key.session.as_str(), key.template.as_deref().unwrap_or_default()];
        self.ask(Ask::new(Kind::Token(key.clone()), route, &ids, form.unwrap_or_default()));
    }

    pub(crate) fn reload(&mut self, call: Option<u64>) {
        let asked = call.is_none() && self.pending.values().any(|ask| matches!(ask.kind, Kind::Reload { .. }));
        if !asked {
            self.ask(Ask::new(Kind::Reload { call }, route!(GetClient), &[], String::new()));
        }
    }

    /// Sends a request, or has it wait until the development browser is known.
    pub(crate) fn ask(&mut self, mut ask: Ask) {
        let browser = ask.kind == Kind::DevBrowser;
        if self.place.development && !self.config.native && self.dev_browser.is_none() && !browser {
            self.held_back.push(ask);
            let on_its_way = |ask: &Ask| ask.kind == Kind::DevBrowser;
            if !self.pending.values().any(on_its_way) && !self.later.iter().any(|(_, ask)| on_its_way(ask)) {
                self.ask(Ask::new(Kind::DevBrowser, route!(CreateDevBrowser), &[], String::new()));
            }
            return;
        }
        ask.tries = ask.tries.saturating_add(1);
        self.next += 1;
        let request = ask.request(self.next, &self.config, &self.place, self.dev_browser.as_deref(), self.client_token.as_deref());
        self.effects.push(Effect::Request(request));
        self.pending.insert(self.next, ask);
    }

    pub(crate) fn settle(&mut self, call: u64, outcome: Outcome) {
        self.settled.push((call, outcome));
    }

    pub(crate) fn keep_client_token(&mut self, token: &str) {
        let token = Some(token.to_owned()).filter(|token| !token.is_empty());
        if self.client_token != token {
            self.client_token.clone_from(&token);
            self.effects.push(Effect::ClientToken(token));
        }
    }

    /// The other tabs learn it once this one shows it. What was asked before says nothing about who is signed in any more.
    pub(crate) fn signed_out(&mut self) {
        self.known.floor = self.next + 1;
        self.told = true;
    }

    pub(crate) fn tell_others(&mut self) {
        self.told = true;
    }

    /// Between a half and one and a half of `around`, so that clients that lost the server at once do not come back at once.
    pub(crate) fn spread(&mut self, around: i64) -> i64 {
        // SplitMix64.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let part = ((z ^ (z >> 31)) % 1024).cast_signed();
        around / 2 + around.saturating_mul(part) / 1024
    }

    /// Brings everything that follows from the state into line with it: what is due, cookies, snapshot, timer; and then
    /// answers, so that whoever hears one finds the new state.
    fn finish(&mut self, now: i64) {
        self.due(now);
        self.write_cookies();
        self.render();
        for (call, outcome) in std::mem::take(&mut self.settled) {
            self.effects.push(Effect::Settle { call, outcome });
        }
        if std::mem::take(&mut self.told) {
            let signed_out = self.known.signed_in() == 0;
            let mut message = Map::new();
            message.push("client", self.known.client.clone());
            message.push("signedOut", signed_out);
            self.effects.push(Effect::Broadcast(Value::Object(message)));
        }
        let timer = self.later.iter().map(|(at, _)| *at).chain(self.refresh_at()).min();
        if self.timer != timer {
            self.timer = timer;
            self.effects.push(Effect::Timer(timer));
        }
    }

    /// When the active session's token is to be replaced. Nobody needs that of a page that nobody sees.
    fn refresh_at(&self) -> Option<i64> {
        let key = Key::plain(self.known.active.as_deref()?);
        if self.config.hidden || self.tokens.is_awaited(&key) {
            return None;
        }
        let at = self.tokens.held(&key).map_or(i64::MIN, |held| held.refresh_at());
        Some(at.max(self.mint_after))
    }

    fn due(&mut self, now: i64) {
        if self.timer.is_some_and(|at| at <= now) {
            self.timer = None;
        }
        let mut waiting = Vec::new();
        for (at, ask) in std::mem::take(&mut self.later) {
            if at <= now { self.ask(ask) } else { waiting.push((at, ask)) }
        }
        self.later.append(&mut waiting);
        if self.refresh_at().is_some_and(|at| at <= now)
            && let Some(id) = &self.known.active
        {
            let key = Key::plain(&id.clone());
            self.mint_after = now.saturating_add(PAUSE);
            self.mint(&key, None);
        }
    }
}
