//! One function for each thing that a component may want to know.
//!
//! Each needs [`provide_doorward`](crate::provide_doorward) in a component above, and panics without it, as Leptos does with
//! every context that is expected.

use crate::{Command, Doorward, Error, Step};
use doorward_client::Map;
use reactive_graph::computed::Memo;
use reactive_graph::owner::expect_context;
use reactive_graph::traits::{Get as _, With as _};
use reactive_graph::wrappers::read::Signal;
use serde_json::Value;

/// The client itself, for what has no hook.
pub fn use_doorward() -> Doorward {
    expect_context()
}

macro_rules! attempt {
    ($hook:ident, $name:ident, $part:ident, $wire:literal, $create:ident, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Debug)]
        pub struct $name {
            /// Whether it is known who is there.
            pub is_loaded: Signal<bool>,
            /// The attempt; none before the first step, and none once it is complete.
            pub $part: Signal<Option<Value>>,
            doorward: Doorward,
        }

        #[doc = $doc]
        pub fn $hook() -> $name {
            let doorward = use_doorward();
            $name { is_loaded: doorward.is_loaded(), $part: doorward.part($wire), doorward }
        }

        impl $name {
            /// Begins a new attempt, and answers with it. When its `status` is `complete`, `created_session_id` is what
            /// [`Self::set_active`] wants.
            ///
            /// # Errors
            /// What the server refuses it for.
            pub async fn create(&self, params: Map) -> Result<Value, Error> {
                self.step(Step::$create, params).await
            }

            /// Takes a further step, a code that was entered for example, and answers with the attempt.
            ///
            /// # Errors
            /// What the server refuses it for.
            pub async fn step(&self, step: Step, params: Map) -> Result<Value, Error> {
                self.doorward.call(Command::Step(step, params)).await
            }

            /// Makes a session the one that is used: the last step.
            ///
            /// # Errors
            /// What the server refuses it for.
            pub async fn set_active(&self, session: &str) -> Result<(), Error> {
                self.doorward.set_active(Some(session.to_owned())).await
            }
        }
    };
}

attempt!(
    use_sign_in,
    UseSignIn,
    sign_in,
    "signIn",
    SignInCreate,
    "The current attempt to sign in, and the means to begin and to finish one."
);
attempt!(
    use_sign_up,
    UseSignUp,
    sign_up,
    "signUp",
    SignUpCreate,
    "The current attempt to sign up, and the means to begin and to finish one."
);

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct UseAuth {
    /// Whether that is known.
    pub is_loaded: Signal<bool>,
    /// Whether somebody is; a session with tasks left is nobody yet.
    pub is_signed_in: Signal<bool>,
    /// The user's id.
    pub user_id: Signal<Option<String>>,
    /// The session's id.
    pub session_id: Signal<Option<String>>,
    /// For tokens and for signing out.
    pub doorward: Doorward,
}

/// Who is signed in, and the client that makes the tokens which prove it.
pub fn use_auth() -> UseAuth {
    let doorward = use_doorward();
    let session = doorward.part("session");
    let of = move |it: &Value, part: &str| (it["status"] == "active").then(|| it.pointer(part)?.as_str().map(str::to_owned)).flatten();
    let session_id = Memo::new(move |_| session.with(|it| it.as_ref().and_then(|it| of(it, "/id"))));
    let user_id = Memo::new(move |_| session.with(|it| it.as_ref().and_then(|it| of(it, "/user/id"))));
    UseAuth {
        is_loaded: doorward.is_loaded(),
        is_signed_in: Signal::derive(move || user_id.with(Option::is_some)),
        user_id: user_id.into(),
        session_id: session_id.into(),
        doorward,
    }
}

/// The user of the active session.
#[derive(Clone, Copy, Debug)]
pub struct UseUser {
    /// Whether it is known who is there.
    pub is_loaded: Signal<bool>,
    /// The user; none when nobody is signed in.
    pub user: Signal<Option<Value>>,
}

/// The user of the active session.
pub fn use_user() -> UseUser {
    let doorward = use_doorward();
    UseUser { is_loaded: doorward.is_loaded(), user: doorward.part("user") }
}

/// The active session.
#[derive(Clone, Copy, Debug)]
pub struct UseSession {
    /// Whether it is known who is there.
    pub is_loaded: Signal<bool>,
    /// The session; none when none is active.
    pub session: Signal<Option<Value>>,
}

/// The active session.
pub fn use_session() -> UseSession {
    let doorward = use_doorward();
    UseSession { is_loaded: doorward.is_loaded(), session: doorward.part("session") }
}

/// All sessions of this client.
#[derive(Clone, Debug)]
pub struct UseSessionList {
    /// Whether it is known who is there.
    pub is_loaded: Signal<bool>,
    /// The sessions; several in instances that allow it.
    pub sessions: Signal<Vec<Value>>,
    doorward: Doorward,
}

/// All sessions of this client, and the means to go from one to another.
pub fn use_session_list() -> UseSessionList {
    let doorward = use_doorward();
    let sessions = doorward.part("sessions");
    let sessions = Signal::derive(move || sessions.get().and_then(|it| it.as_array().cloned()).unwrap_or_default());
    UseSessionList { is_loaded: doorward.is_loaded(), sessions, doorward }
}

impl UseSessionList {
    /// Makes a session the one that is used.
    ///
    /// # Errors
    /// What the server refuses it for.
    pub async fn set_active(&self, session: &str) -> Result<(), Error> {
        self.doorward.set_active(Some(session.to_owned())).await
    }
}
