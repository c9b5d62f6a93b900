//! Everything that a test's server logs is kept, and searched when the server is dropped: for every secret that it was told or
//! handed out, and for whatever names a person. So every test is a test of that.

use crate::Answer;
use aho_corasick::AhoCorasick;
use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static HIDDEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Keep;

impl Write for Keep {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        held(&LINES).extend_from_slice(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // The noisiest level that an operator can set: what leaks at any level leaks here.
        let subscriber =
            tracing_subscriber::fmt().json().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE).with_writer(|| Keep);
        let _ = subscriber.try_init();
    });
}

/// What is nobody's business but the user's, by the names under which it travels: in queries, forms, JSON and cookies.
const NAMES: [&str; 37] = [
    "backup_codes",
    "client_secret",
    "code",
    "codes",
    "current_password",
    "email_address",
    "email_addresses",
    "expired_token",
    "first_name",
    "identifier",
    "jwt",
    "last_name",
    "new_password",
    "nonce",
    "password",
    "password_digest",
    "phone_number",
    "phone_numbers",
    "private_metadata",
    "provider_user_id",
    "refresh_token",
    "secret",
    "secret_key",
    "signing_key",
    "state",
    "ticket",
    "token",
    "totp_secret",
    "uri",
    "username",
    "web3_wallet",
    "__clerk_db_jwt",
    "__clerk_handshake",
    "__clerk_handshake_nonce",
    "__clerk_ticket",
    "__client",
    "__session",
];

fn is_one(name: &str) -> bool {
    NAMES.contains(&name) || name.starts_with("__session_") || name.starts_with("__refresh_") || name.starts_with("__clerk_db_jwt_")
}

/// Takes note of a value that must not be logged, where it is long enough and unlike enough to words of ours to be told from them.
fn hide(value: &str) {
    // Of a signed token the signature is what opens; what stands before it may be in tokens of no worth.
    let value = if value.starts_with("ey") { value.rsplit('.').next().unwrap_or(value) } else { value };
    let digits = value.bytes().all(|b| b.is_ascii_digit());
    let word = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if value.len() == 6 && digits {
        // Six digits may be part of any time or number: codes are looked for as they would be written.
        held(&HIDDEN).extend([format!("\"{value}\""), format!("={value}"), format!(" {value} ")]);
    } else if (8..=4096).contains(&value.len()) && !digits && !word {
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        held(&HIDDEN).extend([encoded, value.to_owned()]);
    }
}

fn hide_pairs(text: &str) {
    let pairs = url::form_urlencoded::parse(text.as_bytes());
    pairs.filter(|(name, _)| is_one(name)).for_each(|(_, value)| hide(&value));
}

/// Takes note of what an address says.
pub(crate) fn hide_in_address(address: &str) {
    if let Some((_, query)) = address.split_once('?') {
        hide_pairs(query);
    }
}

fn hide_in_json(value: &Value, named: bool) {
    match value {
        Value::String(text) if named => hide(text),
        Value::String(text) => hide_in_address(text),
        Value::Array(all) => all.iter().for_each(|it| hide_in_json(it, named)),
        Value::Object(all) => {
            all.iter().filter(|(name, _)| *name != "errors").for_each(|(name, it)| hide_in_json(it, named || is_one(name)));
        }
        _ => {}
    }
}

/// Takes note of what a body says.
pub(crate) fn hide_in_body(text: &str) {
    match serde_json::from_str(text) {
        Ok(value) => hide_in_json(&value, false),
        Err(_) => hide_pairs(text),
    }
}

fn hide_in_cookie(set_cookie: &str) {
    let pair = set_cookie.split_once(';').map_or(set_cookie, |(pair, _)| pair);
    pair.split_once('=').filter(|(name, _)| is_one(name)).into_iter().for_each(|(_, value)| hide(value));
}

/// Takes note of what an answer says.
pub(crate) fn hide_in_answer(answer: &Answer) {
    hide_in_json(&answer.json, false);
    let all = |headers: &HeaderMap, name| -> Vec<String> {
        headers.get_all(name).iter().filter_map(|it| it.to_str().ok().map(str::to_owned)).collect()
    };
    all(&answer.headers, SET_COOKIE).iter().for_each(|it| hide_in_cookie(it));
    all(&answer.headers, LOCATION).iter().for_each(|it| hide_in_address(it));
}

/// Searches all that was logged, when it is dropped.
pub(crate) struct Canary;

impl Drop for Canary {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            search();
        }
    }
}

fn search() {
    let hidden: Vec<String> = held(&HIDDEN).iter().cloned().collect();
    let lines = held(&LINES);
    if let Some(found) = AhoCorasick::new(&hidden).unwrap().find(lines.as_slice()) {
        let from = lines[..found.start()].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let to = lines[from..].iter().position(|b| *b == b'\n').map_or(lines.len(), |at| from + at);
        let line = String::from_utf8_lossy(&lines[from..to]).into_owned();
        drop(lines);
        panic!("{:?} was logged: {line}", hidden[found.pattern().as_usize()]);
    }
}

/// Fails when any of the secrets was logged, at any level; and when nothing was logged at all.
#[track_caller]
pub fn canary(secrets: &[&str]) {
    let lines = held(&LINES);
    let text = String::from_utf8_lossy(&lines);
    assert!(text.contains("doorward::request"), "requests are logged");
    for secret in secrets {
        assert!(secret.len() >= 6, "{secret:?} is too short to look for");
        assert!(!text.contains(secret), "{secret:?} was logged");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_logged_and_must_not_be_is_found() {
        hide_in_body(
            r#"{"password": "the canary sings", "note": "/x?token=dwt_Abcd1234", "email_addresses": [{"email_address": "ada@example.com"}]}"#,
        );
        hide_in_body("identifier=bob%40example.com&code=123456&strategy=email_code");
        hide_in_cookie("__client=dwc_Abcd1234; Path=/");
        search();
        for line in
            ["the canary sings", "the+canary+sings", "dwt_Abcd1234", "ada@example.com", "bob%40example.com", "code=123456", "dwc_Abcd1234"]
        {
            *held(&LINES) = format!("a line\n{line}\nand one more\n").into_bytes();
            assert!(std::panic::catch_unwind(search).is_err(), "{line}");
        }
        *held(&LINES) = b"{\"duration_us\":123456,\"strategy\":\"email_code\"}".to_vec();
        search();
    }
}
