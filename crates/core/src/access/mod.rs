//! Who may sign up and in: the mode of sign-up, the allow list and the block list, and rules for addresses.

mod identifier;
mod lists;

pub(crate) use identifier::Identifier;
pub use lists::{add, list, remove};

use crate::app::{Scope, internal};
use crate::settings::SignUpMode;
use doorward_base::*;
use doorward_store::access_identifiers::{self, List};
use doorward_store::users::UserWithEmails;

/// How somebody comes to a sign-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entrance {
    /// By themselves.
    Open,
    /// With an invitation: the operator has decided already.
    Invited,
}

/// Decides whether somebody may become a user who has proven, or is about to prove, these identifiers.
///
/// **Every path on which people become users by themselves goes by here**: forms, codes, links, tickets, accounts at other
/// providers, One Tap, wallets, transfers from a sign-in. `sign_up::fill` calls it for what was filled in, so that nobody
/// proves in vain, and `sign_up::settle`, which alone makes such users, calls it last with everything. A new strategy puts
/// what it learned into the sign-up's state and calls `settle`; it makes no user by another way. Users that a server
/// creates do not come by here.
///
/// # Errors
/// `sign_up_mode_restricted`, `sign_up_restricted_waitlist`, `not_allowed_access`.
pub(crate) async fn admit(scope: &Scope, entrance: Entrance, identifiers: &[Identifier<'_>], last: bool) -> Result<(), ApiError> {
    if entrance == Entrance::Open {
        match scope.instance.settings.sign_up.mode {
            SignUpMode::Public => {}
            SignUpMode::Restricted => return Err(codes::SIGN_UP_MODE_RESTRICTED.into()),
            SignUpMode::Waitlist => return Err(codes::SIGN_UP_RESTRICTED_WAITLIST.into()),
        }
    }
    for identifier in identifiers {
        if entrance == Entrance::Open {
            refuse_form(scope, *identifier)?;
        }
        refuse_blocked(scope, *identifier).await?;
    }
    // A person is on the allow list with any of their identifiers; one who has none so far may still name it.
    let asked = entrance == Entrance::Open && (last || !identifiers.is_empty());
    if asked && scope.instance.settings.restrictions.allowlist && !any_allowed(scope, identifiers).await? {
        return Err(not_allowed(identifiers.first().copied()));
    }
    Ok(())
}

/// Decides whether a user may add an identifier, so that nobody signs up with one that is allowed and then goes on with one
/// that is not.
///
/// # Errors
/// `not_allowed_access`.
pub(crate) async fn add_to_account(scope: &Scope, identifier: Identifier<'_>) -> Result<(), ApiError> {
    admissible(scope, identifier).await?;
    if scope.instance.settings.restrictions.allowlist && !any_allowed(scope, &[identifier]).await? {
        return Err(not_allowed(Some(identifier)));
    }
    Ok(())
}

/// Decides whether an identifier may be used at all, whoever is on the allow list: to join the waitlist, as a second factor.
///
/// # Errors
/// `not_allowed_access`.
pub(crate) async fn admissible(scope: &Scope, identifier: Identifier<'_>) -> Result<(), ApiError> {
    refuse_form(scope, identifier)?;
    refuse_blocked(scope, identifier).await
}

/// Decides whether a user who has proven who they are may sign in. What an operator vouched for, by creating the user or by
/// an invitation, counts as allowed. The allow list says nothing of users without any identifier that could be on it.
///
/// # Errors
/// `not_allowed_access`.
pub(crate) async fn sign_in<'u>(scope: &Scope, user: &'u UserWithEmails) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.restrictions;
    if rules.allowlist_blocklist_disabled_on_sign_in || !(rules.allowlist || rules.blocklist) {
        return Ok(());
    }
    // Who has reserved one has vouched for it.
    let by = |strategy: &'u Option<String>, reserved: bool| if reserved { Some("admin") } else { strategy.as_deref() };
    let emails = user.emails.iter().filter(|it| it.is_held());
    let emails = emails.map(|it| (Identifier::Email(&it.address_key), by(&it.strategy, it.reserved)));
    let phones = user.phones.iter().filter(|it| it.is_held());
    let phones = phones.map(|it| (Identifier::Phone(&it.number), by(&it.strategy, it.reserved)));
    let wallets = user.wallets.iter().filter(|it| it.verified).map(|it| (Identifier::Wallet(&it.address), it.strategy.as_deref()));
    let proven: Vec<_> = emails.chain(phones).chain(wallets).collect();
    for (identifier, _) in &proven {
        refuse_blocked(scope, *identifier).await?;
    }
    let vouched_for = proven.iter().any(|(_, strategy)| matches!(strategy, Some("admin" | "ticket")));
    if !rules.allowlist || proven.is_empty() || vouched_for {
        return Ok(());
    }
    let proven: Vec<_> = proven.into_iter().map(|(identifier, _)| identifier).collect();
    if any_allowed(scope, &proven).await? { Ok(()) } else { Err(not_allowed(None)) }
}

/// Without a parameter: where it is met there is no field of that name, and forms show such an error beside the field only.
fn not_allowed(identifier: Option<Identifier<'_>>) -> ApiError {
    let what = identifier.map_or("You", |it| it.noun());
    let verb = if identifier.is_some() { "does" } else { "do" };
    ApiError::new(codes::ACCESS_NOT_ALLOWED).long(format!("{what} {verb} not have access to this application."))
}

/// What an address must not look like. Test addresses may, where there are any: nothing is sent to them.
fn refuse_form(scope: &Scope, identifier: Identifier<'_>) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.restrictions;
    if rules.block_email_subaddresses
        && identifier.is_subaddress()
        && !(scope.instance.takes_test_identifiers() && identifier.is_for_tests())
    {
        return Err(ApiError::new(codes::EMAIL_SUBADDRESS_NOT_ALLOWED).param(identifier.kind()));
    }
    if rules.block_disposable_email_domains && identifier.is_disposable() {
        return Err(ApiError::new(codes::EMAIL_DISPOSABLE_NOT_ALLOWED).param(identifier.kind()));
    }
    Ok(())
}

/// Refuses what is on the block list.
pub(crate) async fn refuse_blocked(scope: &Scope, identifier: Identifier<'_>) -> Result<(), ApiError> {
    if !scope.instance.settings.restrictions.blocklist {
        return Ok(());
    }
    let found = access_identifiers::holds(scope.db(), scope.ins(), List::Block, identifier.blocked_as()).await.map_err(internal)?;
    if found { Err(not_allowed(Some(identifier))) } else { Ok(()) }
}

async fn any_allowed(scope: &Scope, identifiers: &[Identifier<'_>]) -> Result<bool, ApiError> {
    let candidates: Vec<String> = identifiers.iter().flat_map(Identifier::listed_as).collect();
    if candidates.is_empty() {
        return Ok(false);
    }
    access_identifiers::holds(scope.db(), scope.ins(), List::Allow, candidates).await.map_err(internal)
}
