//! The wiring: configuration in, two listeners and a worker out.

use crate::config::Config;
use crate::{listen, npm};
use anyhow::{Context as _, bail};
use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::get;
use doorward_base::{Clock, Rng};
use doorward_core::crypto::Sealer;
use doorward_core::password::Passwords;
use doorward_core::{App, instance, webhooks};
use doorward_gateway::Gateway;
use doorward_jobs::{Transport, WebhookOptions, WebhookWorker, Worker};
use doorward_store::db::DbOptions;
use doorward_store::{Db, SCHEMA_VERSION, migrate, schema_version};
use http::StatusCode;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The environment variables, as names and values.
pub type Environment = Vec<(String, String)>;

/// Opens the database, brings its schema up to date and checks the master key: what every command needs.
///
/// # Errors
/// A sentence for the operator.
pub async fn open(config: &Config, environment: &Environment) -> anyhow::Result<Arc<App>> {
    let key = config.master_key(environment).map_err(anyhow::Error::msg)?;
    let url = config.database.url.expose().to_owned();
    let default = if url.starts_with("sqlite:") { 5 } else { 20 };
    let options =
        DbOptions { url, max_connections: config.database.max_connections.unwrap_or(default), acquire_timeout: Duration::from_secs(5) };
    let rng = Rng::system();
    let db = Db::connect(&options, &rng).await.context("the database cannot be opened")?;
    if let Some(file) = config.sqlite_file() {
        crate::files::owner_only(&file)?;
    }
    let clock = Clock::system();
    migrate(&db, clock.now()).await.context("the database's schema cannot be brought up to date")?;
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    let passwords = match (config.passwords.workers, config.passwords.queue) {
        (None, None) => Passwords::default_for(cores),
        (workers, queue) => Passwords::new(workers.unwrap_or(cores), queue.unwrap_or(workers.unwrap_or(cores) * 80)),
    };
    let app = Arc::new(App {
        db,
        clock,
        rng,
        sealer: Sealer::from_hex(&key).map_err(anyhow::Error::msg)?,
        passwords: passwords.with_breached(config.breached().map_err(anyhow::Error::msg)?),
        instances: Default::default(),
        outbound: doorward_outbound::shared(config.outbound.allow_private_networks).map_err(anyhow::Error::msg)?,
        provider_documents: Default::default(),
        atlas: config.atlas().map_err(anyhow::Error::msg)?,
        outbox: Arc::default(),
    });
    webhooks::listen(&app);
    instance::claim_master_key(&app).await.map_err(anyhow::Error::msg)?;
    Ok(app)
}

/// A running server.
pub struct Running {
    /// What it shares.
    pub app: Arc<App>,
    /// Where it listens.
    pub addresses: Addresses,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    grace: Duration,
}

/// Where a server listens.
pub struct Addresses {
    /// The Frontend API.
    pub public: Vec<SocketAddr>,
    /// The Backend API.
    pub private: Vec<SocketAddr>,
}

/// Binds both listeners, calls `bound`, and starts to serve. Whoever connects in between waits.
///
/// # Errors
/// An address that cannot be listened on, by name; a mail server that is not configured rightly; what `bound` answers.
pub async fn start(
    config: &Config,
    environment: &Environment,
    app: Arc<App>,
    metrics: PrometheusHandle,
    bound: impl AsyncFnOnce(&App, &Addresses) -> anyhow::Result<()>,
) -> anyhow::Result<Running> {
    let transport = config.smtp(environment).map_err(anyhow::Error::msg)?;
    let transport: Option<Arc<dyn Transport>> = transport.map(|smtp| Arc::new(smtp) as Arc<dyn Transport>);
    let sms = config.sms(environment).map_err(anyhow::Error::msg)?;
    let public = bind(&config.server.listen.0, "server.listen").await?;
    let private = bind(&config.server.backend_listen.0, "server.backend_listen").await?;
    let addresses = |all: &[(TcpListener, SocketAddr)]| all.iter().map(|(_, at)| *at).collect();
    let addresses = Addresses { public: addresses(&public), private: addresses(&private) };
    bound(&app, &addresses).await?;
    let gateway = Gateway::new(app.clone(), gateway_config(config));
    let public_url = addresses.public.first().map(|at| format!("http://localhost:{}", at.port())).unwrap_or_default();
    let (public_router, private_router) = routers(config, &gateway, &app, public_url, metrics.clone());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    tasks.spawn(crate::observe::upkeep(metrics.clone(), stopped.clone()));
    tasks.spawn(Worker::new(app.clone(), transport, doorward_jobs::Options::default()).with_sms(sms).run(stopped.clone()));
    tasks.spawn(WebhookWorker::new(app.clone(), WebhookOptions::default()).run(stopped.clone()));
    let limits = listen::Limits { connections: config.server.max_connections, patience: listen::Patience::default() };
    for (listeners, router) in [(public, public_router), (private, private_router)] {
        for (listener, _) in listeners {
            tasks.spawn(listen::serve(listener, router.clone(), limits, stopped.clone()));
        }
    }
    let grace = Duration::from_secs(config.server.shutdown_grace_seconds);
    Ok(Running { app, addresses, stop, tasks, grace })
}

impl Running {
    /// Stops: nothing new is taken, what was begun is finished within the grace time, the database is closed.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.grace, all).await.is_err() {
            tracing::warn!("some requests were cut off: the grace time is over");
        }
        self.tasks.abort_all();
        // A connection that still holds the database open must not hold the process.
        let _ = tokio::time::timeout(Duration::from_secs(2), self.app.db.close()).await;
    }
}

async fn bind(addresses: &[SocketAddr], key: &str) -> anyhow::Result<Vec<(TcpListener, SocketAddr)>> {
    let mut out = Vec::new();
    for address in addresses {
        let listener = TcpListener::bind(address).await.with_context(|| format!("{key}: cannot listen on {address}"))?;
        let at = listener.local_addr()?;
        out.push((listener, at));
    }
    if out.is_empty() {
        bail!("{key}: names no address");
    }
    Ok(out)
}

fn gateway_config(config: &Config) -> doorward_gateway::Config {
    doorward_gateway::Config {
        trusted_proxies: config.server.trusted_proxies.0.clone(),
        limits_enabled: config.limits.enabled,
        request_timeout: Duration::from_secs(config.server.request_timeout_seconds),
        max_in_flight: config.server.max_in_flight,
        ..doorward_gateway::Config::default()
    }
}

fn routers(config: &Config, gateway: &Gateway, app: &Arc<App>, public_url: String, metrics: PrometheusHandle) -> (Router, Router) {
    let backend = gateway.mount(doorward_bapi::routes());
    let mut public = gateway.mount(doorward_fapi::routes()).merge(npm::router(config.sdk_dir(), &config.place));
    public = public.merge(doorward_pages::public(gateway.clone()));
    if let Some(path) = &config.server.backend_path {
        public = public.nest(path, backend.clone());
    }
    let pages = doorward_pages::private(doorward_pages::Pages { app: app.clone(), public_url });
    let private = backend
        .merge(pages)
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready).with_state(app.clone()))
        .route("/metrics", get(render).with_state((app.clone(), metrics)));
    (gateway.wrap(public), gateway.wrap(private))
}

async fn render(State((app, metrics)): State<(Arc<App>, PrometheusHandle)>) -> String {
    metrics::gauge!("doorward_database_refuses_writes").set(f64::from(u8::from(app.db.refuses_writes())));
    metrics.render()
}

/// Whether the database answers with the schema that this build needs, and the master key is its own. A disk that is full is
/// told, and no reason to send people elsewhere: who is signed in stays so, and there may be no elsewhere.
async fn ready(State(app): State<Arc<App>>) -> axum::response::Response {
    // Whoever asks gives up sooner than a statement does.
    let schema = tokio::time::timeout(Duration::from_secs(3), schema_version(&app.db)).await;
    let problem = match schema {
        Err(_) | Ok(Err(_)) => Some("the database does not answer"),
        Ok(Ok(version)) if version < SCHEMA_VERSION => Some("the database's schema is older than this build"),
        Ok(Ok(_)) => match instance::check_master_key(&app).await {
            Err(_) => Some("the master key is not this database's"),
            Ok(()) => None,
        },
    };
    match problem {
        None if app.db.refuses_writes() => {
            "ready, but writes are refused: the database's disk is full, read-only or failing\n".into_response()
        }
        None => "ready\n".into_response(),
        Some(text) => (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {text}\n")).into_response(),
    }
}
