use super::{Place, chosen, out};
use crate::files;
use clap::{Args, Subcommand, ValueEnum};
use doorward_base::Rng;
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
    place: Place,
    /// The instance; needed when there are several.
    #[arg(long)]
    instance: Option<String>,
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
        }
    }
}

impl Rotate {
    async fn run(&self) -> anyhow::Result<()> {
        let app = self.place.open().await?;
        let instance = chosen(&app, self.instance.as_deref()).await?;
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
