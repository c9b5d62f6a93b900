//! What the claims of a token say: values with shortcodes in them, such as `{{user.public_metadata.plan || 'free'}}`.
//!
//! A text that is one shortcode becomes the value with its type; within a longer text values are written out, a missing one
//! as `null`. What is filled in is never looked at for further shortcodes, for users write some of it.

use crate::app::Scope;
use crate::users::{self, Audience};
use doorward_store::sessions::SessionRecord;
use doorward_store::users::UserWithEmails;
use doorward_wire::resource::Verification;
use serde_json::{Map, Value, json};
use std::cell::OnceCell;

/// Where values come from.
pub(crate) struct Source<'a> {
    scope: &'a Scope,
    user: &'a UserWithEmails,
    session: &'a SessionRecord,
    shown: OnceCell<Value>,
}

fn is_verified(verification: &Option<Verification>) -> bool {
    verification.as_ref().is_some_and(|it| it.status == "verified")
}

impl<'a> Source<'a> {
    pub(crate) fn new(scope: &'a Scope, user: &'a UserWithEmails, session: &'a SessionRecord) -> Self {
        Self { scope, user, session, shown: OnceCell::new() }
    }

    /// The claims with their shortcodes replaced.
    pub(crate) fn fill_all(&self, claims: &Map<String, Value>) -> Map<String, Value> {
        claims.iter().map(|(name, value)| (name.clone(), self.fill(value))).collect()
    }

    /// A value with its shortcodes replaced.
    pub(crate) fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => fill_text(text, &|code| self.lookup(code)),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => Value::Object(self.fill_all(fields)),
            other => other.clone(),
        }
    }

    /// The user as a browser sees them: what the backend keeps to itself is not in it.
    fn shown(&self) -> &Value {
        self.shown.get_or_init(|| {
            let view = users::view(self.scope, self.user, Audience::Frontend);
            let email = view.email_addresses.iter().find(|it| Some(&it.id) == view.primary_email_address_id.as_ref());
            let phone = view.phone_numbers.iter().find(|it| Some(&it.id) == view.primary_phone_number_id.as_ref());
            let number = json!(phone.map(|it| &it.phone_number));
            let names: Vec<&str> = [view.first_name.as_deref(), view.last_name.as_deref()].into_iter().flatten().collect();
            let more = [
                ("primary_email_address", json!(email.map(|it| &it.email_address))),
                ("email_verified", json!(email.is_some_and(|it| is_verified(&it.verification)))),
                ("primary_phone_address", number.clone()),
                ("primary_phone_number", number),
                ("phone_number_verified", json!(phone.is_some_and(|it| is_verified(&it.verification)))),
                ("full_name", if names.is_empty() { Value::Null } else { json!(names.join(" ")) }),
            ];
            let mut all = match serde_json::to_value(&view) {
                Ok(Value::Object(all)) => all,
                _ => Map::new(),
            };
            all.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
            Value::Object(all)
        })
    }

    /// The value of a shortcode; null for one that is not known.
    fn lookup(&self, code: &str) -> Value {
        let (root, path) = code.split_once('.').unwrap_or((code, ""));
        let actor;
        let all = match root {
            "user" => self.shown(),
            "session" => {
                let text = self.session.actor.as_deref();
                actor = json!({"actor": text.and_then(|text| serde_json::from_str::<Value>(text).ok()), "id": self.session.id});
                &actor
            }
            _ => return Value::Null,
        };
        if path.is_empty() {
            return Value::Null;
        }
        path.split('.').try_fold(all, step).cloned().unwrap_or(Value::Null)
    }
}

fn step<'v>(at: &'v Value, key: &str) -> Option<&'v Value> {
    match at {
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    }
}

fn fill_text(text: &str, lookup: &dyn Fn(&str) -> Value) -> Value {
    let only = text.trim().strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(code) = only.filter(|code| !code.contains("{{") && !code.contains("}}")) {
        return alternatives(code, lookup);
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((code, after)) = after.split_once("}}") else { break };
        out.push_str(before);
        match alternatives(code, lookup) {
            Value::String(text) => out.push_str(&text),
            other => out.push_str(&other.to_string()),
        }
        rest = after;
    }
    // The rest is text, also where braces were opened and never closed.
    let rest = if out.is_empty() { rest.to_owned() } else { out + rest };
    Value::String(rest)
}

/// `a || b || 'text'`: the first that is neither null nor false; if there is none, the last.
fn alternatives(code: &str, lookup: &dyn Fn(&str) -> Value) -> Value {
    let mut last = Value::Null;
    for operand in operands(code) {
        last = literal(operand).unwrap_or_else(|| lookup(operand));
        if !matches!(last, Value::Null | Value::Bool(false)) {
            break;
        }
    }
    last
}

/// The parts between `||`, which may stand within quotes too.
fn operands(code: &str) -> Vec<&str> {
    let (mut parts, mut begin, mut quote) = (Vec::new(), 0, None);
    let bytes = code.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (None, b @ (b'\'' | b'"')) => quote = Some(b),
            (Some(open), b) if b == open => quote = None,
            (None, b'|') if bytes.get(at + 1) == Some(&b'|') => {
                parts.push(code[begin..at].trim());
                begin = at + 2;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(code[begin..].trim());
    parts
}

/// A text in quotes, a number, `true`, `false` or `null`.
fn literal(text: &str) -> Option<Value> {
    for quote in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return Some(Value::String(inner.to_owned()));
        }
    }
    serde_json::from_str::<Value>(text).ok().filter(|it| it.is_number() || it.is_boolean() || it.is_null())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> Value {
        let data = json!({
            "user": {"name": "Ada", "age": 36, "ratio": 0.5, "admin": false, "none": null, "empty": "",
                "meta": {"plan": "gold", "list": [1, {"x": "y"}], "evil": "{{user.age}}"}},
        });
        fill_text(text, &|code| code.split('.').try_fold(&data, step).cloned().unwrap_or(Value::Null))
    }

    #[test]
    fn a_claim_that_is_one_shortcode_keeps_the_type() {
        for (text, value) in [
            ("{{user.name}}", json!("Ada")),
            (" {{ user.age }} ", json!(36)),
            ("{{user.ratio}}", json!(0.5)),
            ("{{user.admin}}", json!(false)),
            ("{{user.none}}", Value::Null),
            ("{{user.empty}}", json!("")),
            ("{{user.meta}}", json!({"plan": "gold", "list": [1, {"x": "y"}], "evil": "{{user.age}}"})),
            ("{{user.meta.list}}", json!([1, {"x": "y"}])),
            ("{{user.meta.list.1.x}}", json!("y")),
        ] {
            assert_eq!(filled(text), value, "{text}");
        }
    }

    #[test]
    fn within_a_text_values_are_written_out() {
        assert_eq!(filled("{{user.name}} is {{user.age}}"), json!("Ada is 36"));
        assert_eq!(filled("{{user.name}}{{user.admin}}"), json!("Adafalse"));
        assert_eq!(filled("<{{user.none}}>"), json!("<null>"));
        assert_eq!(filled("plain"), json!("plain"));
        assert_eq!(filled("m: {{user.meta.list}}"), json!(r#"m: [1,{"x":"y"}]"#));
    }

    #[test]
    fn unknown_shortcodes_and_paths_are_null() {
        for text in
            ["{{user.nothing}}", "{{nothing}}", "{{}}", "{{user.name.x}}", "{{user.meta.list.9}}", "{{org.id}}", "{{user.meta.__proto__}}"]
        {
            assert_eq!(filled(text), Value::Null, "{text}");
        }
    }

    #[test]
    fn the_first_of_several_that_is_neither_null_nor_false_counts() {
        for (text, value) in [
            ("{{user.none || user.nothing || user.name}}", json!("Ada")),
            ("{{user.none || 30}}", json!(30)),
            ("{{user.none||-2.5}}", json!(-2.5)),
            ("{{user.none || true}}", json!(true)),
            ("{{user.none || 'a || b'}}", json!("a || b")),
            (r#"{{user.none || "it's"}}"#, json!("it's")),
            ("{{user.none || ''}}", json!("")),
            ("{{user.none || null}}", Value::Null),
            ("{{user.admin || 'x'}}", json!("x")),
            ("{{user.admin || user.none}}", Value::Null),
            ("{{user.none || user.admin}}", json!(false)),
            ("{{user.admin || false || user.age}}", json!(36)),
            ("{{user.empty || 'x'}}", json!("")),
            ("Hi {{user.none || user.admin}}!", json!("Hi false!")),
            ("Hi {{user.none || 'you'}}!", json!("Hi you!")),
        ] {
            assert_eq!(filled(text), value, "{text}");
        }
    }

    #[test]
    fn what_users_write_is_not_looked_at_for_shortcodes() {
        assert_eq!(filled("{{user.meta.evil}}"), json!("{{user.age}}"));
        assert_eq!(filled("<{{user.meta.evil}}>"), json!("<{{user.age}}>"));
    }

    #[test]
    fn braces_that_never_close_are_text() {
        for text in ["{{user.name", "a {{ b", "}}", "{", "{{{user.name", "{{user.none || 'x"] {
            assert_eq!(filled(text), json!(text), "{text}");
        }
        assert_eq!(filled("{{user.name}} and {{ more"), json!("Ada and {{ more"));
        assert_eq!(filled("{{user.none}} and {{ more"), json!("null and {{ more"));
    }
}
