//! Where a popup ends that the SDKs opened for a visit to a provider: it tells the page that opened it how that went, and closes.

use crate::{account, page};
use askama::Template;
use axum::extract::{Request, State};
use axum::response::Response;
use doorward_core::handshake::check_redirect;
use doorward_gateway::Gateway;
use http::StatusCode;

#[derive(Template)]
#[template(path = "popup.html")]
struct Popup {
    base: String,
    /// The origin of the page that is told; empty for nobody.
    opener: String,
    /// The session that began; empty for none.
    session: String,
    /// Where that page goes on when none did.
    return_url: String,
    /// What that page knows its popup by.
    state: String,
}

/// The page. Only pages of allowed origins are told anything, and only to go on at one of those.
pub(crate) async fn show(State(gateway): State<Gateway>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let visit = match gateway.visit(&parts).await {
        Ok(visit) => visit,
        Err(error) => return account::refused(&error),
    };
    let query = parts.uri.query().unwrap_or_default();
    let asked = |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let allowed = |name: &str| check_redirect(&visit.scope, asked(name).as_deref()).ok();
    let page = Popup {
        base: account::base(&visit),
        opener: allowed("opener").map(|url| url.origin().ascii_serialization()).unwrap_or_default(),
        session: asked("__clerk_created_session").unwrap_or_default(),
        return_url: allowed("return_url").map(String::from).unwrap_or_default(),
        state: asked("state").unwrap_or_default(),
    };
    page::account(page::html(StatusCode::OK, &page))
}
