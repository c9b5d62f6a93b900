//! Sign-in: from "who?" to a session. The state is an enum whose stages own their data; every write of it is guarded by
//! the version that was read, so that two requests cannot both move an attempt on.

mod client_trust;
mod complete;
mod devices;
mod first;
mod guesses;
mod kept;
mod missing;
mod new_password;
mod pretended;
mod provider;
mod second;
mod start;
mod state;

pub use complete::Completed;
pub(crate) use complete::{NewSession, complete_new_session};
pub(crate) use first::finish_link;
pub use first::{attempt_first, prepare_first};
use first::{finish, opened_link, proven_by_link};
pub(crate) use guesses::{refuse_locked, take_guess, was_right, wrong_password};
pub(crate) use kept::current_view;
use kept::{Right, advance, keep, keep_as, load, load_current, new_record, write};
pub(crate) use missing::{Missing, carried_over};
pub use new_password::reset_password;
pub(crate) use pretended::pretended_ksuid;
pub(crate) use provider::{come_back, transferable};
pub use second::{attempt_second, prepare_second};
pub(crate) use start::as_agent;
pub use start::start;
pub(crate) use state::{Proof, verified};
use state::{SignInState, Stage};

use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::identifiers::{self, Identifier};
use crate::settings::Presence;
use crate::web3::Address;
use crate::{enumeration, password, strategies};
use doorward_base::*;
use doorward_store::attempts::AttemptRecord;
use doorward_store::users::{self, UserWithEmails};
use doorward_wire::fapi::{CreateSignIn, SignIn};

/// The names of all first factors, in the order in which they are offered.
pub fn first_factor_names() -> impl Iterator<Item = &'static str> {
    strategies::FIRST_FACTORS.iter().map(|strategy| strategy.name())
}

/// The names of all second factors, in the order in which they are offered.
pub fn second_factor_names() -> impl Iterator<Item = &'static str> {
    strategies::SECOND_FACTORS.iter().map(|strategy| strategy.name())
}

/// A sign-in that was read: the row, what it says, and whose it is.
struct Loaded {
    record: AttemptRecord,
    state: SignInState,
    user: Option<UserWithEmails>,
}

/// Who somebody says they are.
fn named_by(req: &CreateSignIn) -> Option<&str> {
    req.identifier.as_ref()?.as_deref()
}

/// Text that was sent empty counts as not sent.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Reads the current sign-in of a client. One whose link was opened elsewhere goes on now.
///
/// # Errors
/// `resource_not_found` for one that this client never had.
pub async fn get(scope: &Scope, caller: &Caller, current: Current, id: &SignInId) -> Result<Outcome<SignIn>, ApiError> {
    let mut loaded = load(scope, &current, id).await?;
    let is_current = current.record.as_ref().is_some_and(|it| it.sign_in_id.as_ref() == Some(id));
    let link = if is_current { opened_link(scope, &loaded).await? } else { None };
    if let Some(link) = link {
        match proven_by_link(scope, caller, current.clone(), loaded, &link, false).await {
            // Another tab asked at the same time.
            Err(error) if error.code() == codes::CLIENT_STATE_INVALID => loaded = load(scope, &current, id).await?,
            done => return done,
        }
    }
    let value = state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await?;
    Ok(Outcome { value, current })
}

/// Whose an identifier is, if people sign in with it here.
pub(crate) async fn find_user(scope: &Scope, identifier: &str) -> Result<Option<UserWithEmails>, ApiError> {
    let attributes = &scope.instance.settings.attributes;
    // A user name may look like a wallet. What has a key to prove it comes first.
    let wallet = Address::parse(identifier).filter(|_| attributes.web3_wallet != Presence::Off);
    if let Some(wallet) = wallet
        && let Some(found) = users::by_wallet(scope.db(), scope.ins(), wallet.as_str()).await.map_err(internal)?
    {
        return Ok(Some(found));
    }
    match identifiers::parse_identifier(identifier) {
        Some(Identifier::Email(email)) if attributes.email_address != Presence::Off => {
            users::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)
        }
        Some(Identifier::Phone(phone)) if attributes.phone_number != Presence::Off => {
            let found = users::by_phone(scope.db(), scope.ins(), phone.as_str()).await.map_err(internal)?;
            // A number that is kept for second factors says nothing about who somebody is.
            Ok(found.filter(|it| it.phones.iter().any(|own| own.number == phone.as_str() && own.signs_in())))
        }
        Some(Identifier::Username(key)) if attributes.username != Presence::Off => {
            users::by_username(scope.db(), scope.ins(), &key).await.map_err(internal)
        }
        _ => Ok(None),
    }
}

pub(crate) async fn signed_in_as(scope: &Scope, current: &Current, user: &UserId) -> Result<Option<SessionId>, ApiError> {
    let Some(client) = &current.record else { return Ok(None) };
    Ok(client::live_sessions(scope, &client.id).await?.into_iter().find(|(s, _)| &s.user_id == user).map(|(s, _)| s.id))
}

/// A single-session client that is signed in does not start over.
pub(crate) async fn refuse_when_signed_in(scope: &Scope, current: &Current) -> Result<(), ApiError> {
    let Some(client) = &current.record else { return Ok(()) };
    if scope.instance.settings.session.single_session && !client::live_sessions(scope, &client.id).await?.is_empty() {
        return Err(codes::SESSION_EXISTS.into());
    }
    Ok(())
}

/// Refuses early who could not get in anyway; where accounts are hidden, not before they have proven who they are.
fn refuse_banned(scope: &Scope, user: &UserWithEmails) -> Result<(), ApiError> {
    if user.user.banned && !enumeration::hides(scope) { Err(codes::USER_BANNED.into()) } else { Ok(()) }
}

/// Refuses what is not offered after an identifier, whether or not an account has it.
fn refuse_hidden(scope: &Scope, strategy: Option<&str>) -> Result<(), ApiError> {
    match strategy.filter(|name| strategies::hidden(&scope.instance, name)) {
        Some(_) => Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy")),
        None => Ok(()),
    }
}

/// Refuses a right password that is known from a breach, or that a server says is known where no session could wait for a new
/// one. The guess is given back.
async fn refuse_breached(scope: &Scope, caller: &Caller, user: &UserWithEmails, password: &Secret) -> Result<(), ApiError> {
    let answer = if user.user.password_compromised && !caller.knows_pending {
        Err(ApiError::new(codes::FORM_PASSWORD_PWNED).param("password"))
    } else {
        password::refuse_breached_at_sign_in(scope, password).await
    };
    if answer.is_err() {
        let mut tx = scope.db().begin().await.map_err(internal)?;
        was_right(scope, &mut tx, user, false).await?;
        tx.commit().await.map_err(internal)?;
    }
    answer
}
