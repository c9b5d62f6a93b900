//! What a command works on.

use super::Place;
use clap::Args;
use doorward_core::{App, Instance, Scope};
use std::sync::Arc;

/// An instance of a server.
#[derive(Args)]
pub(super) struct Which {
    #[command(flatten)]
    place: Place,
    /// The instance; needed when there are several.
    #[arg(long)]
    instance: Option<String>,
}

impl Which {
    /// The server's database and the instance: the one named, or the only one.
    pub(super) async fn open(&self) -> anyhow::Result<(Arc<App>, Arc<Instance>)> {
        let app = self.place.open().await?;
        let instance = chosen(&app, self.instance.as_deref()).await?;
        Ok((app, instance))
    }
}

/// An instance of a server, and how to answer.
#[derive(Args)]
pub(super) struct At {
    #[command(flatten)]
    pub(super) which: Which,
    /// Answer in JSON.
    #[arg(long)]
    pub(super) json: bool,
}

impl At {
    /// What the core works in.
    pub(super) async fn scope(&self) -> anyhow::Result<Scope> {
        let (app, instance) = self.which.open().await?;
        Ok(Scope { now: app.clock.now(), app, instance })
    }
}

async fn chosen(app: &Arc<App>, id: Option<&str>) -> anyhow::Result<Arc<Instance>> {
    let id = match id {
        Some(id) => id.into(),
        None => match doorward_store::instances::list(&app.db).await?.as_slice() {
            [only] => only.id.clone(),
            [] => anyhow::bail!("there is no instance yet; `doorward instance create` makes one"),
            _ => anyhow::bail!("there are several instances: name one with --instance"),
        },
    };
    let found = doorward_core::instance::by_id(app, &id).await?;
    found.ok_or_else(|| anyhow::anyhow!("there is no instance {id}"))
}
