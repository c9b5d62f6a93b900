//! Logs, metrics and traces.

use crate::config::{Config, LogFormat};
use anyhow::Context as _;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use std::io::IsTerminal as _;
use std::time::Duration;
use tokio::sync::watch;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// What must live as long as the server: traces are sent in batches, the last of them at the end.
pub struct Observed {
    /// Renders the metrics.
    pub metrics: PrometheusHandle,
    traces: Option<SdkTracerProvider>,
}

/// Starts to observe. Called before there is a runtime, for the exporter of traces has a thread of its own.
///
/// # Errors
/// A filter or an endpoint that cannot be used.
pub fn start(config: &Config) -> anyhow::Result<Observed> {
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| config.log.level.clone());
    let filter: EnvFilter = level.parse().context("log.level")?;
    let json = match config.log.format {
        LogFormat::Json => true,
        LogFormat::Text => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let text = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if json { text.json().flatten_event(true).boxed() } else { text.compact().boxed() };
    let traces = config.telemetry.otlp_endpoint.as_deref().map(exporter).transpose()?;
    let spans = traces.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer("doorward")).with_filter(EnvFilter::new("off,doorward::trace=debug"))
    });
    tracing_subscriber::registry().with(lines.with_filter(filter)).with(spans).try_init().context("the log cannot be started")?;
    let buckets = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
    let metrics = PrometheusBuilder::new().set_buckets(&buckets)?.install_recorder().context("metrics cannot be started")?;
    Ok(Observed { metrics, traces })
}

/// Sorts what was measured into its buckets from time to time, until `stop` holds true: until then each request takes
/// a place in memory, and nobody may ever ask for the metrics.
pub(crate) async fn upkeep(metrics: PrometheusHandle, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => metrics.run_upkeep(),
        }
    }
}

fn exporter(endpoint: &str) -> anyhow::Result<SdkTracerProvider> {
    let at = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_http().with_endpoint(at).build().context("telemetry.otlp_endpoint")?;
    let resource = opentelemetry_sdk::Resource::builder().with_service_name("doorward").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Observed {
    /// Sends what is left.
    pub fn finish(self) {
        if let Some(traces) = self.traces
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
