//! What an answer changes.

use crate::effects::Failure;
use crate::machine::Core;
use crate::requests::{Ask, Kind};
use crate::tokens::Key;
use crate::value::Value;

/// The first pause before a request is sent again (ms); each further one is twice as long.
const PAUSE: i64 = 500;
const LONGEST_PAUSE: i64 = 30_000;

impl Core {
    pub(crate) fn answered(&mut self, id: u64, status: u16, headers: &[(String, String)], body: &str, now: i64) {
        let Some(ask) = self.pending.remove(&id) else { return };
        let header = |name: &str| headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        if let Some(token) = header("authorization").filter(|_| self.config.native) {
            self.keep_client_token(token);
        }
        let retry_after = header("retry-after").and_then(|text| text.trim().parse::<i64>().ok()).filter(|n| *n >= 0);
        let body = Value::read(body).unwrap_or_default();
        let good = (200..300).contains(&status);
        let whole = matches!(body, Value::Array(_)) && matches!(ask.kind, Kind::Account { .. });
        if good && (matches!(body, Value::Object(_) | Value::Null) || whole) {
            return self.succeeded(id, ask, body, now);
        }
        let mut failure = Failure::answered(status, &body, retry_after);
        if good || status >= 500 {
            if failure.errors.is_empty() {
                failure.code = "network_error".to_owned();
                failure.message = "The server did not answer as it should.".to_owned();
            }
            return self.again(ask, retry_after, failure, now);
        }
        if status == 429 {
            return self.again(ask, retry_after, failure, now);
        }
        self.refused(id, ask, body, failure, now);
    }

    fn succeeded(&mut self, id: u64, ask: Ask, mut body: Value, now: i64) {
        let reads_client =
            matches!(ask.kind, Kind::Load | Kind::Reload { .. } | Kind::Captcha { .. } | Kind::SignOut { session: None, .. });
        let client = if reads_client { body["response"].clone() } else { body.take("client") };
        if let Kind::SignOut { session, .. } = &ask.kind {
            self.end(session.as_deref());
        }
        // What is not said is not taken for "no client": only reading it says that.
        if client.as_object().is_some() || reads_client {
            // A sign-out's own answer is the newest there is.
            let number = if matches!(ask.kind, Kind::SignOut { .. }) { self.known.floor } else { id };
            self.take_client(number, client, now);
        }
        match ask.kind {
            Kind::DevBrowser => {
                self.dev_browser = body["token"].as_str().filter(|token| !token.is_empty()).map(str::to_owned);
                if self.dev_browser.is_some() {
                    for ask in std::mem::take(&mut self.held_back) {
                        self.ask(ask);
                    }
                } else {
                    self.give_up_held_back(&Failure::new("dev_browser_missing", "The server gave no development browser."));
                }
            }
            Kind::Load => self.loaded(now),
            Kind::Reload { call } => {
                let user = self.known.session().map_or(Value::Null, |session| session["user"].clone());
                if let Some(call) = call {
                    self.settle(call, Ok(user));
                }
            }
            Kind::Captcha { call } => self.settle(call, Ok(Value::Null)),
            Kind::Step { call } => self.settle(call, Ok(body.take("response"))),
            Kind::Account { call, session, deletes_user } => {
                if deletes_user {
                    self.end(Some(&session));
                }
                let value = if matches!(body, Value::Array(_)) { body } else { body.take("response") };
                self.settle(call, Ok(value));
            }
            Kind::Activate { call, session } => {
                if self.known.lives(&session) {
                    self.known.active = Some(session);
                    self.mint_after = now;
                    self.settle(call, Ok(Value::Null));
                } else {
                    self.settle(call, Err(Failure::new("session_missing", "There is no such session in this client.")));
                }
                self.dirty = true;
                self.tell_others();
            }
            Kind::SignOut { call, .. } => self.settle(call, Ok(Value::Null)),
            Kind::Touch { call } => drop(call.map(|call| self.settle(call, Ok(body.take("response"))))),
            Kind::Token(key) => self.minted(&key, &body, now),
        }
    }

    fn loaded(&mut self, now: i64) {
        self.known.loaded = true;
        self.known.active = self.known.default_session();
        self.mint_after = now;
        self.touched_at = now;
        self.dirty = true;
        for call in std::mem::take(&mut self.loading) {
            self.settle(call, Ok(Value::Null));
        }
    }

    fn minted(&mut self, key: &Key, body: &Value, now: i64) {
        let token = body["jwt"].as_str().or_else(|| body["response"]["jwt"].as_str());
        let lives = self.known.lives(&key.session);
        // Signed out while the token was on its way: nobody may have it.
        let outcome = match token.filter(|_| lives) {
            Some(jwt) => {
                if self.tokens.keep(key.clone(), jwt, now) {
                    self.mint_after = now;
                }
                Ok(Value::from(jwt))
            }
            None if lives => Err(Failure::new("unexpected_error", "The server gave no token.")),
            None => Ok(Value::Null),
        };
        for call in self.tokens.arrived(key) {
            self.settle(call, outcome.clone());
        }
    }

    /// Ends a session, or all, as far as this tab is concerned.
    fn end(&mut self, session: Option<&str>) {
        self.signed_out();
        let ended = |id: &str| session.is_none_or(|it| it == id);
        if self.known.active.as_deref().is_some_and(ended) {
            self.known.active = None;
        }
        if let Some(Value::Array(sessions)) = self.known.client.get_mut("sessions") {
            sessions.retain(|it| !it["id"].as_str().is_some_and(ended));
        }
        self.tokens.retain(|id| !ended(id));
        self.dirty = true;
    }

    fn refused(&mut self, id: u64, ask: Ask, mut body: Value, failure: Failure, now: i64) {
        let client = body.get_mut("meta").map(|meta| meta.take("client")).unwrap_or_default();
        if client.as_object().is_some() {
            self.take_client(id, client, now);
        }
        if failure.code == "dev_browser_unauthenticated" && ask.tries < 2 {
            self.dev_browser = None;
            return self.ask(ask);
        }
        let reads = matches!(ask.kind, Kind::Load | Kind::Reload { .. } | Kind::DevBrowser);
        if !reads && (failure.status == 401 || (failure.status == 404 && matches!(ask.kind, Kind::Token(_) | Kind::Touch { .. }))) {
            // Somebody else ended it: see what is left.
            self.reload(None);
        }
        self.failed(ask, failure, now);
    }

    /// Sends a request once more, later; or gives up.
    pub(crate) fn again(&mut self, mut ask: Ask, retry_after: Option<i64>, failure: Failure, now: i64) {
        if ask.tries >= ask.kind.most_tries() {
            return self.failed(ask, failure, now);
        }
        let around = PAUSE.checked_shl(ask.tries.min(10) - 1).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
        ask.not_before = retry_after.map_or(i64::MIN, |seconds| now.saturating_add(seconds.saturating_mul(1000)));
        let at = now.saturating_add(self.spread(around)).max(ask.not_before);
        self.later.push((at, ask));
    }

    fn failed(&mut self, ask: Ask, failure: Failure, now: i64) {
        match ask.kind {
            Kind::Load => {
                for call in std::mem::take(&mut self.loading) {
                    self.settle(call, Err(failure.clone()));
                }
            }
            Kind::DevBrowser => self.give_up_held_back(&failure),
            Kind::Reload { call } | Kind::Touch { call } => drop(call.map(|call| self.settle(call, Err(failure)))),
            Kind::Captcha { call } | Kind::Step { call } | Kind::Account { call, .. } | Kind::Activate { call, .. } => {
                self.settle(call, Err(failure));
            }
            Kind::SignOut { call, session } => {
                if failure.status == 401 || failure.status == 404 {
                    // There is nothing left to end.
                    self.end(session.as_deref());
                    self.settle(call, Ok(Value::Null));
                } else {
                    self.settle(call, Err(failure));
                }
            }
            Kind::Token(key) => self.not_minted(&key, &failure, now),
        }
    }

    fn not_minted(&mut self, key: &Key, failure: &Failure, now: i64) {
        let unreachable = failure.status == 0 || failure.status >= 500 || failure.status == 429;
        if !unreachable {
            self.tokens.drop_one(key);
        }
        // While the server is away, what is left of the last token serves.
        let rest = self.tokens.held(key).filter(|held| held.until > now).map(|held| Value::from(held.jwt.as_str()));
        let outcome = rest.ok_or_else(|| failure.clone());
        for call in self.tokens.arrived(key) {
            self.settle(call, outcome.clone());
        }
    }

    fn give_up_held_back(&mut self, failure: &Failure) {
        for ask in std::mem::take(&mut self.held_back) {
            self.failed(ask, failure.clone(), 0);
        }
    }
}
