//! What the server renders for people: the pages of the private listener, and the account pages of the public one.
//!
//! The private ones are made on the server and complete without a script; the one script there is saves a reload. The
//! account pages are an app of their own over the Frontend API. Texts of users and apps end up in these pages, so templates
//! escape, and the policy lets nothing run that is not ours.

mod account;
mod built;
mod inbox;
mod index;
mod messages;
mod page;
mod popup;
mod webhooks;

pub use account::public;

use axum::Router;
use axum::routing::get;
use doorward_core::App;
use std::sync::Arc;

/// What the pages of the private listener show beside what is in the database.
#[derive(Clone)]
pub struct Pages {
    /// The server.
    pub app: Arc<App>,
    /// The address of the public listener, for links to it.
    pub public_url: String,
}

/// The pages of the private listener: `/`, `/inbox` with the mail of development instances, `/messages` with the words of it, and
/// `/webhooks`.
pub fn private(pages: Pages) -> Router {
    Router::new()
        .route("/", get(index::show))
        .route("/inbox", get(inbox::show))
        .route("/messages", get(messages::show))
        .route("/messages/{slug}", get(messages::markup))
        .merge(webhooks::router())
        .route("/pages/style.css", get(|| page::asset("text/css; charset=utf-8", include_str!("../assets/style.css"))))
        .route("/pages/inbox.js", get(|| page::asset("text/javascript; charset=utf-8", include_str!("../assets/inbox.js"))))
        .with_state(pages)
}
