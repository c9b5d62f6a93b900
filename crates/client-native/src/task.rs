//! Who performs the core's effects.

use doorward_base::{Clock, Timestamp};
use doorward_client::{Command, Config, Core, Effect, Event, Outcome, Request};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// A server that says nothing for so long is taken for one that is away.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Task {
    core: Core,
    clock: Clock,
    http: reqwest::Client,
    calls: mpsc::UnboundedReceiver<(Command, oneshot::Sender<Outcome>)>,
    waiting: HashMap<u64, oneshot::Sender<Outcome>>,
    requests: JoinSet<Event>,
    timer: Option<Timestamp>,
    last: u64,
    snapshot: watch::Sender<Arc<str>>,
    token: watch::Sender<Option<String>>,
}

type Made = (Task, watch::Receiver<Arc<str>>, watch::Receiver<Option<String>>);

impl Task {
    pub(crate) fn new(
        config: Config,
        clock: Clock,
        calls: mpsc::UnboundedReceiver<(Command, oneshot::Sender<Outcome>)>,
    ) -> Result<Made, String> {
        let (token, tokens) = watch::channel(config.client_token.clone());
        let core = Core::new(config)?;
        let (snapshot, snapshots) = watch::channel(core.snapshot().into());
        let http = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| error.to_string())?;
        let (waiting, requests) = (HashMap::new(), JoinSet::new());
        Ok((Self { core, clock, http, calls, waiting, requests, timer: None, last: 0, snapshot, token }, snapshots, tokens))
    }

    /// Until nobody can give commands any more.
    pub(crate) async fn run(mut self) {
        loop {
            self.perform();
            tokio::select! {
                call = self.calls.recv() => {
                    let Some((command, settle)) = call else { return };
                    self.last += 1;
                    self.waiting.insert(self.last, settle);
                    self.core.command(self.last, command, self.clock.now());
                }
                Some(answer) = self.requests.join_next() => {
                    if let Ok(event) = answer {
                        self.core.event(event, self.clock.now());
                    }
                }
                () = until(self.timer.map(|at| at.saturating_sub(self.clock.now()))) => {
                    self.timer = None;
                    self.core.event(Event::Timer, self.clock.now());
                }
            }
        }
    }

    fn perform(&mut self) {
        for effect in self.core.effects() {
            match effect {
                Effect::Request(request) => drop(self.requests.spawn(send(self.http.clone(), request))),
                Effect::ClientToken(token) => drop(self.token.send(token)),
                Effect::Changed => drop(self.snapshot.send(self.core.snapshot().into())),
                Effect::Settle { call, outcome } => drop(self.waiting.remove(&call).map(|settle| settle.send(outcome))),
                Effect::Timer(at) => self.timer = at,
                // A program has no page and no other tabs.
                Effect::Cookie(_) | Effect::Broadcast(_) => {}
            }
        }
    }
}

async fn until(ms: Option<i64>) {
    match ms {
        Some(ms) => tokio::time::sleep(Duration::from_millis(u64::try_from(ms).unwrap_or(0))).await,
        None => std::future::pending().await,
    }
}

async fn send(http: reqwest::Client, request: Request) -> Event {
    let id = request.id;
    answer(http, request).await.unwrap_or(Event::Failed { id })
}

async fn answer(http: reqwest::Client, request: Request) -> Result<Event, reqwest::Error> {
    let method = if request.method == "GET" { reqwest::Method::GET } else { reqwest::Method::POST };
    let mut call = http.request(method, &request.url);
    for (name, value) in &request.headers {
        call = call.header(*name, value);
    }
    if let Some(body) = request.body {
        call = call.body(body);
    }
    let response = call.send().await?;
    let status = response.status().as_u16();
    let text = |value: &reqwest::header::HeaderValue| value.to_str().ok().map(str::to_owned);
    let headers = response.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?))).collect();
    Ok(Event::Response { id: request.id, status, headers, body: response.text().await? })
}
