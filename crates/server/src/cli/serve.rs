use super::{Invalid, environment, out, runtime};
use crate::config::{self, Config, MailTransport};
use crate::server::{self, Environment};
use clap::Args;
use doorward_core::App;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Args)]
pub(super) struct Serve {
    /// The configuration file; doorward.example.toml explains every key.
    #[arg(long)]
    config: PathBuf,
}

impl Serve {
    fn load(&self, environment: &Environment) -> anyhow::Result<Config> {
        let loaded = config::load(Some(&self.config), environment).map_err(|e| Invalid(e.to_string()))?;
        loaded.warnings.iter().for_each(|warning| out::note(warning));
        loaded.config.check(environment).map_err(|e| Invalid(e.to_string()))?;
        Ok(loaded.config)
    }

    pub(super) fn run(&self) -> anyhow::Result<()> {
        let environment = environment();
        let config = self.load(&environment)?;
        run(&config, &environment, async |_, _| Ok(()))
    }

    pub(super) fn check(&self) -> anyhow::Result<()> {
        let config = self.load(&environment())?;
        if config.mail.transport == MailTransport::None {
            out::note("note: mail.transport is \"none\": production instances cannot send codes");
        }
        out::line(&format!("{} is valid", self.config.display()))
    }
}

/// Runs a server until it is told to stop; `bound` is called before the first answer.
pub(super) fn run(
    config: &Config,
    environment: &Environment,
    bound: impl AsyncFnOnce(&App, &server::Addresses) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let observed = crate::observe::start(config)?;
    let metrics = observed.metrics.clone();
    let result = runtime()?.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let app = server::open(config, environment).await?;
        let running = server::start(config, environment, app, metrics, bound).await?;
        let at = &running.addresses;
        tracing::info!(public = ?at.public, private = ?at.private, version = env!("CARGO_PKG_VERSION"), "ready");
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("stopping");
        tokio::select! {
            () = running.shutdown() => anyhow::Ok(()),
            // Whoever asks twice does not want to wait.
            _ = interrupt.recv() => anyhow::bail!("stopped at once; requests may have been cut off"),
        }
    });
    observed.finish();
    result
}
