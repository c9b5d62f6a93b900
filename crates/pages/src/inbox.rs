//! The development inbox: mail that was not sent, so that whoever builds an app can read the codes.

use crate::{Pages, page};
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use doorward_base::{InstanceId, Timestamp};
use doorward_core::keys::Environment;
use doorward_store::instances::InstanceRecord;
use doorward_store::jobs::InboxRecord;
use doorward_store::{Db, StoreError, instances, jobs};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;

/// Mails on the page.
const SHOWN: i64 = 50;

#[derive(Deserialize)]
pub(crate) struct Asked {
    instance: Option<String>,
}

pub(crate) struct Choice {
    pub id: String,
    pub name: String,
    pub chosen: bool,
}

struct Letter {
    id: String,
    subject: String,
    recipient: String,
    code: Option<String>,
    body: String,
    age: String,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    name: String,
    choices: Vec<Choice>,
    letters: Vec<Letter>,
}

pub(crate) async fn show(State(pages): State<Pages>, Query(asked): Query<Asked>, headers: HeaderMap, uri: Uri) -> Response {
    if !page::typed_here(&headers, &uri) {
        let text = "The inbox holds codes and is shown under an address or a name without a dot only, such as localhost.";
        return page::notice(StatusCode::FORBIDDEN, "Not under this name", text);
    }
    match load(&pages, asked.instance.map(InstanceId::from)).await {
        Ok(Some(inbox)) => page::html(StatusCode::OK, &inbox),
        Ok(None) => {
            let text = "There is no such development instance. Production instances send their mail and keep none of it.";
            page::notice(StatusCode::NOT_FOUND, "No inbox", text)
        }
        Err(error) => {
            tracing::error!(error = %error, "the inbox cannot be read");
            page::notice(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The database does not answer. Try again in a moment.")
        }
    }
}

/// The development instance that is wanted, or else the newest, and all that there are.
pub(crate) async fn development(db: &Db, wanted: Option<InstanceId>) -> Result<Option<(InstanceRecord, Vec<Choice>)>, StoreError> {
    let mut all = instances::list(db).await?;
    all.retain(|it| it.environment == Environment::Development.as_str());
    // The one that was made last is the one that is being built with.
    let found = match wanted {
        Some(id) => all.iter().find(|it| it.id == id),
        None => all.last(),
    };
    let Some(chosen) = found.cloned() else { return Ok(None) };
    let choice = |it: &InstanceRecord| Choice { id: it.id.to_string(), name: it.name.clone(), chosen: it.id == chosen.id };
    let choices = all.iter().map(choice).collect();
    Ok(Some((chosen, choices)))
}

async fn load(pages: &Pages, wanted: Option<InstanceId>) -> Result<Option<Inbox>, StoreError> {
    let db = &pages.app.db;
    let Some((chosen, choices)) = development(db, wanted).await? else { return Ok(None) };
    let now = pages.app.clock.now();
    let letters = jobs::inbox(db, &chosen.id, SHOWN).await?.into_iter().map(|it| letter(it, now)).collect();
    Ok(Some(Inbox { name: chosen.name, choices, letters }))
}

fn letter(it: InboxRecord, now: Timestamp) -> Letter {
    Letter {
        id: it.id.to_string(),
        code: code(&it.subject, &it.body),
        age: age(now - it.created_at),
        subject: it.subject,
        recipient: it.recipient,
        body: it.body,
    }
}

/// The code of a mail: the subject begins with it, or it has a line of its own.
fn code(subject: &str, body: &str) -> Option<String> {
    let is_code = |text: &&str| (4..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let first = subject.split_whitespace().next().into_iter();
    first.chain(body.lines().map(str::trim)).find(is_code).map(str::to_owned)
}

pub(crate) fn age(ms: i64) -> String {
    match ms.max(0) / 1000 {
        0..10 => "just now".to_owned(),
        s @ 10..60 => format!("{s} seconds ago"),
        s @ 60..120 => format!("{} minute ago", s / 60),
        s @ 120..3600 => format!("{} minutes ago", s / 60),
        s @ 3600..7200 => format!("{} hour ago", s / 3600),
        s @ 7200..86_400 => format!("{} hours ago", s / 3600),
        s @ 86_400..172_800 => format!("{} day ago", s / 86_400),
        s => format!("{} days ago", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_found_in_the_subject_or_on_a_line_of_its_own() {
        assert_eq!(code("424242 is your Acme code", ""), Some("424242".to_owned()));
        assert_eq!(code("Sign in", "Your code:\n\n    0042\n"), Some("0042".to_owned()));
        assert_eq!(code("Hello", "It is 2026.\n1\n"), None);
    }

    #[test]
    fn ages_read_well() {
        let texts: Vec<String> = [-5, 9, 59, 60, 150, 3_600, 90_000].iter().map(|s| age(s * 1000)).collect();
        assert_eq!(texts, ["just now", "just now", "59 seconds ago", "1 minute ago", "2 minutes ago", "1 hour ago", "1 day ago"]);
    }
}
