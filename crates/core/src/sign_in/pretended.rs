//! Sign-ins of nobody, where the instance does not tell who has an account: what they offer, send and answer is what
//! somebody's would.

use super::{filled, wrong_password};
use crate::app::{Caller, Scope};
use crate::identifiers::{self, Identifier};
use crate::settings::Presence;
use crate::strategies::{self, FactorParams};
use crate::web3::{self, Address};
use crate::{email_link, enumeration, sms, verification};
use doorward_base::*;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::Factor;

/// With enumeration protection a sign-in goes by the identifier that was named, and not by whatever else its user has:
/// what is offered, and what can be asked for, is the same as if nobody had it.
pub(super) fn narrow(
    scope: &Scope,
    identifier: &str,
    user: Option<&UserWithEmails>,
    name: &str,
    params: &mut FactorParams,
) -> Result<(), ApiError> {
    if enumeration::hides(scope) { narrow_to_named(scope, identifier, user, name, params) } else { Ok(()) }
}

/// Takes the factor that goes with the identifier, and refuses what goes by another one.
pub(super) fn narrow_to_named(
    scope: &Scope,
    identifier: &str,
    user: Option<&UserWithEmails>,
    name: &str,
    params: &mut FactorParams,
) -> Result<(), ApiError> {
    let offered = named_factors(scope, identifier, user);
    let invalid = || ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy");
    let factor = offered.into_iter().find(|it| it.strategy == name).ok_or_else(invalid)?;
    for (asked, own, param) in [
        (&mut params.email_address_id, factor.email_address_id, "email_address_id"),
        (&mut params.phone_number_id, factor.phone_number_id, "phone_number_id"),
        (&mut params.web3_wallet_id, factor.web3_wallet_id, "web3_wallet_id"),
    ] {
        let own = own.map(|id| id.to_string());
        if filled(asked.as_deref()).is_some_and(|asked| Some(asked) != own.as_deref()) {
            return Err(ApiError::new(codes::FORM_RESOURCE_MISSING).param(param));
        }
        *asked = own;
    }
    Ok(())
}

/// A code for somebody whom nobody knows. As long as it is not sent, its counter, its end and its limits are those of a real one.
pub(super) async fn pretend_code(
    scope: &Scope,
    caller: &Caller,
    owner: &str,
    strategy: &str,
    identifier: &str,
    params: &FactorParams,
) -> Result<verification::NewCode, ApiError> {
    let known = strategies::FIRST_FACTORS.iter().any(|s| s.name() == strategy);
    if let (Some(_), Some(address)) = (web3::chain_of(strategy), Address::parse(identifier)) {
        return web3::ask(scope, caller, owner, strategy, "", &address);
    }
    match identifiers::parse_identifier(identifier).filter(|_| known) {
        Some(Identifier::Email(email)) if strategy == email_link::STRATEGY => {
            email_link::new_link(scope, owner, &email, params.redirect_url.as_deref(), ("magic_link_sign_in", None)).await
        }
        Some(Identifier::Email(email)) if strategy.ends_with("email_code") => {
            verification::new_code(scope, owner, strategy, &email, None).await
        }
        Some(Identifier::Phone(phone)) if strategy.ends_with("phone_code") => {
            let channel = sms::channel(scope, params.channel.as_deref())?;
            verification::new_phone_code(scope, owner, strategy, &phone, (channel, None)).await
        }
        // A password is not sent.
        _ => Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")),
    }
}

/// What a sign-in of nobody answers: the errors of somebody's.
pub(super) async fn pretend_attempt(
    scope: &Scope,
    name: &str,
    owner: &str,
    verification: Option<&VerificationId>,
    params: &FactorParams,
) -> ApiError {
    if strategies::is_guessed(name)
        && let Err(error) = enumeration::pretend_guess(scope).await
    {
        return error;
    }
    match (name, params.password(), verification) {
        ("password", Some(password), _) => match scope.app.passwords.verify(password, None).await {
            Ok(_) => wrong_password(scope),
            Err(error) => error,
        },
        ("password", None, _) => ApiError::new(codes::FORM_PARAM_MISSING).param("password"),
        (_, _, Some(id)) if web3::chain_of(name).is_some() => {
            match web3::prove(scope, id, owner, name, params.signature.as_deref()).await {
                // The wallet is theirs, but nobody's account has it.
                Ok(_) => ApiError::new(codes::FORM_INCORRECT_SIGNATURE).param("signature"),
                Err(error) => error,
            }
        }
        (_, _, Some(id)) => match verification::try_code(scope, id, owner, name, params.code()).await {
            // Somebody guessed the code that was never sent; there is still nobody to sign in.
            Ok(_) => ApiError::new(codes::FORM_CODE_INCORRECT).param("code"),
            Err(error) => error,
        },
        (_, _, None) => codes::VERIFICATION_MISSING.into(),
    }
}

/// The factors that go with an identifier, whoever has it and whatever else they have: those of nobody, with the user's own
/// ids in them.
pub(super) fn named_factors(scope: &Scope, identifier: &str, user: Option<&UserWithEmails>) -> Vec<Factor> {
    let mut all = pretended_factors(scope, identifier);
    let (Some(user), named) = (user, identifiers::parse_identifier(identifier)) else { return all };
    let wallet = Address::parse(identifier);
    let wallet = user.wallets.iter().find(|it| wallet.as_ref().is_some_and(|named| named.as_str() == it.address));
    let email = user.emails.iter().find(|it| matches!(&named, Some(Identifier::Email(email)) if email.key == it.address_key));
    let phone = user.phones.iter().find(|it| matches!(&named, Some(Identifier::Phone(phone)) if phone.as_str() == it.number));
    for factor in &mut all {
        for (shown, own) in [
            (&mut factor.email_address_id, email.map(|it| &it.id)),
            (&mut factor.phone_number_id, phone.map(|it| &it.id)),
            (&mut factor.web3_wallet_id, wallet.map(|it| &it.id)),
        ] {
            if let (Some(shown), Some(own)) = (shown, own) {
                *shown = own.clone();
            }
        }
    }
    all
}

/// The factors that an account with this identifier would have. The same identifier gets the same ids each time.
fn pretended_factors(scope: &Scope, identifier: &str) -> Vec<Factor> {
    let attributes = &scope.instance.settings.attributes;
    let mut out = Vec::new();
    let plain = |strategy: &str| Factor { strategy: strategy.to_owned(), ..Factor::default() };
    if attributes.password != Presence::Off {
        out.push(plain("password"));
    }
    let id = |key: &str| {
        let hash = scope.app.sealer.code_hash(&format!("{}:pretended", scope.ins()), key);
        Some(IdentificationId::from(format!("{}{}", IdentificationId::PREFIX, pretended_ksuid(&hash))))
    };
    if let Some(address) = Address::parse(identifier).filter(|_| attributes.web3_wallet != Presence::Off) {
        let of_chain = |name: &&String| web3::chain_of(name) == Some(address.chain());
        let wallet = |name| Factor { web3_wallet_id: id(address.as_str()), ..plain(name) };
        out.extend(scope.instance.settings.web3.strategies.iter().filter(of_chain).map(|name| wallet(name)));
        return out;
    }
    let (coded, signs_in) = match identifiers::parse_identifier(identifier) {
        Some(Identifier::Email(email)) => {
            let safe_identifier = Some(identifiers::mask_email(&email.address));
            (Factor { email_address_id: id(&email.key), safe_identifier, ..plain("email_code") }, attributes.email_code)
        }
        Some(Identifier::Phone(phone)) => {
            let safe_identifier = Some(crate::phone::mask(phone.as_str()));
            let default = Some(false);
            (Factor { phone_number_id: id(phone.as_str()), safe_identifier, default, ..plain("phone_code") }, attributes.phone_code)
        }
        _ => return out,
    };
    let coded = Factor { primary: Some(true), ..coded };
    if signs_in {
        out.push(coded.clone());
    }
    if coded.email_address_id.is_some() && attributes.email_link {
        out.push(Factor { strategy: "email_link".to_owned(), ..coded.clone() });
    }
    if attributes.password != Presence::Off {
        out.push(Factor { strategy: format!("reset_password_{}", coded.strategy), ..coded });
    }
    out
}

/// 27 characters that look like those of an id.
pub(crate) fn pretended_ksuid(hash: &str) -> String {
    format!("3{}", &hash[..26])
}
