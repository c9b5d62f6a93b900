//! Any bytes, read as what happens to a client: commands, answers in any order and of any content, losses, repeats, time.

use doorward_client::*;
use serde_json::{Value, json};
use std::collections::HashSet;

/// What the bytes say, one after another; zeros when they are used up.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[usize::from(self.byte()) % from.len()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.byte() % 2 == 1).then(|| make(self))
    }

    fn session(&mut self) -> String {
        match self.byte() % 4 {
            0 => self.text(),
            n => format!("s{n}"),
        }
    }
}

fn config(script: &mut Script<'_>) -> Config {
    let key = script.pick(&["pk_live_Y2xlcmsuZXhhbXBsZS5jb20k", "pk_test_MTI3LjAuMC4xOjQxMDAk"]);
    let flags = script.byte();
    let odd = flags & 4 != 0;
    Config {
        publishable_key: key.to_owned(),
        proxy_url: odd.then(|| script.text()),
        domain: odd.then(|| script.text()),
        origin: "http://localhost:3000".to_owned(),
        href: if odd { script.text() } else { "http://localhost:3000/?__clerk_db_jwt=dvb".to_owned() },
        cookies: if odd { script.text() } else { String::new() },
        hidden: flags & 1 != 0,
        native: flags & 2 != 0,
        client_token: None,
        seed: 7,
    }
}

fn command(script: &mut Script<'_>) -> Command {
    match script.byte() % 10 {
        0 => Command::Load,
        1 => Command::Reload,
        2 => {
            let step = script.pick(Step::ALL);
            let params = serde_json::from_slice::<Value>(script.bytes()).ok().and_then(|it| it.as_object().cloned());
            Command::Step(step, params.unwrap_or_default().into())
        }
        3 => Command::SetActive {
            session: script.maybe(|it| it.maybe(Script::session)),
            organization: script.maybe(|it| it.maybe(Script::text)),
        },
        4 => Command::SignOut { session: script.maybe(Script::session) },
        5 => Command::GetToken(TokenQuery {
            session: script.maybe(Script::session),
            template: script.maybe(Script::text),
            organization: script.maybe(Script::text),
            skip_cache: script.byte() % 2 == 1,
        }),
        6 => Command::Touch { session: script.maybe(Script::session) },
        7 => account(script).map_or(Command::Reload, Command::Account),
        8 => Command::Captcha(json!({"captchaToken": script.text()}).as_object().cloned().unwrap_or_default().into()),
        _ => Command::Unknown(script.text()),
    }
}

fn account(script: &mut Script<'_>) -> Option<Account> {
    let area = script.pick(&[Area::Me, Area::Verification]);
    let method = script.pick(&["GET", "POST", "PATCH", "DELETE"]);
    let path = (0..script.byte() % 3).map(|_| script.text()).collect();
    Some(Account::new(area, method, path)?.with_file(script.maybe(Script::text)))
}

/// A token of 60 seconds, made at the beginning or later.
const TOKENS: [&str; 3] = ["e30.eyJpYXQiOjAsImV4cCI6NjB9.c2ln", "e30.eyJpYXQiOjYwLCJleHAiOjEyMH0.c2ln", "e30.e30.c2ln"];

fn client(script: &mut Script<'_>) -> Value {
    let mut sessions = Vec::new();
    for _ in 0..script.byte() % 4 {
        let status = script.pick(&["active", "pending", "ended", ""]);
        let token = json!({"jwt": script.pick(&TOKENS)});
        sessions.push(json!({"id": script.session(), "status": status, "user": {"id": "user_1"}, "last_active_token": token}));
    }
    json!({"id": "client_1", "sessions": sessions, "sign_in": script.maybe(|it| json!({"id": it.text()})),
        "last_active_session_id": script.session(), "updated_at": script.byte()})
}

/// A body that the server might send, one that it would not, or no JSON at all.
fn body(script: &mut Script<'_>) -> String {
    match script.byte() % 8 {
        0 => json!({"response": client(script), "client": null}).to_string(),
        1 => json!({"response": {"id": "sia_1", "status": "complete", "created_session_id": "s1"}, "client": client(script)}).to_string(),
        2 => json!({"jwt": script.pick(&TOKENS)}).to_string(),
        3 => json!({"token": script.text()}).to_string(),
        4 => json!({"errors": [{"code": script.text()}], "meta": {"client": client(script)}}).to_string(),
        5 => {
            // Nearly right: one byte of it is another.
            let mut bytes = json!({"response": client(script), "client": client(script)}).to_string().into_bytes();
            let at = (usize::from(script.byte()) << 4) % bytes.len();
            bytes[at] = script.byte();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => script.text(),
    }
}

fn event(script: &mut Script<'_>, asked: u64) -> Event {
    match script.byte() % 12 {
        0..=3 => Event::Response {
            id: asked.saturating_sub(u64::from(script.byte() % 8)),
            status: script.pick(&[200, 200, 200, 204, 301, 401, 404, 422, 429, 500, 503, 0]),
            headers: script.maybe(|it| (it.pick(&["retry-after", "authorization"]).to_owned(), it.text())).into_iter().collect(),
            body: body(script),
        },
        4 => Event::Failed { id: asked.saturating_sub(u64::from(script.byte() % 8)) },
        5 => Event::Timer,
        6 => Event::Visible,
        7 => Event::Hidden,
        8 => Event::Online,
        9 => Event::Offline,
        10 => Event::Message(doorward_client::Value::read(&body(script)).unwrap_or_default()),
        _ => Event::Cookies(script.text()),
    }
}

/// A number that no fraction can hold is JSON all the same.
fn assert_json(what: &str, text: &str) {
    if let Err(error) = serde_json::from_str::<Value>(text) {
        assert!(error.to_string().contains("out of range"), "{what}: {error}");
    }
}

/// Plays it, and sees to it that no call is answered twice, that version and snapshot change together, and that what leaves
/// the core is JSON.
pub(crate) fn play(bytes: &[u8]) {
    let mut script = Script(bytes);
    // The border that takes text: whatever comes, it answers.
    let text = script.text();
    drop((json::config(&text), json::command(&text), json::event(&text)));
    let Ok(mut core) = Core::new(config(&mut script)) else { return };
    let (mut now, mut asked, mut calls) = (0_i64, 0, 0_u64);
    let mut answered = HashSet::new();
    while !script.0.is_empty() {
        let before = (core.version(), core.snapshot().to_owned());
        match script.byte() % 4 {
            0 => {
                calls += 1;
                core.command(calls, command(&mut script), now);
            }
            1 | 2 => core.event(event(&mut script, asked), now),
            _ => now = now.saturating_add(script.pick(&[1, 500, 1_000, 17_000, 60_000, i64::MAX, -60_000])),
        }
        let effects = core.effects();
        for effect in &effects {
            match effect {
                Effect::Request(request) => asked = request.id,
                Effect::Settle { call, .. } => assert!((1..=calls).contains(call) && answered.insert(*call), "call {call}"),
                _ => {}
            }
        }
        if let Some(text) = json::effects(effects) {
            assert_json("effects", &text);
        }
        assert_json("a snapshot", core.snapshot());
        assert!(core.version() >= before.0, "the version went back");
        assert_eq!(core.version() == before.0, core.snapshot() == before.1, "version and snapshot change together");
    }
}
