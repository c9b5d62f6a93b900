//! The client core for programs: a task that owns the core, sends its requests with reqwest and keeps its timer. Nothing is
//! decided here. A program has no cookies; what it is known by is the client token, which it keeps as it keeps a password.
//!
//! ```no_run
//! # async fn sign_in(clock: doorward_base::Clock) -> Result<(), Box<dyn std::error::Error>> {
//! use doorward_client::{Command, Config, Step, TokenQuery};
//! use doorward_client_native::{Client, params};
//!
//! let config = Config { publishable_key: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k".into(), ..Config::default() };
//! let client = Client::start(config, clock)?;
//! client.call(Command::Load).await?;
//! let who = params([("identifier", "ada@example.com"), ("password", "correct horse")]);
//! let attempt = client.call(Command::Step(Step::SignInCreate, who)).await?;
//! let session = attempt["created_session_id"].as_str().map(str::to_owned);
//! client.call(Command::SetActive { session: Some(session), organization: None }).await?;
//! let token = client.call(Command::GetToken(TokenQuery::default())).await?;
//! # Ok(()) }
//! ```

mod task;

pub use doorward_client::{Account, Area, Command, Config, Failure, Map, Outcome, Step, TokenQuery};

use doorward_base::Clock;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

/// A command failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Error(pub Failure);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.message, self.0.code)
    }
}

impl std::error::Error for Error {}

/// A handle to a running client; all its clones share one. The client ends with the last of them.
#[derive(Clone, Debug)]
pub struct Client {
    calls: mpsc::UnboundedSender<(Command, oneshot::Sender<Outcome>)>,
    snapshot: watch::Receiver<Arc<str>>,
    token: watch::Receiver<Option<String>>,
}

impl Client {
    /// Starts a client in the present tokio runtime; it is native whatever the configuration says.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn start(config: Config, clock: Clock) -> Result<Self, String> {
        let (calls, taken) = mpsc::unbounded_channel();
        let (task, snapshot, token) = task::Task::new(Config { native: true, ..config }, clock, taken)?;
        tokio::spawn(task.run());
        Ok(Self { calls, snapshot, token })
    }

    /// Gives a command and waits for what becomes of it.
    ///
    /// # Errors
    /// Whatever the command fails with.
    pub async fn call(&self, command: Command) -> Result<Value, Error> {
        let (settle, settled) = oneshot::channel();
        let ended = || Error(Failure::ended());
        self.calls.send((command, settle)).map_err(|_| ended())?;
        settled.await.map_err(|_| ended())?.map(Value::from).map_err(Error)
    }

    /// What is known, as JSON, now and whenever it changes.
    pub fn snapshot(&self) -> watch::Receiver<Arc<str>> {
        self.snapshot.clone()
    }

    /// The client token, to be kept for the next run ([`Config::client_token`]), now and whenever it changes.
    pub fn client_token(&self) -> watch::Receiver<Option<String>> {
        self.token.clone()
    }
}

/// The parameters of a [`Command::Step`].
pub fn params<const N: usize>(pairs: [(&str, &str); N]) -> Map {
    pairs.into_iter().collect()
}
