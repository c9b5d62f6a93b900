use super::at::Which;
use super::{Place, instance_files, out, provider_secret};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use doorward_core::instance::{self, NewInstance};
use doorward_core::keys::Environment;
use doorward_core::settings::Settings;
use doorward_core::{App, Instance};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make an instance with its keys.
    Create(Create),
    /// List the instances.
    List {
        #[command(flatten)]
        place: Place,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show an instance.
    Show {
        #[command(flatten)]
        which: Which,
        /// Show the secret key too, of a development instance. Of others only hashes are kept.
        #[arg(long)]
        reveal_secret: bool,
        /// Answer in JSON.
        #[arg(long)]
        json: bool,
    },
    /// The settings of an instance, a JSON document.
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// What the instance proves itself by to the providers that people sign in with.
    #[command(subcommand)]
    ProviderSecret(provider_secret::Command),
    /// Write a whole instance into a file, to move it to another server or database. The file is secret.
    Export(instance_files::Export),
    /// Take an instance in from such a file, with the same ids and keys.
    Import(instance_files::Import),
}

#[derive(Subcommand)]
pub(super) enum SettingsCommand {
    /// Print them.
    Get {
        #[command(flatten)]
        which: Which,
    },
    /// Replace them by a document from a file, or from standard input.
    Set {
        #[command(flatten)]
        which: Which,
        /// The file; `-` for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
}

/// Example: doorward instance create --config doorward.toml --name Shop --host clerk.example.com
/// --cookie-domain example.com --allowed-origin https://app.example.com
#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    place: Place,
    /// What it is for.
    #[arg(long, default_value = "production", value_parser = ["production", "development"])]
    environment: String,
    /// A name for people; also the application's name.
    #[arg(long)]
    name: String,
    /// A host (and port) on which its Frontend API answers; may be given several times, the first is the primary one.
    #[arg(long, required = true)]
    host: Vec<String>,
    /// How browsers reach it.
    #[arg(long, default_value = "https", value_parser = ["http", "https"])]
    scheme: String,
    /// The host that the publishable key names; it needs a dot [default: the first host].
    #[arg(long)]
    key_host: Option<String>,
    /// An origin from which browsers may call; may be given several times.
    #[arg(long)]
    allowed_origin: Vec<String>,
    /// The domain that app and Frontend API share, such as example.com.
    #[arg(long)]
    cookie_domain: Option<String>,
    /// The address of the Frontend API as the SDKs see it, where it is behind a proxy.
    #[arg(long)]
    proxy_url: Option<String>,
    /// A JSON document of settings to begin with.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run().await,
            Self::ProviderSecret(command) => command.run().await,
            Self::Export(export) => export.run().await,
            Self::Import(import) => import.run().await,
            Self::List { place, json } => list(&place, json).await,
            Self::Show { which, reveal_secret, json } => {
                let (app, found) = which.open().await?;
                let shown = show(&app, &found, reveal_secret).await?;
                if json { out::json(&shown) } else { table(&shown) }
            }
            Self::Settings(SettingsCommand::Get { which }) => out::json(&which.open().await?.1.settings),
            Self::Settings(SettingsCommand::Set { which, file }) => {
                let settings = read_settings(&file)?;
                let (app, found) = which.open().await?;
                instance::update_settings(&app, &found, &settings).await.map_err(anyhow::Error::msg)?;
                out::line("the settings are in force within ten seconds")
            }
        }
    }
}

fn read_settings(file: &PathBuf) -> anyhow::Result<Settings> {
    let text = if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| file.display().to_string())?
    };
    Settings::parse(&text).map_err(|error| anyhow::anyhow!("settings: {error}"))
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let mut settings = match &self.settings {
            Some(file) => read_settings(file)?,
            None => Settings { application_name: self.name.clone(), ..Settings::default() },
        };
        settings.allowed_origins.extend(self.allowed_origin);
        settings.cookie_domain = self.cookie_domain.or(settings.cookie_domain);
        settings.proxy_url = self.proxy_url.or(settings.proxy_url);
        let environment = Environment::parse(&self.environment).context("--environment")?;
        let key_host = self.key_host.or_else(|| self.host.first().cloned()).unwrap_or_default();
        let new = NewInstance { environment, name: self.name.clone(), key_host, hosts: self.host, scheme: self.scheme, settings };
        let app = self.place.open().await?;
        let made = instance::create(&app, new).await.map_err(anyhow::Error::msg)?;
        let shown = json!({
            "id": made.id,
            "environment": self.environment,
            "name": self.name,
            "publishable_key": made.publishable_key,
            "secret_key": made.secret_key.expose(),
            "frontend_api_url": made.frontend_url,
        });
        if self.json { out::json(&shown) } else { table(&shown) }
    }
}

async fn list(place: &Place, json: bool) -> anyhow::Result<()> {
    let app = place.open().await?;
    let all = doorward_store::instances::list(&app.db).await?;
    if json {
        let all: Vec<Value> = all
            .iter()
            .map(|it| json!({"id": it.id, "environment": it.environment, "name": it.name, "publishable_key": it.publishable_key}))
            .collect();
        return out::json(&all);
    }
    for it in &all {
        out::line(&format!("{}  {:<11}  {}", it.id, it.environment, it.name))?;
    }
    Ok(())
}

async fn show(app: &App, it: &Instance, reveal: bool) -> anyhow::Result<Value> {
    let mut shown = json!({
        "id": it.id,
        "environment": it.environment.as_str(),
        "name": it.name,
        "publishable_key": it.publishable_key,
        "frontend_api_url": it.frontend_url(),
        "hosts": it.hosts.iter().map(|host| host.host.as_str()).collect::<Vec<_>>(),
        "public_key": it.signing_key()?.public_pem()?,
    });
    if reveal {
        let key = instance::reveal_secret_key(app, &it.id).await.map_err(anyhow::Error::msg)?;
        let key = key.context("no secret key of this instance can be shown: only hashes are kept. `doorward keys create` makes another")?;
        shown["secret_key"] = json!(key.expose());
    }
    Ok(shown)
}

fn table(shown: &Value) -> anyhow::Result<()> {
    for (name, value) in shown.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim_end().replace('\n', "\n                   "));
        out::line(&format!("{name:<18} {text}"))?;
    }
    Ok(())
}
