//! What a person fills in.

use super::provider;
use super::state::{Invited, Proof, Proven, SignUpState};
use crate::app::{Scope, internal};
use crate::identifiers::Identifier;
use crate::settings::Presence;
use crate::sign_in::{Missing, filled};
use crate::web3::Address;
use crate::{access, email_link, enumeration, identifiers, invitations, password, sms, users};
use doorward_base::*;
use doorward_store::users as user_store;
use doorward_wire::fapi::SignUpFields;

/// The strategy of invitations.
const TICKET: &str = "ticket";

/// Takes what the person filled in. A field that the instance does not take is refused by name.
pub(super) async fn fill(scope: &Scope, state: &mut SignUpState, fields: &SignUpFields) -> Result<(), ApiError> {
    let settings = &scope.instance.settings;
    let attributes = &settings.attributes;
    let strategy = filled(fields.strategy.as_deref());
    if strategy.is_some_and(|s| !matches!(s, TICKET | "password") && !provider::is_one(s) && Proven::by(Some(s)).is_err()) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"));
    }
    if strategy == Some(TICKET) || strategy.is_none() && filled(fields.ticket.as_deref()).is_some() {
        with_invitation(scope, state, fields.ticket.as_deref()).await?;
    }
    access::admit(scope, state.entrance(), &[], false).await?;
    let taken = |name: &'static str, presence: Presence, value: Option<&str>| match filled(value) {
        Some(_) if presence == Presence::Off => Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param(name)),
        value => Ok(value.map(str::to_owned)),
    };
    if let Some(text) = taken("email_address", attributes.email_address, fields.email_address.as_deref())? {
        set_email(scope, state, &text).await?;
    }
    if let Some(text) = taken("phone_number", attributes.phone_number, fields.phone_number.as_deref())? {
        set_phone(scope, state, &text).await?;
    }
    if let Some(text) = taken("web3_wallet", attributes.web3_wallet, fields.web3_wallet.as_deref())? {
        set_wallet(scope, state, &users::read_wallet(&text)?).await?;
    }
    if let Some(channel) = filled(fields.channel.as_deref()) {
        state.phone_channel = Some(sms::channel(scope, Some(channel))?.as_str().to_owned());
    }
    access::admit(scope, state.entrance(), &state.identifiers(), false).await?;
    if let Some(text) = taken("username", attributes.username, fields.username.as_deref())? {
        let name = identifiers::parse_username(&settings.username, &text)?;
        if user_store::by_username(scope.db(), scope.ins(), &name.key).await.map_err(internal)?.is_some() {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("username"));
        }
        state.username = Some((name.username, name.key));
    }
    for (name, presence, value, field) in [
        ("first_name", attributes.first_name, &fields.first_name, &mut state.first_name),
        ("last_name", attributes.last_name, &fields.last_name, &mut state.last_name),
    ] {
        if let Some(text) = taken(name, presence, value.as_deref())? {
            users::check_name(Some(&text), name)?;
            *field = Some(text);
        }
    }
    if let Some(locale) = filled(fields.locale.as_deref()) {
        // SDKs send the browser's language unasked; a strange one is not the person's fault.
        state.locale = Some(locale.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).take(35).collect());
    }
    if let Some(metadata) = &fields.unsafe_metadata {
        users::metadata_text(metadata, "unsafe_metadata")?;
        state.unsafe_metadata = metadata.clone();
    }
    match fields.legal_accepted {
        Some(true) => state.legal_accepted_at = Some(state.legal_accepted_at.unwrap_or(scope.now)),
        Some(false) if settings.sign_up.legal_consent => return Err(ApiError::new(codes::LEGAL_NOT_ACCEPTED).param("legal_accepted")),
        _ => {}
    }
    match fields.password.as_deref().filter(|p| !p.is_empty()) {
        Some(text) => set_password(scope, state, &Secret::from(text)).await,
        None => Ok(()),
    }
}

async fn set_password(scope: &Scope, state: &mut SignUpState, text: &Secret) -> Result<(), ApiError> {
    if scope.instance.settings.attributes.password == Presence::Off {
        return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("password"));
    }
    password::accept(scope, text, "password").await?;
    state.password_hash = Some(scope.app.passwords.hash(text, &scope.app.rng).await?);
    Ok(())
}

/// An invitation proves its address, and nothing else: the address stays the one that was invited.
async fn with_invitation(scope: &Scope, state: &mut SignUpState, token: Option<&str>) -> Result<(), ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let it = invitations::open(scope, token).await?.ok_or(codes::TICKET_INVALID)?;
    if state.invited.as_ref().is_some_and(|invited| invited.id == it.id) {
        return Ok(());
    }
    if user_store::by_email(scope.db(), scope.ins(), &it.email_key).await.map_err(internal)?.is_some() {
        return Err(codes::INVITATION_ACCOUNT_EXISTS.into());
    }
    state.invited = Some(Invited { id: it.id.clone(), public_metadata: invitations::metadata(&it) });
    state.email = Some((it.email_address, it.email_key));
    state.email_proof = Proof::Proven { attempts: 1, at: scope.now, by: Some(TICKET.to_owned()) };
    Ok(())
}

/// Takes over what a sign-in has proven of somebody whom nobody knows.
pub(super) async fn take_over(scope: &Scope, state: &mut SignUpState, it: &Missing) -> Result<(), ApiError> {
    let by = (it.proof.strategy == email_link::STRATEGY).then(|| it.proof.strategy.clone());
    let proof = Proof::Proven { attempts: it.proof.attempts, at: it.proof.at, by };
    match &it.identifier {
        Identifier::Email(email) => {
            set_email(scope, state, &email.address).await?;
            state.email_proof = proof;
        }
        Identifier::Phone(phone) => {
            set_phone(scope, state, phone.as_str()).await?;
            state.phone_proof = proof;
        }
        Identifier::Username(_) => {}
    }
    Ok(())
}

async fn set_email(scope: &Scope, state: &mut SignUpState, text: &str) -> Result<(), ApiError> {
    let email = identifiers::parse_email(text).ok_or_else(|| {
        ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("email_address").long("email_address must be a valid email address.")
    })?;
    if state.email.as_ref().is_some_and(|(_, key)| key == &email.key) {
        return Ok(());
    }
    if state.invited.is_some() {
        let error = ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("email_address");
        return Err(error.long("The invitation is for another address."));
    }
    let found = user_store::by_email(scope.db(), scope.ins(), &email.key).await.map_err(internal)?;
    enumeration::refuse_taken(scope, found.is_some(), "email_address")?;
    // A new address is unproven, whatever was proven before it.
    state.email = Some((email.address, email.key));
    state.email_proof = Proof::Unsent;
    Ok(())
}

async fn set_phone(scope: &Scope, state: &mut SignUpState, text: &str) -> Result<(), ApiError> {
    let phone = users::read_phone(scope, text)?;
    if state.phone.as_deref() == Some(phone.as_str()) {
        return Ok(());
    }
    let found = user_store::by_phone(scope.db(), scope.ins(), phone.as_str()).await.map_err(internal)?;
    enumeration::refuse_taken(scope, found.is_some(), "phone_number")?;
    state.phone = Some(phone.as_str().to_owned());
    state.phone_proof = Proof::Unsent;
    Ok(())
}

async fn set_wallet(scope: &Scope, state: &mut SignUpState, address: &Address) -> Result<(), ApiError> {
    if state.wallet.as_deref() == Some(address.as_str()) {
        return Ok(());
    }
    let found = user_store::by_wallet(scope.db(), scope.ins(), address.as_str()).await.map_err(internal)?;
    enumeration::refuse_taken(scope, found.is_some(), "web3_wallet")?;
    state.wallet = Some(address.as_str().to_owned());
    state.wallet_proof = Proof::Unsent;
    Ok(())
}
