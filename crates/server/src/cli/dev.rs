use super::{Invalid, environment, out, serve};
use crate::config::{self, Config, Listen};
use crate::{files, server};
use clap::Args;
use doorward_core::instance::{self, NewInstance};
use doorward_core::keys::Environment as Kind;
use doorward_core::settings::Settings;
use doorward_core::{App, Instance};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Everything is kept in one directory: database, master key, browser scripts, and dev.env with the keys for an app.
#[derive(Args)]
pub(super) struct Dev {
    /// Where everything is kept.
    #[arg(long, default_value = config::DATA_DIR)]
    data_dir: PathBuf,
    /// Where the Frontend API listens.
    #[arg(long, default_value = "127.0.0.1:4100")]
    listen: Listen,
    /// Where the Backend API, the inbox, metrics and health listen.
    #[arg(long, default_value = "127.0.0.1:4101")]
    backend_listen: Listen,
}

impl Dev {
    pub(super) fn run(&self) -> anyhow::Result<()> {
        let environment = environment();
        files::make_dir(&self.data_dir)?;
        let loaded = config::dev(&self.data_dir, &environment).map_err(|e| Invalid(e.to_string()))?;
        loaded.warnings.iter().for_each(|warning| out::note(warning));
        let mut config = loaded.config;
        config.server.listen = with_loopback_v6(&self.listen);
        config.server.backend_listen = with_loopback_v6(&self.backend_listen);
        if config.log.level == "info" {
            // A line a request would bury what a developer came to read.
            config.log.level = "warn".to_owned();
        }
        if let Some(file) = config.secrets.master_key_file.clone().filter(|file| !file.exists()) {
            if let Some(database) = config.sqlite_file().filter(|database| database.exists()) {
                anyhow::bail!(
                    "{} is missing, but {} was sealed with it: put the key back, or remove the directory to start afresh",
                    file.display(),
                    database.display()
                );
            }
            super::keys::new_master(&file)?;
        }
        config.check(&environment).map_err(|e| Invalid(e.to_string()))?;
        serve::run(&config, &environment, async |app, at| {
            let instance = first_instance(app, &config).await?;
            let env = dev_env(app, &instance, &config, at).await?;
            let file = self.data_dir.join("dev.env");
            files::replace(&file, &env)?;
            report(&file, &env, at)
        })
    }
}

fn port(listen: &Listen) -> u16 {
    listen.0.first().map_or(0, SocketAddr::port)
}

/// To some programs, older versions of Node among them, `localhost` is `[::1]` and nothing else. Where that can be had,
/// it is served too.
fn with_loopback_v6(listen: &Listen) -> Listen {
    let mut all = listen.0.clone();
    for v4 in &listen.0 {
        let v6 = SocketAddr::from((Ipv6Addr::LOCALHOST, v4.port()));
        if v4.ip() != Ipv4Addr::LOCALHOST || v4.port() == 0 || all.contains(&v6) {
            continue;
        }
        match TcpListener::bind(v6) {
            Ok(_) => all.push(v6),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                out::note(&format!(
                    "note: another program listens on {v6}; some programs will find it under localhost in place of this server"
                ));
            }
            // A machine without IPv6.
            Err(_) => {}
        }
    }
    Listen(all)
}

/// The development instance, made at the first start.
async fn first_instance(app: &App, config: &Config) -> anyhow::Result<Arc<Instance>> {
    let port = port(&config.server.listen);
    let all = doorward_store::instances::list(&app.db).await?;
    let id = match all.first() {
        Some(record) => record.id.clone(),
        None => {
            let new = NewInstance {
                environment: Kind::Development,
                name: "Development".to_owned(),
                key_host: format!("127.0.0.1:{port}"),
                hosts: vec![format!("localhost:{port}"), format!("127.0.0.1:{port}")],
                scheme: "http".to_owned(),
                settings: Settings::default(),
            };
            instance::create(app, new).await.map_err(anyhow::Error::msg)?.id
        }
    };
    let found = instance::by_id(app, &id).await?.ok_or_else(|| anyhow::anyhow!("the instance {id} is gone"))?;
    let expected = format!("localhost:{port}");
    if !found.hosts.iter().any(|host| host.host == expected) {
        let known: Vec<&str> = found.hosts.iter().map(|host| host.host.as_str()).collect();
        anyhow::bail!(
            "the instance in this directory answers on {} and its key says so; start with that port (--listen 127.0.0.1:<port>), or in another --data-dir",
            known.join(" and ")
        );
    }
    Ok(found)
}

async fn dev_env(app: &App, instance: &Instance, config: &Config, at: &server::Addresses) -> anyhow::Result<String> {
    let secret = instance::reveal_secret_key(app, &instance.id).await.map_err(anyhow::Error::msg)?;
    let secret = secret.ok_or_else(|| anyhow::anyhow!("the instance has no secret key; `doorward keys rotate --kind secret` makes one"))?;
    let frontend = format!("http://localhost:{}", port(&config.server.listen));
    let backend = format!("http://localhost:{}", at.private.first().map_or(4101, SocketAddr::port));
    let (publishable, secret) = (&instance.publishable_key, secret.expose());
    Ok(format!(
        "# Written by `doorward dev` at every start. It holds a secret: keep it out of your repository.
PUBLISHABLE_KEY={publishable}
SECRET_KEY={secret}
FAPI_URL={frontend}
BAPI_URL={backend}

# For the official Next.js SDK, every generation: paste from here on into .env.local.
NEXT_PUBLIC_CLERK_PUBLISHABLE_KEY={publishable}
CLERK_SECRET_KEY={secret}
CLERK_API_URL={backend}
NEXT_PUBLIC_CLERK_PROXY_URL={frontend}
NEXT_PUBLIC_CLERK_TELEMETRY_DISABLED=1
NEXT_PUBLIC_CLERK_KEYLESS_DISABLED=1
# @clerk/nextjs 4
NEXT_PUBLIC_CLERK_JS={frontend}/npm/@clerk/clerk-js@4/dist/clerk.browser.js
# @clerk/nextjs 5 and 6: use this line in place of the next one.
# NEXT_PUBLIC_CLERK_JS_URL={frontend}/npm/@clerk/clerk-js@5/dist/clerk.browser.js
# @clerk/nextjs 7
NEXT_PUBLIC_CLERK_JS_URL={frontend}/npm/@clerk/clerk-js@6/dist/clerk.browser.js
NEXT_PUBLIC_CLERK_UI_URL={frontend}/npm/@clerk/ui@1/dist/ui.browser.js
"
    ))
}

fn report(file: &Path, env: &str, at: &server::Addresses) -> anyhow::Result<()> {
    let public = at.public.first().map_or(4100, SocketAddr::port);
    let private = at.private.first().map_or(4101, SocketAddr::port);
    out::line(env.trim_end())?;
    out::line("")?;
    out::line(&format!("Frontend API   http://localhost:{public}      documents: http://localhost:{public}/docs"))?;
    out::line(&format!("Backend API    http://localhost:{private}      documents: http://localhost:{private}/docs"))?;
    out::line(&format!("Inbox          http://localhost:{private}/inbox   (mail is not sent, it is shown here)"))?;
    out::line(&format!("Keys           {}", file.display()))?;
    out::line("")?;
    out::line("Run your app on localhost too (any port): 127.0.0.1 is another site to a browser.")?;
    out::line("ready; Ctrl-C stops")
}
