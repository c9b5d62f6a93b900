//! The first page of the private listener: what else there is.

use crate::{Pages, page};
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    public_url: &'a str,
    version: &'a str,
}

pub(crate) async fn show(State(pages): State<Pages>) -> Response {
    page::html(StatusCode::OK, &Index { public_url: &pages.public_url, version: env!("CARGO_PKG_VERSION") })
}
