use super::at::At;
use super::out;
use clap::{Args, Subcommand};
use doorward_base::Timestamp;
use doorward_core::Scope;
use doorward_core::webhooks::{self, EndpointChange, Range};
use doorward_store::webhooks::{self as store, EndpointRecord};
use serde_json::{Value, json};

/// A running server learns of changes at once: it reads the database for each event.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an endpoint and print its secret.
    Create {
        #[command(flatten)]
        at: At,
        #[command(flatten)]
        chosen: Chosen,
    },
    /// List the endpoints.
    List {
        #[command(flatten)]
        at: At,
    },
    /// Change an endpoint. What is not named stays.
    Update {
        #[command(flatten)]
        at: At,
        /// The endpoint's id.
        endpoint: String,
        #[command(flatten)]
        chosen: Chosen,
        /// Switch it on, also after it was left alone for failing.
        #[arg(long, conflicts_with = "disabled")]
        enabled: bool,
    },
    /// Remove an endpoint with its log and all that waits for it.
    Delete {
        #[command(flatten)]
        at: At,
        /// The endpoint's id.
        endpoint: String,
    },
    /// Make a new secret and print it. The one from before signs along for a day.
    RotateSecret {
        #[command(flatten)]
        at: At,
        /// The endpoint's id.
        endpoint: String,
    },
    /// Print the secret.
    RevealSecret {
        #[command(flatten)]
        at: At,
        /// The endpoint's id.
        endpoint: String,
    },
    /// Send events again, with their ids: one, or those of the last hours.
    Replay(Replay),
    /// Send an event of type `test`.
    Test {
        #[command(flatten)]
        at: At,
        /// The endpoint's id.
        endpoint: String,
    },
    /// List the newest deliveries, or the tries of one.
    Deliveries(Deliveries),
    /// Print an address of the page where endpoints are managed; good once, for ten minutes.
    Page {
        #[command(flatten)]
        at: At,
        /// The address of the private listener, as your browser reaches it.
        #[arg(long, default_value = "http://localhost:4101")]
        url: String,
    },
}

#[derive(Args)]
pub(super) struct Chosen {
    /// Where events are sent.
    #[arg(long)]
    url: Option<String>,
    /// A note for people.
    #[arg(long)]
    description: Option<String>,
    /// A type of event; may be given several times. `all` for every type [default: all].
    #[arg(long)]
    event: Option<Vec<String>>,
    /// Tries at most within a second; 0 for as many as come.
    #[arg(long)]
    rate_limit: Option<i64>,
    /// Switch it off: nothing is kept for it.
    #[arg(long)]
    disabled: bool,
}

/// Example: doorward webhook replay ep_.. --since 2026-11-24T02:00:00Z --until 2026-11-24T03:00:00Z
#[derive(Args)]
pub(super) struct Replay {
    #[command(flatten)]
    at: At,
    /// The endpoint's id.
    endpoint: String,
    /// An event's id.
    #[arg(long, conflicts_with_all = ["hours", "since", "until", "all"], required_unless_present_any = ["hours", "since"])]
    event: Option<String>,
    /// The events of the last hours that it missed.
    #[arg(long, conflicts_with_all = ["since", "until"])]
    hours: Option<u32>,
    /// The events that it missed from this time on (RFC 3339).
    #[arg(long, value_parser = time)]
    since: Option<Timestamp>,
    /// Those before this time (RFC 3339), and no later ones.
    #[arg(long, value_parser = time, requires = "since")]
    until: Option<Timestamp>,
    /// Those too that it got.
    #[arg(long)]
    all: bool,
}

#[derive(Args)]
pub(super) struct Deliveries {
    #[command(flatten)]
    at: At,
    /// The endpoint's id.
    endpoint: String,
    /// The tries of this event.
    #[arg(long, conflicts_with = "status")]
    event: Option<String>,
    /// Only those in a state.
    #[arg(long, value_parser = ["pending", "delivered", "failed"])]
    status: Option<String>,
    /// How many at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(i64).range(1..=1000))]
    limit: i64,
}

impl Chosen {
    fn change(self, enabled: bool) -> EndpointChange {
        let events = self.event.map(|all| if all.iter().any(|it| it == "all") { Vec::new() } else { all });
        EndpointChange {
            url: self.url,
            description: self.description,
            events,
            disabled: if self.disabled { Some(true) } else { enabled.then_some(false) },
            rate_limit: self.rate_limit.map(|rate| (rate != 0).then_some(rate)),
        }
    }
}

async fn with_endpoint(at: &At, id: &str) -> anyhow::Result<(Scope, EndpointRecord)> {
    let scope = at.scope().await?;
    let endpoint = webhooks::find(&scope, &id.into()).await?;
    Ok((scope, endpoint))
}

fn view(it: &EndpointRecord) -> Value {
    json!({
        "id": it.id,
        "url": it.url,
        "description": it.description,
        "events": serde_json::from_str::<Value>(&it.events).unwrap_or_default(),
        "state": it.state(),
        "rate_limit": it.rate_limit,
        "version": it.version,
        "failing_since": it.failing_since,
        "paused_at": it.paused_at,
        "created_at": it.created_at,
        "updated_at": it.updated_at,
    })
}

fn say(at: &At, it: &EndpointRecord) -> anyhow::Result<()> {
    if at.json { out::json(&view(it)) } else { out::line(&format!("{}  {}  {}  {}", it.id, it.state(), it.url, it.description)) }
}

fn say_value(at: &At, name: &str, value: &str) -> anyhow::Result<()> {
    if at.json { out::json(&json!({ name: value })) } else { out::line(value) }
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create { at, chosen } => {
                let (it, secret) = webhooks::create(&at.scope().await?, chosen.change(false)).await?;
                let mut shown = view(&it);
                shown["secret"] = secret.expose().into();
                if at.json { out::json(&shown) } else { out::line(&format!("{}  {}", it.id, secret.expose())) }
            }
            Self::List { at } => {
                let all = webhooks::list(&at.scope().await?).await?;
                if at.json {
                    return out::json(&all.iter().map(view).collect::<Vec<_>>());
                }
                all.iter().try_for_each(|it| say(&at, it))
            }
            Self::Update { at, endpoint, chosen, enabled } => {
                let it = webhooks::update(&at.scope().await?, &endpoint.as_str().into(), chosen.change(enabled)).await?;
                say(&at, &it)
            }
            Self::Delete { at, endpoint } => {
                webhooks::delete(&at.scope().await?, &endpoint.as_str().into()).await?;
                if at.json { out::json(&json!({"id": endpoint, "deleted": true})) } else { out::line(&format!("{endpoint} is deleted")) }
            }
            Self::RotateSecret { at, endpoint } => {
                let secret = webhooks::rotate_secret(&at.scope().await?, &endpoint.as_str().into()).await?;
                say_value(&at, "secret", secret.expose())
            }
            Self::RevealSecret { at, endpoint } => {
                let secret = webhooks::reveal_secret(&at.scope().await?, &endpoint.as_str().into()).await?;
                say_value(&at, "secret", secret.expose())
            }
            Self::Replay(replay) => replay.run().await,
            Self::Test { at, endpoint } => {
                let (scope, endpoint) = with_endpoint(&at, &endpoint).await?;
                say_value(&at, "event_id", webhooks::test_event(&scope, &endpoint).await?.as_str())
            }
            Self::Deliveries(deliveries) => deliveries.run().await,
            Self::Page { at, url } => {
                let path = webhooks::link(&at.scope().await?).await?;
                say_value(&at, "url", &format!("{}{path}", url.trim_end_matches('/')))
            }
        }
    }
}

/// A time of RFC 3339 in Unix milliseconds.
fn time(text: &str) -> Result<Timestamp, String> {
    doorward_core::parse_time(text).ok_or_else(|| "a time looks like 2026-11-24T02:00:00Z".to_owned())
}

impl Replay {
    async fn run(self) -> anyhow::Result<()> {
        let (scope, endpoint) = with_endpoint(&self.at, &self.endpoint).await?;
        let count = match &self.event {
            Some(event) => webhooks::replay(&scope, &endpoint, &event.as_str().into()).await.map(|()| 1)?,
            None => {
                let since = self.since.unwrap_or(scope.now - i64::from(self.hours.unwrap_or(0)) * 3_600_000);
                let until = self.until.unwrap_or(scope.now + 1);
                webhooks::replay_range(&scope, &endpoint, Range { since, until, all: self.all }).await?
            }
        };
        if self.at.json { out::json(&json!({"events": count})) } else { out::line(&format!("{count} will be sent")) }
    }
}

impl Deliveries {
    async fn run(self) -> anyhow::Result<()> {
        let (scope, endpoint) = with_endpoint(&self.at, &self.endpoint).await?;
        if let Some(event) = &self.event {
            let all = store::attempts(&scope.app.db, &scope.instance.id, &endpoint.id, &event.as_str().into(), self.limit).await?;
            let shown: Vec<Value> = all
                .iter()
                .map(|it| json!({"at": it.created_at, "status": it.status, "error": it.error, "duration_ms": it.duration_ms, "response": it.response}))
                .collect();
            return self.say(&shown, &["at", "status", "error", "duration_ms"]);
        }
        let all = store::deliveries(&scope.app.db, &scope.instance.id, &endpoint.id, self.status.as_deref(), self.limit).await?;
        let shown: Vec<Value> = all
            .iter()
            .map(|it| {
                let next = (it.status == "pending").then_some(it.next_at);
                json!({"event_id": it.event_id, "type": it.kind, "status": it.status, "attempts": it.attempts, "next_at": next,
                    "ended_at": it.ended_at, "created_at": it.created_at})
            })
            .collect();
        self.say(&shown, &["event_id", "type", "status", "attempts", "created_at"])
    }

    fn say(&self, rows: &[Value], columns: &[&str]) -> anyhow::Result<()> {
        if self.at.json {
            return out::json(&rows);
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        rows.iter().try_for_each(|row| out::line(&columns.iter().map(|name| text(&row[name])).collect::<Vec<_>>().join("  ")))
    }
}
