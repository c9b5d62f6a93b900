//! The client as the server told it, and which of its sessions this tab uses.

use crate::tokens::{Key, Tokens};
use crate::value::Value;

#[derive(Debug, Default)]
pub(crate) struct Known {
    /// The client without its tokens; null when there is none.
    pub(crate) client: Value,
    pub(crate) loaded: bool,
    pub(crate) active: Option<String>,
    /// Answers to requests with a smaller number say nothing about the client any more: since then it was signed out.
    pub(crate) floor: u64,
    /// The request with whose answer the client came.
    number: u64,
}

fn is_signed_in(session: &Value) -> bool {
    matches!(session["status"].as_str(), Some("active" | "pending"))
}

impl Known {
    fn sessions(&self) -> &[Value] {
        self.client["sessions"].as_array().unwrap_or_default()
    }

    pub(crate) fn lives(&self, id: &str) -> bool {
        self.sessions().iter().any(|it| it["id"] == id && is_signed_in(it))
    }

    pub(crate) fn session(&self) -> Option<&Value> {
        let id = self.active.as_deref()?;
        self.sessions().iter().find(|it| it["id"] == id)
    }

    pub(crate) fn signed_in(&self) -> usize {
        self.sessions().iter().filter(|it| is_signed_in(it)).count()
    }

    /// The session that was used last, or else the first one that can be.
    pub(crate) fn default_session(&self) -> Option<String> {
        let usable = || self.sessions().iter().filter(|it| is_signed_in(it)).filter_map(|it| it["id"].as_str());
        let last = self.client["last_active_session_id"].as_str();
        usable().find(|id| Some(*id) == last).or_else(|| usable().next()).map(str::to_owned)
    }

    /// Seconds of the last change of who is signed in, as the server's cookie says it; 0 for nobody.
    pub(crate) fn uat(&self) -> i64 {
        if self.signed_in() == 0 { 0 } else { self.client["updated_at"].as_i64().unwrap_or(0) / 1000 }
    }

    /// Takes a client in that came with the answer to request `number`, unless a newer one is there. Its tokens go to
    /// where they are kept: they change each minute, and nobody should see the client change with them.
    pub(crate) fn take(&mut self, number: u64, mut client: Value, tokens: &mut Tokens, now: i64) {
        if number < self.floor || !matches!(client, Value::Object(_) | Value::Null) {
            return;
        }
        let (old, new) = (&self.client["updated_at"], &client["updated_at"]);
        // What was asked for earlier may be answered later; the server's time says more, where it differs.
        let older = new.as_i64() < old.as_i64() || (number < self.number && new.as_i64() == old.as_i64());
        if self.client["id"] == client["id"] && older {
            return;
        }
        self.number = number;
        let sessions = if let Some(Value::Array(all)) = client.get_mut("sessions") { all.as_mut_slice() } else { &mut [] };
        for session in sessions {
            let token = session.take("last_active_token");
            if let (Some(jwt), Some(id)) = (token["jwt"].as_str(), session["id"].as_str()) {
                tokens.keep(Key::plain(id), jwt, now);
            }
        }
        self.client = client;
        tokens.retain(|id| self.lives(id));
        if self.active.as_deref().is_some_and(|id| !self.lives(id)) {
            self.active = None;
        }
    }
}
