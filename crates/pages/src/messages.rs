//! The messages that an instance sends, each as somebody would get it: for whoever words them.

use crate::inbox::{Choice, development};
use crate::{Pages, page};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use doorward_base::{ApiError, InstanceId, codes};
use doorward_core::messages::catalog::LANGUAGES;
use doorward_core::messages::manage::{self, Sample, gallery};
use doorward_core::{Scope, instance, internal};
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;

#[derive(Deserialize)]
pub(crate) struct Asked {
    instance: Option<String>,
    language: Option<String>,
}

#[derive(Template)]
#[template(path = "messages.html")]
struct Messages {
    name: String,
    instance: String,
    choices: Vec<Choice>,
    languages: &'static [&'static str],
    language: String,
    samples: Vec<Sample>,
}

/// Whose messages are shown, and in which language.
struct Shown {
    scope: Scope,
    name: String,
    choices: Vec<Choice>,
    language: String,
}

/// All of them.
pub(crate) async fn show(State(pages): State<Pages>, Query(asked): Query<Asked>, headers: HeaderMap, uri: Uri) -> Response {
    let Shown { scope, name, choices, language } = match shown(&pages, asked, &headers, &uri).await {
        Ok(shown) => shown,
        Err(response) => return response,
    };
    match gallery(&scope, &language).await {
        Ok(samples) => {
            let instance = scope.ins().to_string();
            page::framing(&Messages { name, instance, choices, languages: &LANGUAGES, language, samples })
        }
        Err(error) => failed(&error),
    }
}

/// The markup of one, by itself: it is somebody else's page, and may do nothing.
pub(crate) async fn markup(
    State(pages): State<Pages>,
    Path(slug): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let shown = match shown(&pages, asked, &headers, &uri).await {
        Ok(shown) => shown,
        Err(response) => return response,
    };
    match manage::markup(&shown.scope, &slug, &shown.language).await {
        Ok(Some(html)) => page::foreign(html),
        Ok(None) => page::notice(StatusCode::NOT_FOUND, "No such mail", "The page with all messages has links to those that there are."),
        Err(error) => failed(&error),
    }
}

fn failed(error: &ApiError) -> Response {
    tracing::error!(error = error.message(), "the messages cannot be shown");
    page::notice(StatusCode::SERVICE_UNAVAILABLE, "Not now", "The database does not answer. Try again in a moment.")
}

async fn shown(pages: &Pages, asked: Asked, headers: &HeaderMap, uri: &Uri) -> Result<Shown, Response> {
    if !page::typed_here(headers, uri) {
        let text = "Messages are shown under an address or a name without a dot only, such as localhost.";
        return Err(page::notice(StatusCode::FORBIDDEN, "Not under this name", text));
    }
    let text = "There is no such development instance. Those of a production instance are shown by the Backend API's preview.";
    let found = read(pages, asked).await.map_err(|error| failed(&error))?;
    found.ok_or_else(|| page::notice(StatusCode::NOT_FOUND, "No messages", text))
}

async fn read(pages: &Pages, asked: Asked) -> Result<Option<Shown>, ApiError> {
    let app = &pages.app;
    let Some((chosen, choices)) = development(&app.db, asked.instance.map(InstanceId::from)).await.map_err(internal)? else {
        return Ok(None);
    };
    let instance = instance::by_id(app, &chosen.id).await?.ok_or(codes::RESOURCE_NOT_FOUND)?;
    let scope = Scope { now: app.clock.now(), app: app.clone(), instance };
    let language = asked.language.filter(|it| LANGUAGES.contains(&it.as_str())).unwrap_or_else(|| LANGUAGES[0].to_owned());
    Ok(Some(Shown { scope, name: chosen.name, choices, language }))
}
