use super::at::At;
use super::{out, user_files};
use clap::{Args, Subcommand};
use doorward_base::Secret;
use doorward_core::users::{self, Audience};
use doorward_wire::bapi::{CreateUser, ListUsers};
use doorward_wire::resource::User;
use serde_json::{Value, json};
use std::io::Read as _;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a user. Addresses given here count as proven.
    Create(Create),
    /// List users, the newest first.
    List {
        #[command(flatten)]
        at: At,
        /// Found in an address, a name or an id.
        #[arg(long)]
        query: Option<String>,
        /// How many at most, 1 to 500.
        #[arg(long, default_value_t = 10)]
        limit: i64,
        /// How many to skip.
        #[arg(long, default_value_t = 0)]
        offset: i64,
    },
    /// Delete a user and everything that is theirs.
    Delete {
        #[command(flatten)]
        at: At,
        /// The user's id.
        user: String,
    },
    /// Add users from a file: the hosted service's CSV or JSON, or our own JSONL.
    Import(user_files::Import),
    /// Write all users into a file, with the hashes of their passwords.
    Export(user_files::Export),
}

/// Example: doorward user create --email ada@example.com --password-stdin < password.txt
#[derive(Args)]
pub(super) struct Create {
    #[command(flatten)]
    at: At,
    /// An address; may be given several times, the first becomes the primary one.
    #[arg(long)]
    email: Vec<String>,
    /// The user name.
    #[arg(long)]
    username: Option<String>,
    /// First name.
    #[arg(long)]
    first_name: Option<String>,
    /// Last name.
    #[arg(long)]
    last_name: Option<String>,
    /// The password. Others on this machine can see it while the command runs: prefer --password-stdin.
    #[arg(long, conflicts_with = "password_stdin")]
    password: Option<String>,
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Take a password that the instance's rules would refuse.
    #[arg(long)]
    skip_password_checks: bool,
}

fn brief(user: &User) -> Value {
    let emails: Vec<&str> = user.email_addresses.iter().map(|email| email.email_address.as_str()).collect();
    json!({"id": user.id, "email_addresses": emails, "username": user.username, "first_name": user.first_name, "last_name": user.last_name})
}

fn line(user: &User) -> anyhow::Result<()> {
    let emails: Vec<&str> = user.email_addresses.iter().map(|email| email.email_address.as_str()).collect();
    let name = [user.first_name.as_deref(), user.last_name.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    out::line(&format!("{}  {}  {}  {name}", user.id, emails.join(","), user.username.as_deref().unwrap_or("-")))
}

/// A request from its fields: all others stay empty.
fn request<T: serde::de::DeserializeOwned>(fields: Value) -> anyhow::Result<T> {
    Ok(serde_json::from_value(fields)?)
}

impl Command {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Create(create) => create.run().await,
            Self::Import(import) => import.run().await,
            Self::Export(export) => export.run().await,
            Self::List { at, query, limit, offset } => {
                let scope = at.scope().await?;
                let request: ListUsers = request(json!({"query": query, "limit": limit, "offset": offset}))?;
                let found = users::list(&scope, &request).await?;
                let views: Vec<User> = found.iter().map(|it| users::view(&scope, it, Audience::Backend)).collect();
                if at.json {
                    return out::json(&views.iter().map(brief).collect::<Vec<_>>());
                }
                views.iter().try_for_each(line)
            }
            Self::Delete { at, user } => {
                let scope = at.scope().await?;
                let gone = users::delete(&scope, &user.as_str().into()).await?;
                if at.json { out::json(&json!({"id": gone.id, "deleted": true})) } else { out::line(&format!("{} is deleted", gone.id)) }
            }
        }
    }
}

impl Create {
    async fn run(self) -> anyhow::Result<()> {
        let scope = self.at.scope().await?;
        let password = if self.password_stdin {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            Some(Secret::new(text.trim_end_matches(['\r', '\n'])))
        } else {
            self.password.map(Secret::new)
        };
        let fields = json!({
            "email_address": self.email,
            "username": self.username,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "password": password.as_ref().map(Secret::expose),
            "skip_password_checks": self.skip_password_checks,
        });
        let request: CreateUser = request(fields)?;
        let made = users::create(&scope, &request).await?;
        let view = users::view(&scope, &made, Audience::Backend);
        if self.at.json { out::json(&brief(&view)) } else { line(&view) }
    }
}
