//! Session tokens: which are good, which are on their way, who waits for them.

use crate::few::Few;
use crate::value::Value;
use base64ct::{Base64UrlUnpadded, Encoding as _};

/// Less than this before its end a token is not given out any more (ms): it has to reach a server and be checked there.
const LEEWAY: i64 = 15_000;
/// So long before its end the active session's token is replaced (ms).
const AHEAD: i64 = 17_000;

/// What a token is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) session: String,
    pub(crate) template: Option<String>,
    pub(crate) organization: Option<String>,
}

impl Key {
    /// A session's plain token.
    pub(crate) fn plain(session: &str) -> Self {
        Self { session: session.to_owned(), template: None, organization: None }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) jwt: String,
    /// By this machine's clock, which may be another than the server's: when it came plus how long it lasts.
    pub(crate) until: i64,
    lasts: i64,
    issued: i64,
}

impl Held {
    /// A token that has just come. None when it is not one.
    fn new(jwt: &str, now: i64) -> Option<Self> {
        let payload = Base64UrlUnpadded::decode_vec(jwt.split('.').nth(1)?).ok()?;
        let claims = Value::read(std::str::from_utf8(&payload).ok()?)?;
        let (issued, exp) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
        let lasts = exp.checked_sub(issued)?.checked_mul(1000)?.clamp(0, 86_400_000);
        Some(Self { jwt: jwt.to_owned(), until: now.saturating_add(lasts), lasts, issued })
    }

    /// Whether it may be given out. One that lasts for a short time only is given out for most of it.
    fn is_good(&self, now: i64) -> bool {
        self.until.saturating_sub(now) > LEEWAY.min(self.lasts / 4)
    }

    /// When it is time for the next one.
    pub(crate) fn refresh_at(&self) -> i64 {
        self.until.saturating_sub(AHEAD.min(self.lasts / 3))
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    held: Few<Key, Held>,
    waiting: Few<Key, Vec<u64>>,
}

impl Tokens {
    pub(crate) fn good(&self, key: &Key, now: i64) -> Option<&str> {
        self.held.get(key).filter(|held| held.is_good(now)).map(|held| held.jwt.as_str())
    }

    pub(crate) fn held(&self, key: &Key) -> Option<&Held> {
        self.held.get(key)
    }

    /// Takes a token in, unless the one that is there was made later.
    pub(crate) fn keep(&mut self, key: Key, jwt: &str, now: i64) -> bool {
        let Some(new) = Held::new(jwt, now) else { return false };
        if self.held.get(&key).is_none_or(|old| old.issued <= new.issued) {
            self.held.insert(key, new);
        }
        true
    }

    /// Whether one is on its way.
    pub(crate) fn is_awaited(&self, key: &Key) -> bool {
        self.waiting.get(key).is_some()
    }

    /// Lets a caller wait, or nobody. True when it has to be asked for.
    pub(crate) fn wait(&mut self, key: &Key, call: Option<u64>) -> bool {
        match self.waiting.get_mut(key) {
            Some(waiting) => {
                waiting.extend(call);
                false
            }
            None => {
                self.waiting.insert(key.clone(), call.into_iter().collect());
                true
            }
        }
    }

    /// Those who waited.
    pub(crate) fn arrived(&mut self, key: &Key) -> Vec<u64> {
        self.waiting.remove(key).unwrap_or_default()
    }

    pub(crate) fn drop_one(&mut self, key: &Key) {
        self.held.remove(key);
    }

    /// Forgets the tokens of other sessions than these.
    pub(crate) fn retain(&mut self, lives: impl Fn(&str) -> bool) {
        self.held.retain(|key| lives(&key.session));
    }
}
