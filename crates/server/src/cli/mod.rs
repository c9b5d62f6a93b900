//! The command line.

mod at;
mod dev;
mod instance;
mod instance_files;
mod keys;
mod out;
mod progress;
mod provider_secret;
mod rows;
mod sdk;
mod serve;
mod user;
mod user_files;
mod webhook;

use crate::config::{self, Config};
use crate::server::Environment;
use clap::{Args, Parser, Subcommand};
use doorward_core::App;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// A self-hosted identity server on which the front ends people already have run unchanged.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 configuration not valid.
#[derive(Parser)]
#[command(name = "doorward", version, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a development server with an embedded database; the first start makes an instance and its keys.
    Dev(dev::Dev),
    /// Run a server from a configuration file.
    Serve(serve::Serve),
    /// Check a configuration file and say everything that is wrong with it.
    CheckConfig(serve::Serve),
    /// Bring the database's schema up to date. A server does so by itself when it starts.
    Migrate(Place),
    /// Instances: each has its own keys, users and settings.
    #[command(subcommand)]
    Instance(instance::Command),
    /// Users of an instance.
    #[command(subcommand)]
    User(user::Command),
    /// Webhooks: endpoints that are told of what happens in an instance.
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Keys.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Print the OpenAPI document of an interface.
    Openapi {
        /// Which one.
        #[arg(value_parser = ["frontend", "backend"])]
        api: String,
    },
    /// The official SDKs' browser scripts.
    #[command(subcommand)]
    Sdk(sdk::Command),
    /// Ask a running server whether it is ready; for containers and supervisors.
    Healthcheck {
        /// The address of its private listener.
        #[arg(long, default_value = "http://127.0.0.1:4101")]
        url: String,
    },
}

/// Which server's database a command works on.
#[derive(Args, Clone)]
struct Place {
    /// The configuration file of a server.
    #[arg(long, conflicts_with = "data_dir")]
    config: Option<PathBuf>,
    /// The directory of a development server [default: .doorward].
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

/// A configuration that is not valid: exit code 3.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Invalid(String);

impl Place {
    fn config(&self, environment: &Environment) -> anyhow::Result<Config> {
        let loaded = match (&self.config, &self.data_dir) {
            (Some(file), _) => config::load(Some(file), environment),
            (None, dir) => {
                let dir = dir.as_deref().unwrap_or(Path::new(config::DATA_DIR));
                if !dir.is_dir() {
                    anyhow::bail!(
                        "there is no development server in {}: start `doorward dev` once, or name one by --data-dir or --config",
                        dir.display()
                    );
                }
                config::dev(dir, environment)
            }
        };
        let loaded = loaded.map_err(|e| Invalid(e.to_string()))?;
        for warning in &loaded.warnings {
            out::note(warning);
        }
        loaded.config.check(environment).map_err(|e| Invalid(e.to_string()))?;
        Ok(loaded.config)
    }

    async fn open(&self) -> anyhow::Result<Arc<App>> {
        let environment = environment();
        crate::server::open(&self.config(&environment)?, &environment).await
    }
}

fn environment() -> Environment {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Runs the command line.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::error(&format!("{error:#}"));
            ExitCode::from(if error.is::<Invalid>() { 3 } else { 1 })
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Dev(dev) => dev.run(),
        Command::Serve(serve) => serve.run(),
        Command::CheckConfig(serve) => serve.check(),
        Command::Openapi { api } => {
            let routes = if api == "frontend" { doorward_fapi::routes() } else { doorward_bapi::routes() };
            out::json(&doorward_gateway::openapi::document(&routes))
        }
        Command::Sdk(command) => command.run(),
        Command::Keys(keys::Command::NewMaster { file }) => keys::new_master(&file),
        other => runtime()?.block_on(async {
            match other {
                Command::Migrate(place) => {
                    place.open().await?;
                    out::line("the schema is up to date")
                }
                Command::Instance(command) => command.run().await,
                Command::User(command) => command.run().await,
                Command::Webhook(command) => command.run().await,
                Command::Keys(command) => command.run().await,
                Command::Healthcheck { url } => healthcheck(&url).await,
                _ => Ok(()),
            }
        }),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn healthcheck(url: &str) -> anyhow::Result<()> {
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(5)).build()?;
    let answer = client.get(format!("{}/health/ready", url.trim_end_matches('/'))).send().await?;
    let ready = answer.status().is_success();
    let text = answer.text().await.unwrap_or_default();
    if ready { out::line(text.trim_end()) } else { anyhow::bail!("{}", text.trim_end()) }
}
