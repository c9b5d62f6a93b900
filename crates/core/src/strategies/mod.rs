//! Ways to prove who one is. A strategy is one file behind [`Strategy`]; it knows the user and the instance, and nothing
//! of HTTP or of other strategies.

mod backup_code;
mod email_code;
mod email_link;
mod params;
mod passkey;
mod password;
mod phone_code;
mod reset_password_email_code;
mod reset_password_phone_code;
mod totp;
mod web3;

pub(crate) use params::FactorParams;

use crate::app::{Caller, Scope, internal};
use crate::identifiers::{self, Email, Identifier};
use crate::instance::Instance;
use crate::oauth;
use crate::phone::Phone;
use crate::settings::Presence;
use crate::users::{FirstProof, email_proves, phone_proves};
use crate::verification::NewCode;
use crate::web3::Address;
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::second_factors;
use doorward_store::users::{self, PhoneRecord, UserWithEmails};
use doorward_wire::fapi::Factor;
use std::future::Future;
use std::pin::Pin;

pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ApiError>> + Send + 'a>>;

/// What a proof allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    /// Signing in.
    SignIn,
    /// Choosing a new password, and then signing in.
    NewPassword,
}

/// What a proof uses up, in the transaction that makes use of the proof.
#[derive(Clone, Debug)]
pub(crate) enum Consume {
    /// A challenge.
    Verification(VerificationId),
    /// A code or a link, unless that was used when it was opened; and what it proves for the first time.
    Sent { verification: Option<VerificationId>, proves: Option<Box<FirstProof>> },
    /// A time step of an authenticator app.
    TotpStep(i64),
    /// A backup code, by its hash.
    BackupCode(String),
    /// A ticket, by its id, with what it answers that somebody else has used meanwhile.
    Ticket { id: String, used: &'static Code },
    /// An invitation, and what it makes of the public metadata that the user had.
    Invitation { id: InvitationId, before: String, after: String },
    /// A challenge, and the count of the signature that answered it.
    Passkey { verification: VerificationId, used: doorward_store::passkeys::Use },
    /// A challenge, and the device that answered it.
    TrustedDevice { verification: VerificationId, device: TrustedDeviceId },
    /// A visit to a provider, and the account that it proved.
    Provider { verification: Option<VerificationId>, account: Option<Box<oauth::Account>> },
}

/// Uses a proof up. Exactly one of several requests with the same proof gets through.
pub(crate) async fn consume(scope: &Scope, tx: &mut Tx, user: &UserId, what: &Consume) -> Result<(), ApiError> {
    let first = match what {
        Consume::Ticket { id, used } => {
            let first = doorward_store::tickets::accept(tx, scope.ins(), id, scope.now).await.map_err(internal)?;
            return if first { Ok(()) } else { Err((*used).into()) };
        }
        Consume::Invitation { id, before, after } => {
            if !crate::invitations::accept(scope, tx, id).await? {
                return Err(codes::INVITATION_ALREADY_ACCEPTED.into());
            }
            let metadata = (before.as_str(), after.as_str());
            let same = before == after;
            let done = same || users::replace_public_metadata(tx, scope.ins(), user, metadata, scope.now).await.map_err(internal)?;
            return if done { Ok(()) } else { Err(codes::CONFLICT.into()) };
        }
        Consume::Passkey { verification, used } => {
            crate::verification::consume(scope, tx, verification).await?;
            let counted = doorward_store::passkeys::used(tx, scope.ins(), user, used, scope.now).await.map_err(internal)?;
            return if counted { Ok(()) } else { Err(codes::PASSKEY_AUTHENTICATION_FAILURE.into()) };
        }
        Consume::TrustedDevice { verification, device } => {
            crate::verification::consume(scope, tx, verification).await?;
            let used = doorward_store::trusted_devices::used(tx, scope.ins(), device, scope.now).await.map_err(internal)?;
            return if used { Ok(()) } else { Err(ApiError::not_found("Trusted device", device)) };
        }
        Consume::Provider { verification, account } => {
            if let Some(id) = verification {
                crate::verification::consume(scope, tx, id).await?;
            }
            return match account {
                Some(account) => account.write(scope, tx).await,
                None => Ok(()),
            };
        }
        Consume::Verification(id) => return crate::verification::consume(scope, tx, id).await,
        Consume::Sent { verification, proves } => {
            if let Some(id) = verification {
                crate::verification::consume(scope, tx, id).await?;
            }
            return match proves {
                Some(proof) => proof.write(scope, tx, user).await,
                None => Ok(()),
            };
        }
        Consume::TotpStep(step) => second_factors::use_totp_step(tx, scope.ins(), user, *step, scope.now).await,
        Consume::BackupCode(hash) => second_factors::use_backup_code(tx, scope.ins(), user, hash).await,
    };
    if first.map_err(internal)? { Ok(()) } else { Err(ApiError::new(codes::FORM_CODE_INCORRECT).param("code")) }
}

/// A proof that was given.
pub(crate) struct Proven {
    pub grants: Grants,
    pub consume: Option<Consume>,
    pub attempts: i64,
    /// Whether it stands for two factors, as a passkey that checked its user does.
    pub both: bool,
}

/// What an attempt comes with.
pub(crate) struct Attempt<'a> {
    pub scope: &'a Scope,
    pub user: &'a UserWithEmails,
    /// The attempt's id: codes belong to it.
    pub owner: &'a str,
    pub verification: Option<&'a VerificationId>,
    pub params: &'a FactorParams,
}

/// What a preparation comes with.
pub(crate) struct Prepare<'a> {
    pub scope: &'a Scope,
    pub caller: &'a Caller,
    pub user: &'a UserWithEmails,
    pub owner: &'a str,
    /// By what the user was found, where somebody has said it.
    pub identifier: Option<&'a str>,
    pub params: &'a FactorParams,
}

/// One way to prove who one is.
pub(crate) trait Strategy: Sync {
    /// The name on the wire.
    fn name(&self) -> &'static str;
    /// How this user can use it; empty when they cannot.
    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor>;
    /// Makes what is to be sent. Refused by strategies that have nothing to send.
    fn prepare<'a>(&'a self, _: Prepare<'a>) -> Answer<'a, NewCode> {
        Box::pin(async { Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")) })
    }
    /// Checks a proof.
    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven>;
}

/// All first factors, in the order in which they are offered.
pub(crate) static FIRST_FACTORS: &[&dyn Strategy] = &[
    &password::Password,
    &email_code::EmailCode,
    &email_link::EmailLink,
    &phone_code::PhoneCode,
    &passkey::Passkey,
    &reset_password_email_code::ResetPasswordEmailCode,
    &reset_password_phone_code::ResetPasswordPhoneCode,
    &web3::Web3("web3_metamask_signature"),
    &web3::Web3("web3_base_signature"),
    &web3::Web3("web3_coinbase_wallet_signature"),
    &web3::Web3("web3_okx_wallet_signature"),
    &web3::Web3("web3_solana_signature"),
];

/// All second factors, in the order in which they are offered.
pub(crate) static SECOND_FACTORS: &[&dyn Strategy] = &[&totp::Totp, &phone_code::SecondPhoneCode, &backup_code::BackupCode];

/// A strategy as a proof of the device, whether or not people sign in by it: who has an address or a number can always be asked.
struct OnDevice(&'static dyn Strategy, fn(&Instance, &UserWithEmails) -> Vec<Factor>);

impl Strategy for OnDevice {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn factors(&self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        self.1(instance, user)
    }

    fn prepare<'a>(&'a self, with: Prepare<'a>) -> Answer<'a, NewCode> {
        self.0.prepare(with)
    }

    fn attempt<'a>(&'a self, with: Attempt<'a>) -> Answer<'a, Proven> {
        self.0.attempt(with)
    }
}

fn by_mail(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    if instance.settings.attributes.email_address == Presence::Off { Vec::new() } else { email_factors("email_code", user) }
}

fn by_text(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    if instance.settings.attributes.phone_number == Presence::Off { Vec::new() } else { phone_factors("phone_code", user, false) }
}

/// What proves a device that is new, in the order in which they are offered.
static DEVICE_FACTORS: &[&dyn Strategy] = &[&OnDevice(&email_code::EmailCode, by_mail), &OnDevice(&phone_code::PhoneCode, by_text)];

/// What a user can prove a new device by.
pub(crate) fn device_factors(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    DEVICE_FACTORS.iter().flat_map(|strategy| strategy.factors(instance, user)).collect()
}

/// The factor of a name, if this user can prove a new device by it.
pub(crate) fn device_factor(instance: &Instance, user: &UserWithEmails, name: &str) -> Result<&'static dyn Strategy, ApiError> {
    of_user(DEVICE_FACTORS, instance, user, name)
}

/// The first factors that a user has.
pub(crate) fn first_factors(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    let mut all: Vec<Factor> = FIRST_FACTORS.iter().flat_map(|strategy| strategy.factors(instance, user)).collect();
    all.extend(provider_factors(instance, user));
    all
}

/// Whether a proof is something that can be guessed: a signature, a link and a visit to a provider are not.
pub(crate) fn is_guessed(name: &str) -> bool {
    name == "password" || name == "totp" || name.ends_with("_code")
}

/// Whether a user has a way in. One that only leads to a new password is none.
pub(crate) fn enters(instance: &Instance, user: &UserWithEmails) -> bool {
    first_factors(instance, user).iter().any(|factor| !factor.strategy.starts_with("reset_password"))
}

/// The providers that a user has connected and can sign in with. The browser goes there, so nothing is attempted here.
fn provider_factors(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    let mut out: Vec<Factor> = Vec::new();
    for account in user.external_accounts.iter().filter(|it| it.status == "verified") {
        let usable = oauth::find(instance, &account.strategy).is_some_and(|it| it.settings.authenticatable);
        if usable && out.iter().all(|factor| factor.strategy != account.strategy) {
            out.push(Factor { strategy: account.strategy.clone(), ..Factor::default() });
        }
    }
    out
}

/// Whether a factor is not offered to somebody who only named an account: who has none cannot be given what it would ask.
pub(crate) fn hidden(instance: &Instance, name: &str) -> bool {
    let discloses = name == crate::passkeys::STRATEGY || oauth::is_redirect(name);
    discloses && instance.settings.attack_protection.enumeration_protection
}

/// The second factors that a user has. Backup codes alone are none: they stand in for another one.
pub(crate) fn second_factors(instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
    let all: Vec<Factor> = SECOND_FACTORS.iter().flat_map(|strategy| strategy.factors(instance, user)).collect();
    if all.iter().all(|factor| factor.strategy == "backup_code") { Vec::new() } else { all }
}

/// The first factor of a name, if this user can use it.
pub(crate) fn first_factor(instance: &Instance, user: &UserWithEmails, name: &str) -> Result<&'static dyn Strategy, ApiError> {
    of_user(FIRST_FACTORS, instance, user, name)
}

/// The second factor of a name, if this user can use it.
pub(crate) fn second_factor(instance: &Instance, user: &UserWithEmails, name: &str) -> Result<&'static dyn Strategy, ApiError> {
    of_user(SECOND_FACTORS, instance, user, name)
}

fn of_user(
    all: &'static [&'static dyn Strategy],
    instance: &Instance,
    user: &UserWithEmails,
    name: &str,
) -> Result<&'static dyn Strategy, ApiError> {
    let known = all.iter().find(|strategy| strategy.name() == name);
    let known = known.ok_or_else(|| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"))?;
    if known.factors(instance, user).is_empty() {
        return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy"));
    }
    Ok(*known)
}

/// The factors of a strategy that sends a code to an address.
pub(crate) fn email_factors(strategy: &str, user: &UserWithEmails) -> Vec<Factor> {
    let primary = user.user.primary_email_address_id.as_ref();
    user.emails
        .iter()
        .filter(|email| email_proves(user, email))
        .map(|email| Factor {
            strategy: strategy.to_owned(),
            email_address_id: Some(email.id.clone()),
            safe_identifier: Some(crate::identifiers::mask_email(&email.address)),
            primary: Some(primary == Some(&email.id)),
            ..Factor::default()
        })
        .collect()
}

/// The address, number or wallet of a user that somebody named.
pub(crate) fn named<'u>(user: &'u UserWithEmails, identifier: Option<&str>) -> Option<&'u IdentificationId> {
    let identifier = identifier?;
    if let Some(address) = Address::parse(identifier) {
        return user.wallets.iter().find(|it| it.address == address.as_str()).map(|it| &it.id);
    }
    match identifiers::parse_identifier(identifier)? {
        Identifier::Email(email) => user.emails.iter().find(|it| email_proves(user, it) && it.address_key == email.key).map(|it| &it.id),
        Identifier::Phone(phone) => user.phones.iter().find(|it| phone_proves(user, it) && it.number == phone.as_str()).map(|it| &it.id),
        Identifier::Username(_) => None,
    }
}

/// One of the addresses that the user holds, with its id: the one that is asked for, or the one that somebody named, or the primary
/// one.
fn chosen_email(with: &Prepare<'_>) -> Result<(IdentificationId, Email), ApiError> {
    let named = named(with.user, with.identifier);
    let primary = with.user.user.primary_email_address_id.as_ref();
    let held = || with.user.emails.iter().filter(|email| email_proves(with.user, email));
    let email = match with.params.email_address_id() {
        Some(id) => held().find(|email| email.id.as_str() == id),
        None => held().min_by_key(|email| (Some(&email.id) != named, Some(&email.id) != primary)),
    };
    let email = email.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param("email_address_id"))?;
    Ok((email.id.clone(), Email { address: email.address.clone(), key: email.address_key.clone() }))
}

/// Makes a code for one of the addresses that the user holds.
pub(crate) async fn email_code_for(with: Prepare<'_>, strategy: &str) -> Result<NewCode, ApiError> {
    let (id, email) = chosen_email(&with)?;
    let locale = with.user.user.locale.as_deref();
    let code = crate::verification::new_code(with.scope, with.owner, strategy, &email, locale).await?;
    Ok(code.about(&with.user.user.id, &id))
}

/// The factors of a strategy that sends a code to a number: those kept for second factors, or the others.
pub(crate) fn phone_factors(strategy: &str, user: &UserWithEmails, second: bool) -> Vec<Factor> {
    let primary = user.user.primary_phone_number_id.as_ref();
    user.phones
        .iter()
        .filter(|phone| phone_proves(user, phone) && phone.second_factor == second)
        .map(|phone| Factor {
            strategy: strategy.to_owned(),
            phone_number_id: Some(phone.id.clone()),
            safe_identifier: Some(crate::phone::mask(&phone.number)),
            primary: (!second).then_some(primary == Some(&phone.id)),
            default: Some(phone.default_second_factor),
            ..Factor::default()
        })
        .collect()
}

/// Makes a code for one of the numbers that the user holds: the one that is asked for, or the one that somebody named, or the one that
/// comes first.
pub(crate) async fn phone_code_for(with: Prepare<'_>, strategy: &str, second: bool) -> Result<NewCode, ApiError> {
    let channel = crate::sms::channel(with.scope, with.params.channel.as_deref())?;
    let named = named(with.user, with.identifier);
    let primary = with.user.user.primary_phone_number_id.as_ref();
    let usable = || with.user.phones.iter().filter(|phone| phone_proves(with.user, phone) && phone.second_factor == second);
    let is_first = |phone: &PhoneRecord| if second { phone.default_second_factor } else { Some(&phone.id) == primary };
    let phone = match with.params.phone_number_id() {
        Some(id) => usable().find(|phone| phone.id.as_str() == id),
        None => usable().min_by_key(|phone| (Some(&phone.id) != named, !is_first(phone))),
    };
    let phone = phone.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param("phone_number_id"))?;
    let (number, words) = (Phone::kept(&phone.number), (channel, with.user.user.locale.as_deref()));
    let code = crate::verification::new_phone_code(with.scope, with.owner, strategy, &number, words).await?;
    Ok(code.about(&with.user.user.id, &phone.id))
}

/// Whether what was sent to an address or a number went to one that is still the user's: whoever has it after them proves nothing.
pub(crate) fn is_theirs(user: &UserWithEmails, target: &str) -> bool {
    let address = user.emails.iter().any(|it| email_proves(user, it) && it.address_key == target);
    address || user.phones.iter().any(|it| phone_proves(user, it) && it.number == target)
}

/// Checks a code of this attempt.
pub(crate) async fn attempt_code(with: Attempt<'_>, strategy: &str, grants: Grants) -> Result<Proven, ApiError> {
    let id = with.verification.ok_or(codes::VERIFICATION_MISSING)?;
    let guess = crate::sign_in::take_guess(with.scope, &with.user.user).await?;
    let came = crate::verification::try_code(with.scope, id, with.owner, strategy, with.params.code()).await;
    let record = guess.judged(with.scope, with.user, came).await?;
    if !is_theirs(with.user, &record.target_id) {
        return Err(crate::enumeration::incorrect());
    }
    let proves = FirstProof::of(with.scope, with.user, &record.target_id, &record.strategy, record.attempts).map(Box::new);
    let consume = Some(Consume::Sent { verification: Some(record.id), proves });
    Ok(Proven { grants, consume, attempts: record.attempts, both: false })
}
