//! Calls to a local server: what goes out, what comes back, and what is not called at all.
#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up has failed")]

use axum::Router;
use axum::routing::{get, post};
use doorward_core::outbound::{Method, Outbound as _, OutboundError, OutboundRequest};
use doorward_outbound::HttpOutbound;
use std::time::Duration;
use url::Url;

async fn peer() -> Url {
    let router = Router::new()
        .route("/echo", post(|headers: http::HeaderMap, body: String| async move { format!("{:?} {body}", headers["x-kind"]) }))
        .route("/away", get(|| async { (http::StatusCode::FOUND, [("location", "/long")]) }))
        .route("/long", get(|| async { "x".repeat(5000) }))
        .route("/never", get(std::future::pending::<String>));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn to(url: &Url, path: &str) -> OutboundRequest {
    OutboundRequest { allow_private: true, ..OutboundRequest::new(Method::Get, url.join(path).unwrap()) }
}

#[tokio::test]
async fn a_call_brings_back_status_headers_and_body() {
    let (peer, calls) = (peer().await, HttpOutbound::new(false).unwrap());
    let sent = OutboundRequest { method: Method::Post, ..to(&peer, "echo") }.header("x-kind", "form").form([("a", "1 2"), ("b", "&")]);
    let answer = calls.send(sent).await.unwrap();
    assert_eq!((answer.status, String::from_utf8(answer.body.clone()).unwrap().as_str()), (200, "\"form\" a=1+2&b=%26"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let moved = calls.send(to(&peer, "away")).await.unwrap();
    assert_eq!((moved.status, moved.header("location")), (302, Some("/long")), "a redirect is not followed");
}

#[tokio::test]
async fn an_answer_may_be_neither_too_long_nor_too_late() {
    let (peer, calls) = (peer().await, HttpOutbound::new(true).unwrap());
    for (max_bytes, fits) in [(5000, true), (4999, false)] {
        let answer = calls.send(OutboundRequest { max_bytes, ..to(&peer, "long") }).await;
        assert_eq!(answer.map(|it| it.body.len()), if fits { Ok(5000) } else { Err(OutboundError::TooLarge) });
    }
    let cut = calls.send(OutboundRequest { max_bytes: 4999, cut: true, ..to(&peer, "long") }).await;
    assert_eq!(cut.map(|it| it.body.len()), Ok(4999));
    let late = calls.send(OutboundRequest { timeout: Duration::from_millis(50), ..to(&peer, "never") }).await;
    assert_eq!(late.map(|it| it.status), Err(OutboundError::TimedOut));
    let bad = calls.send(to(&peer, "long").header("x-kind", "a\r\nb")).await;
    assert_eq!(bad.map(|it| it.status), Err(OutboundError::Malformed));
}

#[tokio::test]
async fn fault_112_nothing_inside_is_called_unless_that_is_allowed() {
    let (peer, calls) = (peer().await, HttpOutbound::new(false).unwrap());
    let port = peer.port().unwrap();
    for url in [
        peer.to_string(),
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::1]:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://2130706433:{port}/"),
        // A name: what it leads to is seen when it is looked up.
        format!("https://localhost:{port}/"),
        "http://example.com/".to_owned(),
    ] {
        let answer = calls.send(OutboundRequest::new(Method::Get, url.parse().unwrap())).await;
        assert_eq!(answer.map(|it| it.status), Err(OutboundError::Forbidden), "{url}");
    }
    assert!(HttpOutbound::new(true).unwrap().send(OutboundRequest::new(Method::Get, peer.join("long").unwrap())).await.is_ok());
}
