//! What of the core's state others see: the cookies that a page's server reads, and the snapshot.

use crate::effects::{Cookie, Effect};
use crate::machine::Core;
use crate::text::write;
use crate::tokens::Key;
use crate::value::Value;

impl Core {
    pub(crate) fn write_cookies(&mut self) {
        if self.config.native {
            return;
        }
        let mut wanted: Vec<(&str, Option<String>, &'static str)> = Vec::new();
        if self.place.development {
            wanted.extend(self.dev_browser.clone().map(|token| ("__clerk_db_jwt", Some(token), "Lax")));
        }
        if self.known.loaded {
            let held = self.known.active.as_deref().and_then(|id| self.tokens.held(&Key::plain(id)));
            match (&self.known.active, held) {
                (None, _) => wanted.push(("__session", None, "Lax")),
                (Some(_), Some(held)) => wanted.push(("__session", Some(held.jwt.clone()), "Lax")),
                (Some(_), None) => {}
            }
            if self.place.keeps_uat {
                wanted.push(("__client_uat", Some(self.known.uat().to_string()), "Strict"));
            }
        }
        for (name, value, same_site) in wanted {
            for name in [name.to_owned(), [name, "_", &self.place.suffix].concat()] {
                if self.cookies.get(&name) != Some(&value) {
                    self.cookies.insert(name.clone(), value.clone());
                    self.effects.push(Effect::Cookie(Cookie { name, value: value.clone(), same_site, secure: self.place.secure }));
                }
            }
        }
    }

    pub(crate) fn render(&mut self) {
        if !std::mem::take(&mut self.dirty) {
            return;
        }
        let known = &self.known;
        let session = known.session().unwrap_or(&Value::Null);
        let none = Value::Array(Vec::new());
        let sessions = known.client["sessions"].as_array().map_or(&none, |_| &known.client["sessions"]);
        let parts: [(&str, &Value); 6] = [
            ("client", &known.client),
            ("session", session),
            ("user", &session["user"]),
            ("signIn", &known.client["sign_in"]),
            ("signUp", &known.client["sign_up"]),
            ("sessions", sessions),
        ];
        let mut body = ["\"isLoaded\":", if known.loaded { "true" } else { "false" }].concat();
        for (name, value) in parts {
            body.extend([",\"", name, "\":"]);
            write(value, &mut body);
        }
        if body != self.body || self.version == 0 {
            self.version += 1;
            self.snapshot = ["{\"version\":", &self.version.to_string(), ",", &body, "}"].concat();
            self.body = body;
            self.effects.push(Effect::Changed);
        }
    }
}
