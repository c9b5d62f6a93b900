//! What the server writes to people: from its own templates, or those that the instance put in their place.

pub mod catalog;
mod engine;
pub mod manage;
mod plain;

use crate::app::{Scope, internal};
use crate::mail::{About, Mail, Told};
use crate::sms::{self, Sms};
use crate::verification::LIFETIME_MS;
use catalog::{Channel, Kind};
use doorward_base::*;
use doorward_store::message_templates::{self, TemplateRecord};
use engine::{Form, render};
use serde_json::{Value, json};

/// The most characters of a subject.
const MAX_SUBJECT: usize = 250;
/// The most characters of a text message: more would be split into more parts than networks carry.
const MAX_SMS: usize = 480;

/// A message to somebody, before it is put into words.
#[derive(Clone)]
pub(crate) struct Letter {
    /// Which message.
    pub slug: &'static str,
    /// To whom.
    pub to: String,
    /// In whose language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// What it tells, by name.
    pub values: Vec<(&'static str, String)>,
    /// Whose it is.
    pub about: About,
}

impl Letter {
    /// The mail. Never call it inside a transaction.
    ///
    /// # Errors
    /// Only failures of ours.
    pub(crate) async fn mail(&self, scope: &Scope) -> Result<Mail, ApiError> {
        let (kind, own) = self.template(scope, Channel::Email).await?;
        let values = self.values(scope, kind);
        let locale = self.locale.as_deref();
        let fill = |own: Option<&String>, default: &str, form| fill(scope, kind, own.map(String::as_str), default, form, &values);
        let own = own.as_ref();
        let subject = fill(own.and_then(|it| it.subject.as_ref()), kind.subject(locale), Form::Plain)?;
        let html = fill(own.and_then(|it| it.body.as_ref()), &kind.html(locale), Form::Html)?;
        let text = match own.and_then(|it| it.body.as_ref()).and_then(|_| plain_of(kind, &html, &values)) {
            Some(text) => text,
            None => fill(None, &kind.text(locale), Form::Plain)?,
        };
        let from_local = own.and_then(|it| it.from_email_name.clone()).or_else(|| scope.instance.settings.from_email_address.clone());
        Ok(Mail {
            to: self.to.clone(),
            from_name: app_name(scope),
            from_local,
            reply_to_local: own.and_then(|it| it.reply_to_email_name.clone()),
            subject: one_line(&subject, MAX_SUBJECT),
            text,
            html: Some(html),
            inbox: scope.instance.is_development(),
            told: self.told(kind, own, values),
        })
    }

    /// The text message. Never call it inside a transaction.
    ///
    /// # Errors
    /// Only failures of ours.
    pub(crate) async fn sms(&self, scope: &Scope, channel: sms::Channel) -> Result<Sms, ApiError> {
        let (kind, own) = self.template(scope, Channel::Sms).await?;
        let values = self.values(scope, kind);
        let body = own.as_ref().and_then(|it| it.body.as_deref());
        let text = fill(scope, kind, body, &kind.text(self.locale.as_deref()), Form::Plain, &values)?;
        let told = self.told(kind, own.as_ref(), values);
        let inbox = scope.instance.is_development();
        Ok(Sms { to: self.to.clone(), text: text.chars().take(MAX_SMS).collect(), channel, inbox, told })
    }

    async fn template(&self, scope: &Scope, channel: Channel) -> Result<(&'static Kind, Option<TemplateRecord>), ApiError> {
        let kind = Kind::find(channel, self.slug).ok_or_else(|| ApiError::internal(format!("no message {}", self.slug)))?;
        let own = message_templates::get(scope.db(), scope.ins(), channel.as_str(), kind.slug).await.map_err(internal)?;
        Ok((kind, own))
    }

    fn told(&self, kind: &Kind, own: Option<&TemplateRecord>, data: Value) -> Told {
        Told { slug: Some(kind.slug), data, about: self.about.clone(), app_delivers: own.is_some_and(|it| !it.delivered) }
    }

    fn values(&self, scope: &Scope, kind: &Kind) -> Value {
        let mut values = common(scope, kind.language(self.locale.as_deref()));
        for (name, value) in &self.values {
            values[*name] = json!(value);
        }
        values
    }
}

/// Addresses come of the settings, never of a request: a forged host cannot lead anywhere.
fn common(scope: &Scope, language: &str) -> Value {
    let home = scope.instance.settings.paths.home_url.clone();
    json!({
        "app": {"name": app_name(scope), "url": home.unwrap_or_else(|| scope.instance.frontend_url())},
        "locale": language,
        "ttl_minutes": LIFETIME_MS / 60_000,
    })
}

/// Fills in the instance's own template, or ours when there is none or it does not work: a code must arrive.
fn fill(scope: &Scope, kind: &Kind, own: Option<&str>, default: &str, form: Form, values: &Value) -> Result<String, ApiError> {
    if let Some(own) = own {
        match render(own, form, values) {
            Ok(text) => return Ok(text),
            Err(why) => tracing::warn!(instance = %scope.ins(), slug = kind.slug, %why, "a message template does not work"),
        }
    }
    render(default, form, values).map_err(ApiError::internal)
}

/// The plain part of a mail whose markup is an instance's own. None where what matters is not in it: a code must arrive.
fn plain_of(kind: &Kind, html: &str, values: &Value) -> Option<String> {
    let text = plain::text_of(html);
    let matters = kind.required.and_then(|name| values[name].as_str()).unwrap_or_default();
    Some(text).filter(|text| !text.is_empty() && text.contains(matters))
}

/// Whether a text may stand before the `@` of a sender's address.
pub(crate) fn is_local_part(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
    (1..=64).contains(&text.len()) && text.chars().all(plain) && !text.starts_with('.') && !text.ends_with('.') && !text.contains("..")
}

fn app_name(scope: &Scope) -> String {
    one_line(&scope.instance.settings.application_name, 100)
}

/// A text as it may stand in a header.
fn one_line(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::catalog::{KINDS, LANGUAGES};
    use super::*;

    #[test]
    fn every_message_of_ours_says_what_it_must_in_every_language() {
        for kind in &KINDS {
            let languages: Vec<&str> = LANGUAGES.iter().map(|it| kind.language(Some(it))).collect();
            assert_eq!(languages, LANGUAGES, "{}", kind.slug);
            let required = kind.required.unwrap_or("nothing");
            for (locale, language) in [(None, "en"), (Some("de-CH"), "de"), (Some("DE_at"), "de"), (Some("fr"), "en"), (Some(""), "en")] {
                assert_eq!(kind.language(locale), language);
                let mut values = json!({"app": {"name": "A & B", "url": "https://a.test"}, "locale": language, "ttl_minutes": 10});
                values[required] = json!("https://x.test/?a=1&b=2");
                values["days"] = json!("30");
                let text = render(&kind.text(locale), Form::Plain, &values).unwrap();
                assert!(
                    (kind.required.is_none() || text.contains("https://x.test/?a=1&b=2")) && text.contains("A & B") && !text.contains("{{"),
                    "{}: {text}",
                    kind.slug
                );
                if kind.channel == Channel::Email {
                    let html = render(&kind.html(locale), Form::Html, &values).unwrap();
                    assert!(
                        html.contains("A &amp; B") && html.contains(&format!("lang=\"{language}\"")) && !html.contains("b=2\"</"),
                        "{html}"
                    );
                    assert!(!render(kind.subject(locale), Form::Plain, &values).unwrap().is_empty());
                } else {
                    assert!(text.chars().count() < 200, "{text}");
                }
            }
        }
    }

    #[test]
    fn a_subject_has_one_line() {
        assert_eq!(one_line("a\r\nBcc: b", 100), "aBcc: b");
        assert_eq!(one_line(&"x".repeat(300), MAX_SUBJECT).len(), MAX_SUBJECT);
    }
}
