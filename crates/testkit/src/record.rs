//! Writes down what a server answers, for `scripts/test.sh schemas` to compare with the reference documents.

use crate::{DATES, NEWEST};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use doorward_gateway::{ApiVersion, outgoing};
use doorward_wire::Api;
use http::header::CONTENT_TYPE;
use http::{Method, Response};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The most that an answer of ours may have in a test.
const MAX_BYTES: usize = 16 << 20;

/// When `DOORWARD_TEST_RECORD` names a directory, every exchange with the router is appended to a file there, one of each
/// process and interface, a JSON object a line. What a caller of the newest date was answered is written in the form of each
/// older date too.
pub(crate) fn recorded(router: Router, api: Api) -> Router {
    let Some(directory) = std::env::var_os("DOORWARD_TEST_RECORD") else { return router };
    let name = if api == Api::Frontend { "frontend" } else { "backend" };
    let file = PathBuf::from(directory).join(format!("{name}-{}.jsonl", std::process::id()));
    router.layer(from_fn(move |request: Request, next: Next| record(file.clone(), request, next)))
}

async fn record(file: PathBuf, request: Request, next: Next) -> Response<Body> {
    // An answer without its body says nothing of what the body is like.
    if request.method() == Method::HEAD {
        return next.run(request).await;
    }
    let (method, uri) = (request.method().to_string(), request.uri().to_string());
    let header = request.headers().get("clerk-api-version").and_then(|it| it.to_str().ok()).map(str::to_owned);
    let query = request.uri().query().unwrap_or_default().as_bytes();
    let asked = url::form_urlencoded::parse(query).find(|(name, _)| name == "__clerk_api_version").map(|(_, date)| date.into_owned());
    let (parts, body) = next.run(request).await.into_parts();
    let bytes = to_bytes(body, MAX_BYTES).await.unwrap();
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let exchange = |date: Option<&str>, body: &[u8]| {
        let mut out = json!({"method": method, "path": uri, "api_version": date, "status": parts.status.as_u16()});
        if content_type == "application/json" {
            out["body"] = serde_json::from_slice::<Value>(body).unwrap();
        }
        out
    };
    let date = header.or(asked);
    append(&file, &exchange(date.as_deref(), &bytes));
    if date.as_deref() == Some(NEWEST) && content_type == "application/json" {
        for older in DATES.iter().filter(|it| **it != NEWEST) {
            let version = ApiVersion::choose(Some(older), None).unwrap();
            append(&file, &exchange(Some(older), &outgoing(version, bytes.to_vec())));
        }
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn append(file: &Path, exchange: &Value) {
    let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(format!("{exchange}\n").as_bytes()).unwrap();
}
