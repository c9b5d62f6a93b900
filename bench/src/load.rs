//! Load: bounded in count and time, over connections that stay open, on loopback. The generator is made small because it
//! shares the processor with what it measures.

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// No run takes longer than this: what is slow is measured with fewer requests.
const MOST: Duration = Duration::from_secs(12);

/// One request, as often as needed.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Call {
    /// A GET.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), headers: Vec::new(), body: String::new() }
    }

    /// A POST.
    pub(crate) fn post(path: impl Into<String>) -> Self {
        Self { method: "POST", ..Self::get(path) }
    }

    /// With a header.
    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a JSON body.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string();
        self.header("content-type", "application/json")
    }

    /// With a form.
    pub(crate) fn fields(mut self, fields: &[(&str, &str)]) -> Self {
        self.body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.header("content-type", "application/x-www-form-urlencoded")
    }

    /// With a form that needs no escapes but for spaces.
    pub(crate) fn form(mut self, fields: &str) -> Self {
        self.body = fields.replace(' ', "+");
        self.header("content-type", "application/x-www-form-urlencoded")
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// A cookie that it sets, as `name=value`; the name may have something before it.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let all = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        all.filter_map(|set| set.split(';').next())
            .find(|pair| pair.split('=').next().is_some_and(|it| it.ends_with(name)))
            .map(str::to_owned)
    }
}

/// A connection that stays open.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Opens one to an address such as `127.0.0.1:4100`.
    pub(crate) async fn open(host: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: host.to_owned() })
    }

    /// Sends a request and reads the whole answer, which must be a success.
    pub(crate) async fn send(&mut self, call: Call) -> anyhow::Result<Answer> {
        let (method, path) = (call.method, call.path.clone());
        let answer = self.exchange(call).await?;
        if !answer.status.is_success() {
            bail!("{method} {path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        }
        Ok(answer)
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn exchange(&mut self, call: Call) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(call.method).uri(&call.path).header("host", &self.host);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(call.body)))?;
        let work = async {
            self.sender.ready().await?;
            let (head, body) = self.sender.send_request(request).await?.into_parts();
            anyhow::Ok((head, body.collect().await?.to_bytes()))
        };
        let (head, body) = tokio::time::timeout(Duration::from_secs(30), work).await.context("no answer within 30 s")??;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

/// Sends one request over a connection of its own.
pub(crate) async fn once(host: &str, call: Call) -> anyhow::Result<Answer> {
    Connection::open(host).await?.send(call).await
}

/// Makes the n-th request.
pub(crate) type Make = Arc<dyn Fn(usize) -> Call + Send + Sync>;

/// What a run did.
pub(crate) struct Run {
    pub(crate) count: usize,
    pub(crate) per_second: f64,
    times_ms: Vec<f64>,
}

impl Run {
    /// The time that this share of the requests took at most, in milliseconds.
    pub(crate) fn percentile_ms(&self, share: f64) -> f64 {
        let at = (self.times_ms.len() as f64 * share) as usize;
        self.times_ms.get(at.min(self.times_ms.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Sends `count` requests as fast as so many connections can.
pub(crate) async fn closed_loop(host: &str, connections: usize, count: usize, make: &Make) -> anyhow::Result<Run> {
    run(host, connections, count, make, |_| None).await
}

/// Sends requests at an even rate, whether or not the ones before were answered; times count from when each was due.
pub(crate) async fn open_loop(host: &str, connections: usize, per_second: f64, seconds: f64, make: &Make) -> anyhow::Result<Run> {
    ensure!(per_second > 0.0, "a rate of nothing");
    let began = Instant::now() + Duration::from_millis(50);
    let due = move |n: usize| Some(began + Duration::from_secs_f64(n as f64 / per_second));
    run(host, connections, (per_second * seconds) as usize, make, due).await
}

async fn run(
    host: &str,
    connections: usize,
    count: usize,
    make: &Make,
    due: impl Fn(usize) -> Option<Instant> + Copy + Send + 'static,
) -> anyhow::Result<Run> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(host).await?);
    }
    let began = Instant::now();
    let mut running = JoinSet::new();
    for mut connection in open {
        let (next, make) = (next.clone(), make.clone());
        running.spawn(async move {
            let mut times = Vec::new();
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count || began.elapsed() > MOST {
                    return anyhow::Ok(times);
                }
                let start = due(n).unwrap_or_else(Instant::now);
                tokio::time::sleep_until(start).await;
                connection.send(make(n)).await?;
                times.push(start.elapsed().as_secs_f64() * 1000.0);
            }
        });
    }
    let mut times_ms: Vec<f64> = Vec::with_capacity(count);
    while let Some(done) = running.join_next().await {
        times_ms.extend(done??);
    }
    let seconds = began.elapsed().as_secs_f64();
    times_ms.sort_by(f64::total_cmp);
    ensure!(!times_ms.is_empty(), "nothing was sent");
    Ok(Run { count: times_ms.len(), per_second: times_ms.len() as f64 / seconds, times_ms })
}
