//! Commands, and the endpoints that they go to.

use crate::account::Account;
use crate::requests::{Route, route};
use crate::value::Map;
use doorward_wire::Endpoint as _;
use doorward_wire::fapi::*;

/// Something that an app wants.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Find out who is there. Settles when that is known.
    Load,
    /// Find it out again. Settles with the user of the active session.
    Reload,
    /// One step of a sign-in or a sign-up, with the parameters of its endpoint. Settles with the attempt.
    Step(Step, Map),
    /// A call about the user's own account. Settles with what the endpoint answers.
    Account(Account),
    /// Make a session the one that is used; `None` for none at all.
    SetActive {
        /// The session; the present one when it is not named.
        session: Option<Option<String>>,
        /// The organization; `None` for the personal account.
        organization: Option<Option<String>>,
    },
    /// End one session, or all of them.
    SignOut {
        /// Which one.
        session: Option<String>,
    },
    /// Settles with a session token that is good for a while yet, or with `null` when nobody is signed in.
    GetToken(TokenQuery),
    /// Tell the server that a session is in use. Settles with the session.
    Touch {
        /// Which one; the active one when it is not named.
        session: Option<String>,
    },
    /// Brings what came of a captcha that the server asked for, with the parameters of its endpoint: the client is asked for none for
    /// a while. Settles with nothing.
    Captcha(Map),
    /// What this core does not know, by name. Settles with an error.
    Unknown(String),
}

/// Which token is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenQuery {
    /// Of which session; the active one when it is not named.
    pub session: Option<String>,
    /// Made from which template.
    pub template: Option<String>,
    /// For which organization.
    pub organization: Option<String>,
    /// Make a new one, whatever there is.
    pub skip_cache: bool,
}

/// What an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    SignIn,
    SignUp,
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $owner:ident, $endpoint:ident;)*) => {
        /// A step of a sign-in or a sign-up.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step { $($(#[$doc])* $name,)* }

        impl Step {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name by which a binding asks for it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The step of a name.
            pub fn named(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }

            pub(crate) fn route(self) -> Route {
                match self { $(Self::$name => route!($endpoint),)* }
            }

            pub(crate) fn owner(self) -> Owner {
                match self { $(Self::$name => Owner::$owner,)* }
            }
        }
    };
}

steps! {
    /// Begins a sign-in.
    SignInCreate = "signIn.create", SignIn, CreateSignIn;
    /// Reads the sign-in again.
    SignInReload = "signIn.reload", SignIn, GetSignIn;
    /// Has a first factor made ready, a code sent for example.
    SignInPrepareFirstFactor = "signIn.prepareFirstFactor", SignIn, PrepareFirstFactor;
    /// Proves a first factor.
    SignInAttemptFirstFactor = "signIn.attemptFirstFactor", SignIn, AttemptFirstFactor;
    /// Has a second factor made ready.
    SignInPrepareSecondFactor = "signIn.prepareSecondFactor", SignIn, PrepareSecondFactor;
    /// Proves a second factor.
    SignInAttemptSecondFactor = "signIn.attemptSecondFactor", SignIn, AttemptSecondFactor;
    /// Sets a new password.
    SignInResetPassword = "signIn.resetPassword", SignIn, ResetPassword;
    /// Begins a sign-up.
    SignUpCreate = "signUp.create", SignUp, CreateSignUp;
    /// Adds to a sign-up.
    SignUpUpdate = "signUp.update", SignUp, UpdateSignUp;
    /// Reads the sign-up again.
    SignUpReload = "signUp.reload", SignUp, GetSignUp;
    /// Has a code sent to an address.
    SignUpPrepareVerification = "signUp.prepareVerification", SignUp, PrepareVerification;
    /// Proves an address.
    SignUpAttemptVerification = "signUp.attemptVerification", SignUp, AttemptVerification;
}
