use super::at::{At, Which};
use super::out;
use crate::files;
use clap::{Args, Subcommand, ValueEnum};
use doorward_base::{Rng, Timestamp};
use doorward_core::instance;
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make a master key in a new file that only its owner can read. Keep a copy apart from the database's backups.
    NewMaster {
        /// The file.
        file: PathBuf,
    },
    /// Make a new key of an instance in place of the one it has.
    Rotate(Rotate),
    /// Make one more secret key, which works beside the others. It is shown this once.
    Create(Create),
    /// List the secret keys of an instance. The keys themselves are not shown.
    List(List),
    /// Withdraw one secret key. It stops working within ten seconds.
    Revoke(Revoke),
}

#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    which: Which,
    /// What it is for.
    #[arg(long)]
    name: String,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    at: At,
}

#[derive(Args)]
pub(super) struct Revoke {
    #[command(flatten)]
    which: Which,
    /// The key's id, as `keys list` shows it.
    key: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    /// What session tokens are signed with. The old one is published for a day more.
    Signing,
    /// What servers call the Backend API with. The old ones stop working within ten seconds.
    Secret,
}

#[derive(Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,
    /// Which key.
    #[arg(long)]
    kind: Kind,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn new_master(file: &Path) -> anyhow::Result<()> {
    let key: String = Rng::system().bytes::<32>().iter().map(|b| format!("{b:02x}")).collect();
    files::create(file, &format!("{key}\n"))
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::NewMaster { file } => new_master(&file),
            Self::Rotate(rotate) => rotate.run().await,
            Self::Create(create) => create.run().await,
            Self::List(list) => list.run().await,
            Self::Revoke(revoke) => revoke.run().await,
        }
    }
}

impl Rotate {
    async fn run(&self) -> anyhow::Result<()> {
        let (app, instance) = self.which.open().await?;
        let (name, value) = match self.kind {
            Kind::Signing => ("kid", instance::rotate_signing_key(&app, &instance.id).await.map_err(anyhow::Error::msg)?),
            Kind::Secret => {
                let key = instance::rotate_secret_key(&app, &instance).await.map_err(anyhow::Error::msg)?;
                ("secret_key", key.expose().to_owned())
            }
        };
        if self.json { out::json(&json!({ "instance_id": instance.id, name: value })) } else { out::line(&value) }
    }
}

impl Create {
    async fn run(&self) -> anyhow::Result<()> {
        let (app, instance) = self.which.open().await?;
        let (id, key) = instance::create_secret_key(&app, &instance, &self.name).await.map_err(anyhow::Error::msg)?;
        let key = key.expose();
        if self.json { out::json(&json!({ "instance_id": instance.id, "id": id, "secret_key": key })) } else { out::line(key) }
    }
}

impl List {
    async fn run(&self) -> anyhow::Result<()> {
        let (app, instance) = self.at.which.open().await?;
        let keys = doorward_store::instances::secret_keys(&app.db, &instance.id).await?;
        if self.at.json {
            let keys: Vec<_> = keys
                .iter()
                .map(|key| {
                    json!({
                        "id": key.id, "name": key.name, "hint": key.hint, "created_at": key.created_at,
                        "last_used_at": key.last_used_at, "revoked_at": key.revoked_at,
                    })
                })
                .collect();
            return out::json(&json!(keys));
        }
        for key in keys {
            let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("last used {}", day(at)));
            let state = if key.revoked_at.is_some() { "withdrawn".to_owned() } else { used };
            out::line(&format!("{}  ...{:4}  made {}  {state}  {}", key.id, key.hint, day(key.created_at), key.name))?;
        }
        Ok(())
    }
}

impl Revoke {
    async fn run(&self) -> anyhow::Result<()> {
        let (app, instance) = self.which.open().await?;
        instance::revoke_secret_key(&app, &instance.id, &self.key.as_str().into()).await.map_err(anyhow::Error::msg)?;
        out::line("it stops working within ten seconds")
    }
}

/// The day of a time, in UTC.
fn day(at: Timestamp) -> String {
    time::OffsetDateTime::from_unix_timestamp(at / 1000).map_or_else(|_| "?".to_owned(), |it| it.date().to_string())
}
