//! A sign-up as the wire has it.

use super::state::{Proof, Proven, SignUpState, requirements};
use super::{Loaded, provider};
use crate::app::Scope;
use crate::web3::{self, Address};
use crate::{email_link, verification};
use doorward_base::*;
use doorward_wire::fapi::{SignUp, SignUpVerification, SignUpVerifications};

pub(super) async fn view(scope: &Scope, loaded: &Loaded) -> Result<SignUp, ApiError> {
    let Loaded { record, state } = loaded;
    let open = requirements(scope, state);
    let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect();
    let has_password = state.password_hash.is_some();
    Ok(SignUp {
        object: "sign_up_attempt".to_owned(),
        id: record.id.as_str().into(),
        status: status(scope, loaded).to_owned(),
        required_fields: names(&open.required),
        optional_fields: names(&open.optional),
        missing_fields: names(&open.missing),
        unverified_fields: names(&open.unverified),
        verifications: SignUpVerifications {
            email_address: field_verification(scope, state, Proven::Email).await?,
            phone_number: field_verification(scope, state, Proven::Phone).await?,
            web3_wallet: field_verification(scope, state, Proven::Wallet).await?,
            external_account: provider::verification(scope, state).await?,
        },
        username: state.username.as_ref().map(|(name, _)| name.clone()),
        email_address: state.email.as_ref().map(|(address, _)| address.clone()),
        phone_number: state.phone.clone(),
        web3_wallet: state.wallet.clone(),
        password_enabled: has_password,
        has_password,
        first_name: state.first_name.clone(),
        last_name: state.last_name.clone(),
        unsafe_metadata: state.unsafe_metadata.clone(),
        public_metadata: state.invited.as_ref().map(|it| it.public_metadata.clone()).unwrap_or_default(),
        custom_action: state.custom_action,
        external_id: state.external_id.clone(),
        created_session_id: state.done.as_ref().map(|done| done.session.clone()),
        created_user_id: state.done.as_ref().map(|done| done.user.clone()),
        abandon_at: record.abandon_at,
        legal_accepted_at: state.legal_accepted_at,
        locale: state.locale.clone(),
        protect_check: None,
    })
}

fn status(scope: &Scope, loaded: &Loaded) -> &'static str {
    match &loaded.state.done {
        Some(_) => "complete",
        None if loaded.record.abandon_at <= scope.now => "abandoned",
        None => "missing_requirements",
    }
}

async fn field_verification(scope: &Scope, state: &SignUpState, field: Proven) -> Result<Option<SignUpVerification>, ApiError> {
    if !state.given(field) {
        return Ok(None);
    }
    let blank = SignUpVerification {
        object: if field == Proven::Wallet { "verification_web3" } else { "verification_otp" }.to_owned(),
        status: "unverified".to_owned(),
        strategy: None,
        attempts: None,
        expire_at: None,
        next_action: "needs_prepare".to_owned(),
        supported_strategies: supported_strategies(scope, state, field),
        channel: state.phone_channel.clone().filter(|_| field == Proven::Phone),
        nonce: None,
        message: None,
    };
    Ok(Some(match state.proof(field) {
        Proof::Unsent => blank,
        Proof::Proven { attempts, at, by } => SignUpVerification {
            object: match by {
                Some(strategy) if strategy.starts_with("from_oauth_") => "verification_from_oauth".to_owned(),
                Some(strategy) => format!("verification_{strategy}"),
                None => blank.object,
            },
            status: "verified".to_owned(),
            strategy: Some(state.strategy(field).to_owned()),
            attempts: Some(*attempts),
            expire_at: Some(*at),
            next_action: String::new(),
            ..blank
        },
        Proof::Sent { verification } => match verification::load(scope, verification).await? {
            None => blank,
            Some(record) => {
                let shown = verification::show(scope, &record)?;
                let next = if shown.status == "unverified" { "needs_attempt" } else { "needs_prepare" };
                SignUpVerification {
                    object: shown.object,
                    status: shown.status,
                    strategy: Some(shown.strategy),
                    attempts: shown.attempts,
                    expire_at: shown.expire_at,
                    next_action: next.to_owned(),
                    channel: shown.channel,
                    nonce: shown.nonce,
                    message: shown.message,
                    ..blank
                }
            }
        },
    }))
}

/// What a field can be proven by.
fn supported_strategies(scope: &Scope, state: &SignUpState, field: Proven) -> Vec<String> {
    let settings = &scope.instance.settings;
    match field {
        Proven::Email if settings.attributes.email_link => vec!["email_code".to_owned(), email_link::STRATEGY.to_owned()],
        Proven::Email => vec!["email_code".to_owned()],
        Proven::Phone => vec!["phone_code".to_owned()],
        Proven::Wallet => {
            let chain = state.wallet.as_deref().and_then(Address::parse).map(|it| it.chain());
            settings.web3.strategies.iter().filter(|name| web3::chain_of(name) == chain).cloned().collect()
        }
    }
}
