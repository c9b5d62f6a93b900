//! The end of a sign-up: a user and a session.

use super::state::{Done, Proof, Proven, SignUpState, requirements};
use super::view::view;
use super::{Loaded, advance, provider};
use crate::app::{Caller, Scope, internal};
use crate::client::{Current, Outcome};
use crate::identifiers::{Email, Username};
use crate::phone::Phone;
use crate::sign_in::{NewSession, complete_new_session};
use crate::users::{self, NewEmail, NewIdentifiers, NewPhone, NewWallet};
use crate::web3::Address;
use crate::{access, invitations, tasks, verification};
use doorward_base::*;
use doorward_store::users::UserRecord;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::SignUp;

/// Writes the state; when nothing is missing, makes the user and the session in the same transaction. There is no other way
/// for people to become users by themselves: see [`access::admit`].
pub(super) async fn settle(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    consume: Option<VerificationRecord>,
) -> Result<Outcome<SignUp>, ApiError> {
    let open = requirements(scope, &loaded.state);
    // Who gave up at a provider and goes on otherwise needs it no more. Who has said nothing else is still expected back.
    let waits = loaded.state.provider.is_open() && !loaded.state.names_somebody();
    let complete = open.missing.is_empty() && open.unverified.is_empty() && !waits;
    if complete {
        loaded.state.require_human(&scope.instance, loaded.state.provider.strategy().unwrap_or_default())?;
        access::admit(scope, loaded.state.entrance(), &loaded.state.identifiers(), true).await?;
    }
    let tasks = complete && tasks::at_begin(scope, caller, None, false)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(code) = &consume {
        verification::consume(scope, &mut tx, &code.id).await?;
    }
    if !complete {
        advance(scope, &mut tx, &mut loaded).await?;
        tx.commit().await.map_err(internal)?;
        return Ok(Outcome { value: view(scope, &loaded).await?, current });
    }
    let (user, identifiers) = new_user(scope, &loaded.state);
    let mut new = NewSession::prepare(scope, caller, &current, &user.id);
    new.session.tasked = tasks;
    loaded.state.done = Some(Done { user: user.id.clone(), session: new.session.id.clone() });
    let proven = Proven::ALL.into_iter().find(|field| loaded.state.given(*field));
    let proven = proven.filter(|_| loaded.state.password_hash.is_none());
    let strategy = proven.map_or("password", |field| loaded.state.strategy(field));
    let strategy = loaded.state.provider.strategy().unwrap_or(strategy).to_owned();
    let account = provider::account(scope, &loaded, &user.id)?;
    if let Some(invited) = &loaded.state.invited
        && !invitations::accept(scope, &mut tx, &invited.id).await?
    {
        drop(tx);
        return Err(invitations::why_not(scope, &invited.id).await);
    }
    advance(scope, &mut tx, &mut loaded).await?;
    users::insert(scope, &mut tx, user, identifiers).await?;
    if let Some(account) = account {
        account.write(scope, &mut tx).await?;
    }
    let completed = complete_new_session(scope, &mut tx, new, &strategy).await?;
    tx.commit().await.map_err(internal)?;
    Ok(Outcome { value: view(scope, &loaded).await?, current: completed.current })
}

fn new_user(scope: &Scope, state: &SignUpState) -> (UserRecord, NewIdentifiers) {
    let mut user = UserRecord {
        first_name: state.first_name.clone(),
        last_name: state.last_name.clone(),
        locale: state.locale.clone(),
        password_updated_at: state.password_hash.as_ref().map(|_| scope.now),
        password_hash: state.password_hash.clone(),
        unsafe_metadata: serde_json::to_string(&state.unsafe_metadata).unwrap_or_else(|_| "{}".to_owned()),
        legal_accepted_at: state.legal_accepted_at,
        external_id: state.external_id.clone(),
        ..users::blank(scope)
    };
    if let Some(invited) = &state.invited {
        user.public_metadata = serde_json::to_string(&invited.public_metadata).unwrap_or(user.public_metadata);
    }
    let attempts = |field: Proven| match state.proof(field) {
        Proof::Proven { attempts, .. } => Some(*attempts),
        _ => None,
    };
    let emails = state.email.iter().map(|(address, key)| NewEmail {
        email: Email { address: address.clone(), key: key.clone() },
        strategy: Some(state.strategy(Proven::Email).to_owned()),
        attempts: attempts(Proven::Email),
    });
    let phones = state.phone.iter().map(|number| NewPhone {
        phone: Phone::kept(number),
        strategy: Some(state.strategy(Proven::Phone).to_owned()),
        attempts: attempts(Proven::Phone),
    });
    let wallets = state.wallet.as_deref().and_then(Address::parse);
    let wallets = wallets.map(|address| NewWallet { address, strategy: state.strategy(Proven::Wallet).to_owned() });
    let username = state.username.clone().map(|(username, key)| Username { username, key });
    let (emails, phones, wallets) = (emails.collect(), phones.collect(), wallets.into_iter().collect());
    (user, NewIdentifiers { username, emails, phones, wallets })
}
