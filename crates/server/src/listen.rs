//! Connections: accepted, bounded, served, and let go of when the server stops or the caller has.
//!
//! A place among the connections is what an idle attacker takes away, so every state of one has an end: nothing sent,
//! half a head, nothing asked any more, an answer that is not read.

use crate::patient::Patient;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use hyper::body::{Frame, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tower::ServiceExt as _;

/// How long a connection may stay in a state.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Until the headers of a request are there, the first of a connection included.
    pub(crate) headers: Duration,
    /// Without a request on an HTTP/2 connection; between two of HTTP/1 it is `headers`.
    pub(crate) idle: Duration,
    /// With an answer that is not read.
    pub(crate) unread: Duration,
    /// With nothing under way, after the caller was told that it is over.
    pub(crate) farewell: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { headers: seconds(10), idle: seconds(60), unread: seconds(30), farewell: seconds(2) }
    }
}

/// How many bytes of headers are taken.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// How a listener is served.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections: usize,
    /// How long each may stay as it is.
    pub(crate) patience: Patience,
}

/// Serves a listener until `stop` holds true. What is under way then is finished; what is idle is closed.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: Limits, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Beyond the bound a connection is closed at once: waiting callers would only fill the queue before it.
                if let Ok(permit) = permits.clone().try_acquire_owned() {
                    let (router, stop) = (router.clone(), stop.clone());
                    connections.spawn(async move {
                        connection(stream, peer, router, limits.patience, stop).await;
                        drop(permit);
                    });
                }
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, patience: Patience, mut stop: watch::Receiver<bool>) {
    // Answers are small: waiting for more to send would only delay them.
    let _ = stream.set_nodelay(true);
    let peer = ConnectInfo(canonical(peer));
    let activity = Arc::new(Activity::new(patience));
    let seen = activity.clone();
    let service = hyper::service::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let asked = Asked::new(seen.clone());
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        let router = router.clone();
        async move {
            let answer = router.oneshot(request).await;
            // It is under way until its last byte has gone.
            answer.map(|response| response.map(|body| Answered { body, _asked: asked }))
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(patience.headers).max_buf_size(MAX_HEADER_BYTES);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(MAX_HEADER_BYTES as u32).max_concurrent_streams(128);
    let io = TokioIo::new(Patient::new(stream, patience.unread));
    let mut served = std::pin::pin!(builder.serve_connection(io, service));
    let result = tokio::select! {
        result = served.as_mut() => result,
        () = until_over(&mut stop, &activity) => {
            served.as_mut().graceful_shutdown();
            activity.change(|_| {});
            tokio::select! {
                result = served.as_mut() => result,
                // A caller that does not take its leave is left standing.
                () = activity.until_idle(Some(patience.farewell)) => return,
            }
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One way to write an IPv4 address, also on a listener that takes both kinds.
fn canonical(peer: SocketAddr) -> SocketAddr {
    let ip: IpAddr = peer.ip().to_canonical();
    SocketAddr::new(ip, peer.port())
}

async fn until_over(stop: &mut watch::Receiver<bool>, activity: &Activity) {
    tokio::select! {
        _ = stop.changed() => {}
        () = activity.until_idle(None) => {}
    }
}

/// What a connection is being used for. The library times HTTP/1 heads, but neither the bytes by which it tells HTTP/1
/// and 2 apart nor an HTTP/2 connection on which nothing is asked.
struct Activity {
    patience: Patience,
    state: Mutex<State>,
}

struct State {
    asked: bool,
    under_way: usize,
    since: Instant,
}

impl Activity {
    fn new(patience: Patience) -> Self {
        Self { patience, state: Mutex::new(State { asked: false, under_way: 0, since: Instant::now() }) }
    }

    fn change(&self, by: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        by(&mut state);
        state.since = Instant::now();
    }

    /// How much longer the connection may stay as it is; nothing when it may not.
    fn left(&self, limit: Option<Duration>) -> Option<Duration> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = if state.asked { self.patience.idle } else { self.patience.headers };
        let limit = limit.unwrap_or(usual);
        if state.under_way > 0 {
            return Some(limit);
        }
        limit.checked_sub(state.since.elapsed()).filter(|left| !left.is_zero())
    }

    /// Until nothing was under way for a time: `limit`, or what a connection in its state may stay.
    async fn until_idle(&self, limit: Option<Duration>) {
        while let Some(left) = self.left(limit) {
            tokio::time::sleep(left).await;
        }
    }
}

/// A request under way, also when it is dropped half-way.
struct Asked(Arc<Activity>);

impl Asked {
    fn new(activity: Arc<Activity>) -> Self {
        activity.change(|state| {
            state.asked = true;
            state.under_way += 1;
        });
        Self(activity)
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.change(|state| state.under_way -= 1);
    }
}

/// An answer on its way out.
struct Answered {
    body: Body,
    _asked: Asked,
}

impl HttpBody for Answered {
    type Data = <Body as HttpBody>::Data;
    type Error = <Body as HttpBody>::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    struct Server {
        at: SocketAddr,
        stop: watch::Sender<bool>,
        task: tokio::task::JoinHandle<()>,
    }

    const SHORT: Patience = {
        let ms = Duration::from_millis;
        Patience { headers: ms(300), idle: ms(300), unread: ms(300), farewell: ms(100) }
    };

    async fn server(router: Router, connections: usize, patience: Patience) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, router, Limits { connections, patience }, stopped));
        Server { at, stop, task }
    }

    fn hello() -> Router {
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() };
        Router::new().route("/", axum::routing::get(peer))
    }

    async fn ask(at: SocketAddr) -> String {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn a_caller_that_does_not_ask_loses_its_place() {
        let server = server(hello(), 1, SHORT).await;
        for sent in [&b""[..], b"PRI * HT", b"GET / HTTP/1.1\r\nHo", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
            let mut stream = TcpStream::connect(server.at).await.unwrap();
            stream.write_all(sent).await.unwrap();
            let mut rest = Vec::new();
            let end = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut rest)).await;
            assert!(end.is_ok(), "{:?} is kept for ever", String::from_utf8_lossy(sent));
        }
        assert!(ask(server.at).await.contains("200 OK"), "and somebody else gets it");
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_given_up() {
        let large = Router::new().route("/", axum::routing::get(|| async { vec![b'x'; 64 << 20] }));
        let server = server(large, 1, SHORT).await;
        let mut stream = TcpStream::connect(server.at).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        stream.readable().await.unwrap();
        tokio::time::sleep(Duration::from_millis(900)).await;
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest).await;
        assert!(rest.len() < 64 << 20, "cut off");
    }

    #[tokio::test]
    async fn a_slow_answer_is_no_idle_connection() {
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(900)).await;
            "done"
        };
        let server = server(Router::new().route("/", axum::routing::get(slow)), 1, SHORT).await;
        assert!(ask(server.at).await.ends_with("done"));
    }

    #[tokio::test]
    async fn who_calls_is_told_and_one_too_many_is_let_go() {
        let server = server(hello(), 1, Patience::default()).await;
        assert!(ask(server.at).await.ends_with("127.0.0.1"));
        let first = TcpStream::connect(server.at).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(server.at).await, "", "the only place is taken");
        drop(first);
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(ask(server.at).await.contains("200 OK"));
    }

    #[tokio::test]
    async fn what_was_begun_is_finished_and_the_rest_is_closed() {
        let slow = || async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        };
        let server = server(Router::new().route("/", axum::routing::get(slow)), 10, Patience::default()).await;
        let silent = TcpStream::connect(server.at).await.unwrap();
        let asked = tokio::spawn(ask(server.at));
        tokio::time::sleep(Duration::from_millis(100)).await;
        server.stop.send(true).unwrap();
        assert!(asked.await.unwrap().ends_with("done"));
        tokio::time::timeout(Duration::from_secs(5), server.task).await.unwrap().unwrap();
        assert!(TcpStream::connect(server.at).await.is_err(), "nobody is taken any more");
        drop(silent);
    }

    #[tokio::test]
    async fn headers_may_be_large_and_not_larger() {
        let server = server(hello(), 10, Patience::default()).await;
        let asked = async |bytes: usize| {
            let mut stream = TcpStream::connect(server.at).await.unwrap();
            let filler = "a".repeat(bytes);
            let _ = stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: {filler}\r\n\r\n").as_bytes()).await;
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).chars().skip(9).take(3).collect::<String>()
        };
        assert_eq!(asked(MAX_HEADER_BYTES / 2).await, "200");
        for bytes in [MAX_HEADER_BYTES, MAX_HEADER_BYTES * 2, MAX_HEADER_BYTES * 64] {
            // Who still sends when the answer comes may lose it.
            assert!(matches!(asked(bytes).await.as_str(), "431" | ""), "{bytes}");
        }
        assert_eq!(asked(1).await, "200", "and the server goes on");
    }

    #[tokio::test]
    async fn headers_of_http_2_may_not_be_larger_either() {
        let server = server(hello(), 10, Patience::default()).await;
        let (mut client, connection) = h2::client::handshake(TcpStream::connect(server.at).await.unwrap()).await.unwrap();
        tokio::spawn(connection);
        for (bytes, expected) in [(1, Some(200)), (MAX_HEADER_BYTES / 2, Some(200)), (MAX_HEADER_BYTES, None), (1, Some(200))] {
            let request = http::Request::get("http://a/").header("x", "a".repeat(bytes)).body(()).unwrap();
            client = client.ready().await.unwrap();
            let answer = client.send_request(request, true).unwrap().0.await;
            match expected {
                Some(status) => assert_eq!(answer.unwrap().status(), status, "{bytes}"),
                // Refused by its status, or the stream alone is reset.
                None => assert!(answer.map_or(true, |it| it.status() == 431), "{bytes}"),
            }
        }
    }

    #[test]
    fn an_address_has_one_name() {
        let mapped: SocketAddr = "[::ffff:10.0.0.1]:5".parse().unwrap();
        assert_eq!(canonical(mapped).ip().to_string(), "10.0.0.1");
    }
}
