//! The client core for [Leptos](https://leptos.dev) 0.8: what is known as signals, and commands as futures.
//!
//! In a browser the core runs in the page itself; natively it is `doorward_client_native`'s, so that an app's logic can be
//! tested against a real server, on one thread: the reactive graph panics where one thread reads a signal that another writes.
//! Resources are JSON in the wire's own shapes, as in the core's snapshot. The feature
//! `components` adds `SignedIn` and `SignedOut`, and with them all of Leptos; the hooks need no more than its signals.
//!
//! ```no_run
//! # use doorward_client_leptos::*;
//! # use reactive_graph::traits::Get as _;
//! # fn component(client: Client) {
//! provide_doorward(client);
//! # }
//! // In any component below:
//! # async fn submit(password: String) -> Result<(), Error> {
//! let UseSignIn { is_loaded, .. } = use_sign_in();
//! let disabled = move || !is_loaded.get();
//! // When the form is sent:
//! let form = use_sign_in();
//! let attempt = form.create(params([("identifier", "ada@example.com"), ("password", &password)])).await?;
//! if let Some(session) = attempt["created_session_id"].as_str() {
//!     form.set_active(session).await?;
//! }
//! # Ok(()) }
//! ```

#[cfg(feature = "components")]
mod components;
mod hooks;
#[cfg(target_family = "wasm")]
mod web;

#[cfg(feature = "components")]
pub use components::{SignedIn, SignedOut};
pub use doorward_client::{Command, Config, Failure, Map, Outcome, Step, TokenQuery};
#[cfg(not(target_family = "wasm"))]
pub use doorward_client_native::{Client, Error};
pub use hooks::{
    UseAuth, UseSession, UseSessionList, UseSignIn, UseSignUp, UseUser, use_auth, use_doorward, use_session, use_session_list, use_sign_in,
    use_sign_up, use_user,
};
#[cfg(target_family = "wasm")]
pub use web::{Client, Error};

use any_spawner::Executor;
use reactive_graph::computed::Memo;
use reactive_graph::owner::provide_context;
use reactive_graph::signal::ArcRwSignal;
use reactive_graph::traits::{Update as _, With as _};
use reactive_graph::wrappers::read::Signal;
use serde_json::Value;
use std::sync::Arc;

/// The client of the app, as a context of Leptos. Clones share it.
#[derive(Clone, Debug)]
pub struct Doorward {
    client: Client,
    known: ArcRwSignal<Arc<Value>>,
}

/// Gives `client` to everything below the present component and has it find out who is there. The executor is the one that
/// Leptos has set up (`any_spawner`).
pub fn provide_doorward(client: Client) -> Doorward {
    let doorward = Doorward { known: ArcRwSignal::new(read(&client)), client };
    let (following, mut changes) = (doorward.clone(), doorward.client.snapshot());
    Executor::spawn(async move {
        while changes.changed().await.is_ok() {
            following.follow();
        }
    });
    let loading = doorward.clone();
    // The core goes on trying; whoever waits for it sees `is_loaded` change.
    Executor::spawn(async move { drop(loading.call(Command::Load).await) });
    provide_context(doorward.clone());
    doorward
}

fn read(client: &Client) -> Arc<Value> {
    Arc::new(serde_json::from_str(&client.snapshot().borrow()).unwrap_or_default())
}

impl Doorward {
    /// Gives a command and waits for what becomes of it. What it changed is in the signals by then.
    ///
    /// # Errors
    /// Whatever the command fails with.
    pub async fn call(&self, command: Command) -> Result<Value, Error> {
        let outcome = self.client.call(command).await;
        self.follow();
        outcome
    }

    /// A session token that is good for a while yet; null when nobody is signed in.
    ///
    /// # Errors
    /// Whatever making it fails with.
    pub async fn token(&self) -> Result<Option<String>, Error> {
        Ok(self.call(Command::GetToken(TokenQuery::default())).await?.as_str().map(str::to_owned))
    }

    /// Makes a session the one that is used; `None` for none at all.
    ///
    /// # Errors
    /// Whatever the server refuses it for.
    pub async fn set_active(&self, session: Option<String>) -> Result<(), Error> {
        self.call(Command::SetActive { session: Some(session), organization: None }).await.map(drop)
    }

    /// Ends one session, or all of them.
    ///
    /// # Errors
    /// Whatever the server refuses it for.
    pub async fn sign_out(&self, session: Option<String>) -> Result<(), Error> {
        self.call(Command::SignOut { session }).await.map(drop)
    }

    fn follow(&self) {
        let now = read(&self.client);
        // Whoever comes late would bring back what is over.
        self.known.maybe_update(|known| {
            let newer = now["version"].as_u64() > known["version"].as_u64();
            if newer {
                *known = now;
            }
            newer
        });
    }

    /// A part of the snapshot, which changes only when that part does; nothing until it is known.
    fn part(&self, name: &'static str) -> Signal<Option<Value>> {
        let known = self.known.clone();
        Memo::new(move |_| known.with(|known| (known["isLoaded"] == true).then(|| known[name].clone()).filter(|it| !it.is_null()))).into()
    }

    fn is_loaded(&self) -> Signal<bool> {
        let known = self.known.clone();
        Memo::new(move |_| known.with(|known| known["isLoaded"] == true)).into()
    }
}

/// The parameters of a step.
pub fn params<'a, const N: usize>(pairs: [(&'a str, &'a str); N]) -> Map {
    pairs.into_iter().collect()
}
