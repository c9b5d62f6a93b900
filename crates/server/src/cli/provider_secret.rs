use super::at::{At, Which};
use super::out;
use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use doorward_base::Secret;
use doorward_core::{captcha, oauth};
use serde_json::json;
use std::io::Read as _;
use std::path::PathBuf;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Keep the secret (for Apple: the private key) of a provider, from a file or from standard input.
    Set {
        #[command(flatten)]
        of: Of,
        /// The file; `-` for standard input.
        #[arg(default_value = "-")]
        file: PathBuf,
    },
    /// Forget it.
    Forget {
        #[command(flatten)]
        of: Of,
    },
    /// Say which of the providers in the settings have one.
    List {
        #[command(flatten)]
        at: At,
    },
}

#[derive(Args)]
pub(super) struct Of {
    #[command(flatten)]
    which: Which,
    /// The provider as in the settings: `google`, `custom_<name>`; `captcha` or `captcha_invisible` for the service that
    /// verifies captchas.
    #[arg(long)]
    provider: String,
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Set { of, file } => {
                let secret = Secret::new(read(&file)?);
                let (app, found) = of.which.open().await?;
                let known = captcha::is_secret_key(&of.provider) || found.settings.oauth.contains_key(&of.provider);
                ensure!(known, "--provider: oauth.{} is not in the settings", of.provider);
                oauth::set_secret(&app, &found, &of.provider, &secret).await.map_err(anyhow::Error::msg)?;
                out::line("the secret is kept, sealed")
            }
            Self::Forget { of } => {
                let (app, found) = of.which.open().await?;
                let was = oauth::forget_secret(&app, &found, &of.provider).await.map_err(anyhow::Error::msg)?;
                ensure!(was, "--provider: there is no secret of {}", of.provider);
                out::line("the secret is forgotten")
            }
            Self::List { at: At { which, json } } => {
                let (app, found) = which.open().await?;
                let mut all = serde_json::Map::new();
                for (provider, connection) in &found.settings.oauth {
                    let has = oauth::has_secret(&app, &found, provider).await.map_err(anyhow::Error::msg)?;
                    if !json {
                        let (enabled, has) = (if connection.enabled { "on" } else { "off" }, if has { "secret kept" } else { "no secret" });
                        out::line(&format!("{provider}  {enabled}  {has}"))?;
                    }
                    all.insert(provider.clone(), json!({"enabled": connection.enabled, "has_secret": has}));
                }
                if json { out::json(&all) } else { Ok(()) }
            }
        }
    }
}

fn read(file: &PathBuf) -> anyhow::Result<String> {
    if file.as_os_str() != "-" {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
