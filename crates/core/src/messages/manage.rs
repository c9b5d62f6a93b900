//! Templates of messages, as servers manage them.

use super::catalog::{COMMON, Channel, KINDS, Kind};
use super::engine::{Form, MAX_SOURCE, render};
use super::{Letter, MAX_SUBJECT, app_name, common, is_local_part};
use crate::app::{Scope, internal};
use crate::mail::About;
use crate::sms;
use crate::users::Page;
use doorward_base::*;
use doorward_store::message_templates::{self as store, TemplateRecord};
use doorward_wire::bapi::{MessageTemplate, TemplatePreview};
use serde_json::{Value, json};

/// The longest name.
const MAX_NAME: usize = 100;

/// What a request says of a template. What it does not say stays.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// A name for people.
    pub name: Option<&'a str>,
    /// The subject of a mail.
    pub subject: Option<&'a str>,
    /// The markup of a mail, or the text of a text message.
    pub body: Option<&'a str>,
    /// What the body was made from, in an editor.
    pub markup: Option<&'a str>,
    /// What stands before the `@` of the sender's address; empty for the server's own.
    pub from_email_name: Option<&'a str>,
    /// What stands before the `@` of the address that answers go to; empty for the sender's.
    pub reply_to_email_name: Option<&'a str>,
    /// Whether the server delivers it.
    pub delivered: Option<bool>,
}

fn kind(channel: &str, slug: &str) -> Result<&'static Kind, ApiError> {
    Kind::find(read_channel(channel)?, slug).ok_or_else(|| ApiError::not_found("Template", slug))
}

fn read_channel(name: &str) -> Result<Channel, ApiError> {
    Channel::parse(name).ok_or_else(|| codes::TEMPLATE_TYPE_UNSUPPORTED.into())
}

/// A page of the templates of a kind, and how many there are.
///
/// # Errors
/// `template_type_unsupported`.
pub async fn list(scope: &Scope, channel: &str, page: Page) -> Result<(Vec<MessageTemplate>, i64), ApiError> {
    let channel = read_channel(channel)?;
    let own = store::list(scope.db(), scope.ins(), channel.as_str()).await.map_err(internal)?;
    let all: Vec<_> = KINDS.iter().filter(|kind| kind.channel == channel).collect();
    let (skip, limit) = (usize::try_from(page.offset).unwrap_or(usize::MAX), usize::try_from(page.limit).unwrap_or(0));
    let shown = all.iter().skip(skip).take(limit).map(|kind| view(scope, kind, own.iter().find(|it| it.slug == kind.slug)));
    Ok((shown.collect(), i64::try_from(all.len()).unwrap_or(i64::MAX)))
}

/// A template.
///
/// # Errors
/// `template_type_unsupported`, `resource_not_found`.
pub async fn get(scope: &Scope, channel: &str, slug: &str) -> Result<MessageTemplate, ApiError> {
    let kind = kind(channel, slug)?;
    Ok(view(scope, kind, own(scope, kind).await?.as_ref()))
}

async fn own(scope: &Scope, kind: &Kind) -> Result<Option<TemplateRecord>, ApiError> {
    store::get(scope.db(), scope.ins(), kind.channel.as_str(), kind.slug).await.map_err(internal)
}

/// Puts words in the place of ours.
///
/// # Errors
/// `template_type_unsupported`, `resource_not_found`, `invalid_template_body`, `required_variable_missing`, and the
/// `form_*` codes naming the parameter.
pub async fn put(scope: &Scope, channel: &str, slug: &str, given: Given<'_>) -> Result<MessageTemplate, ApiError> {
    let kind = kind(channel, slug)?;
    check(scope, kind, given)?;
    let before = own(scope, kind).await?;
    let mut after = before.clone().unwrap_or_else(|| TemplateRecord {
        channel: kind.channel.as_str().to_owned(),
        slug: kind.slug.to_owned(),
        delivered: true,
        created_at: scope.now,
        ..TemplateRecord::default()
    });
    let set = |to: &mut Option<String>, from: Option<&str>| {
        if let Some(text) = from {
            *to = Some(text.to_owned());
        }
    };
    set(&mut after.name, given.name);
    set(&mut after.subject, given.subject);
    set(&mut after.body, given.body);
    set(&mut after.markup, given.markup);
    set(&mut after.from_email_name, given.from_email_name);
    set(&mut after.reply_to_email_name, given.reply_to_email_name);
    for field in [&mut after.markup, &mut after.from_email_name, &mut after.reply_to_email_name] {
        field.take_if(|text| text.is_empty());
    }
    after.delivered = given.delivered.unwrap_or(after.delivered);
    after.updated_at = scope.now;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    store::put(&mut tx, scope.ins(), &after).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(view(scope, kind, Some(&after)))
}

/// Puts our words back in their place. Whether the server delivers the message stays.
///
/// # Errors
/// `template_type_unsupported`, `resource_not_found`, `template_revert_error` when they are ours already.
pub async fn revert(scope: &Scope, channel: &str, slug: &str) -> Result<MessageTemplate, ApiError> {
    let kind = kind(channel, slug)?;
    let Some(before) = own(scope, kind).await?.filter(is_own) else { return Err(codes::TEMPLATE_REVERT_ERROR.into()) };
    let (channel, slug, delivered, created_at) = (before.channel, before.slug, before.delivered, before.created_at);
    let after = TemplateRecord { channel, slug, delivered, created_at, updated_at: scope.now, ..TemplateRecord::default() };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    store::put(&mut tx, scope.ins(), &after).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    Ok(view(scope, kind, Some(&after)))
}

/// What would come of a subject and a body, or of those that are in place, with values that stand for real ones.
///
/// # Errors
/// As [`put`].
pub async fn preview(scope: &Scope, channel: &str, slug: &str, given: Given<'_>) -> Result<TemplatePreview, ApiError> {
    let kind = kind(channel, slug)?;
    check(scope, kind, given)?;
    let own = own(scope, kind).await?;
    let values = samples(scope, kind);
    let text = |given: Option<&str>, own: Option<String>, default: String, form, param: &str| {
        let source = given.map(str::to_owned).or(own).unwrap_or(default);
        render(&source, form, &values).map_err(|why| invalid(param, why))
    };
    let own = own.unwrap_or_default();
    let name = |given: Option<&str>, own: Option<String>| given.map(str::to_owned).or(own).filter(|name| !name.is_empty());
    let from = name(given.from_email_name, own.from_email_name).or_else(|| scope.instance.settings.from_email_address.clone());
    let reply_to_email_name = name(given.reply_to_email_name, own.reply_to_email_name).unwrap_or_default();
    let (subject, body) = (own.subject, own.body);
    let form = form(kind);
    let subject = match kind.channel {
        Channel::Email => Some(text(given.subject, subject, kind.subject(None).to_owned(), Form::Plain, "subject")?),
        Channel::Sms => None,
    };
    let body = text(given.body, body, default_body(kind), form, "body")?;
    Ok(TemplatePreview { subject, body, from_email_name: from.unwrap_or_else(|| app_name(scope)), reply_to_email_name })
}

fn form(kind: &Kind) -> Form {
    if kind.channel == Channel::Email { Form::Html } else { Form::Plain }
}

fn default_body(kind: &Kind) -> String {
    if kind.channel == Channel::Email { kind.html(None) } else { kind.text(None) }
}

fn invalid(param: &str, why: String) -> ApiError {
    ApiError::new(codes::INVALID_TEMPLATE_BODY).param(param).long(why)
}

/// A message as somebody would get it.
pub struct Sample {
    /// `email` or `sms`.
    pub channel: &'static str,
    /// Its name for programs.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Whether its words are the instance's.
    pub is_own: bool,
    /// Whether this server delivers it.
    pub delivered: bool,
    /// The subject of a mail.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// The markup of a mail.
    pub html: Option<String>,
}

/// All messages in a language, as an instance's people would get them.
///
/// # Errors
/// Only failures of ours.
pub async fn gallery(scope: &Scope, language: &str) -> Result<Vec<Sample>, ApiError> {
    let mut out = Vec::new();
    for kind in &KINDS {
        out.push(sample(scope, kind, language).await?);
    }
    Ok(out)
}

/// The markup of one mail; none where there is no such mail.
///
/// # Errors
/// Only failures of ours.
pub async fn markup(scope: &Scope, slug: &str, language: &str) -> Result<Option<String>, ApiError> {
    let Some(kind) = Kind::find(Channel::Email, slug) else { return Ok(None) };
    Ok(sample(scope, kind, language).await?.html)
}

async fn sample(scope: &Scope, kind: &Kind, language: &str) -> Result<Sample, ApiError> {
    let is_own = own(scope, kind).await?.as_ref().is_some_and(is_own);
    let letter =
        Letter { slug: kind.slug, to: String::new(), locale: Some(language.to_owned()), values: stand_ins(kind), about: About::default() };
    let (subject, text, html, told) = match kind.channel {
        Channel::Email => letter.mail(scope).await.map(|it| (Some(it.subject), it.text, it.html, it.told))?,
        Channel::Sms => letter.sms(scope, sms::Channel::Sms).await.map(|it| (None, it.text, None, it.told))?,
    };
    let (channel, delivered) = (kind.channel.as_str(), !told.app_delivers);
    Ok(Sample { channel, slug: kind.slug, name: kind.name, is_own, delivered, subject, text, html })
}

/// Values that stand for real ones.
fn samples(scope: &Scope, kind: &Kind) -> Value {
    let mut values = common(scope, kind.language(None));
    for (name, value) in stand_ins(kind) {
        values[name] = json!(value);
    }
    values
}

fn stand_ins(kind: &Kind) -> Vec<(&'static str, String)> {
    let stand_in = |name| match name {
        "otp_code" => "123456",
        "magic_link" | "action_url" => "https://example.com/link",
        "device" => "Firefox on Windows",
        "ip_address" => "192.0.2.1",
        "location" => "Lisbon, PT",
        "signed_in_at" => "2026-01-31T12:00:00Z",
        "days" | "minutes" => "30",
        _ => "ada@example.com",
    };
    kind.required.iter().chain(kind.more).map(|name| (*name, stand_in(*name).to_owned())).collect()
}

/// Fills a template in once, so that one that does not work, or leaves out what matters, is refused when it is given.
fn check(scope: &Scope, kind: &Kind, given: Given<'_>) -> Result<(), ApiError> {
    for (param, text, most) in [
        ("name", given.name, MAX_NAME),
        ("subject", given.subject, MAX_SUBJECT),
        ("body", given.body, MAX_SOURCE),
        ("markup", given.markup, MAX_SOURCE),
    ] {
        if text.is_some_and(|text| text.len() > most) {
            return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param(param));
        }
    }
    let senders = [("from_email_name", given.from_email_name), ("reply_to_email_name", given.reply_to_email_name)];
    let of_mail = [("subject", given.subject)].into_iter().chain(senders);
    if let Some((param, _)) = of_mail.filter(|_| kind.channel == Channel::Sms).find(|(_, text)| text.is_some_and(|it| !it.is_empty())) {
        return Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param(param));
    }
    if let Some((param, _)) = senders.into_iter().find(|(_, text)| text.is_some_and(|it| !it.is_empty() && !is_local_part(it))) {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(param));
    }
    let values = samples(scope, kind);
    if let Some(subject) = given.subject {
        render(subject, Form::Plain, &values).map_err(|why| invalid("subject", why))?;
    }
    let Some(body) = given.body else { return Ok(()) };
    let rendered = render(body, form(kind), &values).map_err(|why| invalid("body", why))?;
    if let Some(name) = kind.required {
        let value = values[name].as_str().unwrap_or_default();
        let escaped = value.replace('/', "&#x2f;");
        if !rendered.contains(value) && !rendered.contains(&escaped) {
            let text = format!("body must have {{{{{name}}}}} in it.");
            return Err(ApiError::new(codes::REQUIRED_VARIABLE_MISSING).param("body").long(text));
        }
    }
    Ok(())
}

/// Whether any of the words are the instance's own.
fn is_own(record: &TemplateRecord) -> bool {
    let words = [&record.name, &record.subject, &record.body, &record.markup, &record.from_email_name, &record.reply_to_email_name];
    words.iter().any(|it| it.is_some())
}

fn view(scope: &Scope, kind: &Kind, own: Option<&TemplateRecord>) -> MessageTemplate {
    let mine = own.is_some_and(is_own);
    let take = |field: fn(&TemplateRecord) -> &Option<String>| own.and_then(|it| field(it).clone());
    let position = KINDS.iter().filter(|it| it.channel == kind.channel).position(|it| it.slug == kind.slug);
    let default_subject = || (kind.channel == Channel::Email).then(|| kind.subject(None).to_owned());
    let default_from = || scope.instance.settings.from_email_address.clone().filter(|_| kind.channel == Channel::Email);
    MessageTemplate {
        object: "template".to_owned(),
        id: format!("tmpl_{}_{}", kind.channel.as_str(), kind.slug),
        instance_id: mine.then(|| scope.ins().clone()),
        resource_type: if mine { "user" } else { "system" }.to_owned(),
        template_type: kind.channel.as_str().to_owned(),
        name: take(|it| &it.name).unwrap_or_else(|| kind.name.to_owned()),
        slug: kind.slug.to_owned(),
        position: position.and_then(|n| i64::try_from(n).ok()).unwrap_or_default(),
        can_revert: mine,
        can_delete: false,
        can_edit_body: true,
        can_toggle: false,
        subject: take(|it| &it.subject).or_else(default_subject),
        body: take(|it| &it.body).unwrap_or_else(|| default_body(kind)),
        markup: take(|it| &it.markup).unwrap_or_default(),
        from_email_name: take(|it| &it.from_email_name).or_else(default_from).unwrap_or_default(),
        reply_to_email_name: take(|it| &it.reply_to_email_name).unwrap_or_default(),
        available_variables: COMMON.into_iter().chain(kind.required).chain(kind.more.iter().copied()).map(str::to_owned).collect(),
        required_variables: kind.required.into_iter().map(str::to_owned).collect(),
        delivered_by_clerk: own.is_none_or(|it| it.delivered),
        enabled: true,
        flagged_as_suspicious: false,
        created_at: own.map_or(scope.instance.created_at, |it| it.created_at),
        updated_at: own.map_or(scope.instance.created_at, |it| it.updated_at),
    }
}
