use super::pretended::named_factors;
use crate::app::Scope;
use crate::instance::Instance;
use crate::oauth::Ended;
use crate::settings::Presence;
use crate::strategies::{self, Strategy};
use crate::web3;
use crate::{enumeration, users, verification};
use doorward_base::*;
use doorward_store::attempts::AttemptRecord;
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::{Factor, SignIn};
use doorward_wire::resource::Verification;
use serde::{Deserialize, Serialize};

/// A sign-in, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SignInState {
    /// What the person typed.
    pub identifier: Option<String>,
    /// Whose it is.
    pub user_id: Option<UserId>,
    /// How far it is.
    pub stage: Stage,
    /// Whether somebody whom nobody knows is to sign up.
    #[serde(default)]
    pub sign_up_if_missing: bool,
}

/// How far a sign-in is. A stage owns what belongs to it and nothing else.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(crate) enum Stage {
    /// Nobody was named yet.
    #[default]
    NeedsIdentifier,
    /// Nobody was named: the passkey that signs says whose it is.
    Discoverable { verification: VerificationId },
    /// The browser is at a provider, and comes back as somebody.
    AtProvider { verification: VerificationId },
    /// It came back, and that signed nobody in.
    BackInVain { ended: Ended },
    /// Somebody was named; a code may be on its way.
    NeedsFirstFactor { verification: Option<VerificationId> },
    /// Nobody has the identifier: the instance does not tell, or they are to sign up.
    Pretended { verification: Option<VerificationId> },
    /// Nobody has the identifier, and it was proven: a sign-up may go on from there.
    Missing { proof: Proof },
    /// The first factor was proven, and the user has a second one. What the first one allows waits for it.
    NeedsSecondFactor {
        proof: Proof,
        verification: Option<VerificationId>,
        password: Option<NewPassword>,
        /// Whether it is the device that is proven instead.
        #[serde(default)]
        trust: Trust,
        /// A provider's account that becomes the user's in the end, sealed.
        #[serde(default)]
        account: Option<String>,
    },
    /// The address was proven in order to choose a new password.
    NeedsNewPassword { proof: Proof },
    /// Done.
    Complete { proof: Proof, second: Option<Proof>, session: SessionId },
}

/// Whether a device has to be proven in place of a second factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trust {
    /// It is not: the user's own second factor is.
    #[default]
    NotAsked,
    /// It is, by a status of its own.
    NewDevice,
    /// It is, by an SDK that knows second factors only.
    AsSecondFactor,
}

impl Trust {
    /// A second factor that the user has had since takes the place of the device's proof.
    ///
    /// # Errors
    /// `client_state_invalid`.
    pub(super) fn refuse_stale(self, instance: &Instance, user: &UserWithEmails) -> Result<(), ApiError> {
        if self != Self::NotAsked && !strategies::second_factors(instance, user).is_empty() {
            return Err(codes::CLIENT_STATE_INVALID.into());
        }
        Ok(())
    }

    /// The factors that can be proven.
    pub(super) fn factors(self, instance: &Instance, user: &UserWithEmails) -> Vec<Factor> {
        if self == Self::NotAsked { strategies::second_factors(instance, user) } else { strategies::device_factors(instance, user) }
    }

    /// The factor of a name, if this user can prove it here.
    pub(super) fn factor(self, instance: &Instance, user: &UserWithEmails, name: &str) -> Result<&'static dyn Strategy, ApiError> {
        if self == Self::NotAsked {
            strategies::second_factor(instance, user, name)
        } else {
            strategies::device_factor(instance, user, name)
        }
    }
}

/// A password that is set when the sign-in is complete: its hash, and what becomes of the other sessions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewPassword {
    pub hash: String,
    pub sign_out_others: bool,
}

/// What was proven.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Proof {
    pub strategy: String,
    pub attempts: i64,
    pub at: Timestamp,
}

impl Proof {
    pub(crate) fn new(scope: &Scope, strategy: &str, attempts: i64) -> Self {
        Self { strategy: strategy.to_owned(), attempts, at: scope.now }
    }

    /// What was proven before the password was changed or removed proves nothing after it: neither it nor a code to replace it.
    ///
    /// # Errors
    /// `client_state_invalid`.
    pub(super) fn refuse_stale(&self, user: &UserWithEmails) -> Result<(), ApiError> {
        let of_password = self.strategy == "password" || self.strategy.starts_with("reset_password");
        let gone = self.strategy == "password" && user.user.password_hash.is_none();
        if gone || of_password && user.user.password_updated_at.is_some_and(|changed| changed > self.at) {
            return Err(codes::CLIENT_STATE_INVALID.into());
        }
        Ok(())
    }
}

impl Stage {
    fn status(&self) -> &'static str {
        match self {
            Self::NeedsIdentifier | Self::Discoverable { .. } | Self::AtProvider { .. } | Self::BackInVain { .. } => "needs_identifier",
            Self::NeedsFirstFactor { .. } | Self::Pretended { .. } | Self::Missing { .. } => "needs_first_factor",
            Self::NeedsSecondFactor { trust: Trust::NewDevice, .. } => "needs_client_trust",
            Self::NeedsSecondFactor { .. } => "needs_second_factor",
            Self::NeedsNewPassword { .. } => "needs_new_password",
            Self::Complete { .. } => "complete",
        }
    }
}

/// How a proof shows on the wire.
pub(crate) fn verified(proof: &Proof) -> Verification {
    let object = match proof.strategy.as_str() {
        name if name.starts_with("oauth_") => "verification_oauth".to_owned(),
        name @ ("password" | "totp" | "backup_code" | "passkey" | "trusted_device" | "ticket" | "email_link" | "google_one_tap") => {
            format!("verification_{name}")
        }
        name if web3::chain_of(name).is_some() => "verification_web3".to_owned(),
        _ => "verification_otp".to_owned(),
    };
    let dated = ["verification_otp", "verification_passkey", "verification_email_link", "verification_oauth"];
    Verification {
        expire_at: dated.contains(&object.as_str()).then_some(proof.at),
        attempts: (object != "verification_oauth").then_some(proof.attempts),
        object,
        status: "verified".to_owned(),
        strategy: proof.strategy.clone(),
        ..Verification::default()
    }
}

/// The sign-in as the wire has it.
pub(crate) async fn view(
    scope: &Scope,
    record: &AttemptRecord,
    state: &SignInState,
    user: Option<&UserWithEmails>,
) -> Result<SignIn, ApiError> {
    let first = match &state.stage {
        Stage::NeedsFirstFactor { verification: Some(id) }
        | Stage::Pretended { verification: Some(id) }
        | Stage::AtProvider { verification: id }
        | Stage::Discoverable { verification: id } => sent(scope, id).await?,
        Stage::BackInVain { ended } => Some(ended.view()),
        Stage::Missing { proof } => Some(Verification { status: "transferable".to_owned(), ..verified(proof) }),
        Stage::NeedsNewPassword { proof } | Stage::NeedsSecondFactor { proof, .. } | Stage::Complete { proof, .. } => Some(verified(proof)),
        _ => None,
    };
    let second = match &state.stage {
        Stage::NeedsSecondFactor { verification: Some(id), .. } => sent(scope, id).await?,
        Stage::Complete { second, .. } => second.as_ref().map(verified),
        _ => None,
    };
    let second_factors = match (&state.stage, user) {
        (Stage::NeedsSecondFactor { trust, .. }, Some(user)) => Some(trust.factors(&scope.instance, user)),
        _ => None,
    };
    // Before anything is proven, a name must not tell whether the account exists.
    let unproven = matches!(state.stage, Stage::NeedsFirstFactor { .. } | Stage::Pretended { .. } | Stage::Missing { .. });
    let hide = unproven && (enumeration::hides(scope) || state.sign_up_if_missing);
    let factors = match (&state.stage, user) {
        (Stage::NeedsIdentifier | Stage::Discoverable { .. } | Stage::AtProvider { .. } | Stage::BackInVain { .. }, _) => None,
        (Stage::Pretended { .. } | Stage::NeedsFirstFactor { .. } | Stage::Missing { .. }, user) if hide => {
            Some(named_factors(scope, state.identifier.as_deref().unwrap_or_default(), user))
        }
        (_, user) => Some(user.map(|user| offered(scope, user, state.identifier.as_deref())).unwrap_or_default()),
    };
    Ok(SignIn {
        object: "sign_in_attempt".to_owned(),
        id: record.id.as_str().into(),
        status: state.stage.status().to_owned(),
        supported_identifiers: supported_identifiers(scope),
        supported_first_factors: factors,
        supported_second_factors: second_factors,
        first_factor_verification: first,
        second_factor_verification: second,
        identifier: state.identifier.clone(),
        user_data: user.filter(|_| !hide).map(|user| users::sign_in_view(scope, user)),
        created_session_id: match &state.stage {
            Stage::Complete { session, .. } => Some(session.clone()),
            _ => None,
        },
        abandon_at: record.abandon_at,
        client_trust_state: match &state.stage {
            Stage::NeedsSecondFactor { trust: Trust::NewDevice | Trust::AsSecondFactor, .. } => "new",
            _ if user.is_some() || hide => "known",
            _ => "pending",
        }
        .to_owned(),
        protect_check: None,
    })
}

async fn sent(scope: &Scope, id: &VerificationId) -> Result<Option<Verification>, ApiError> {
    verification::load(scope, id).await?.map(|record| verification::show(scope, &record)).transpose()
}

fn offered(scope: &Scope, user: &UserWithEmails, identifier: Option<&str>) -> Vec<Factor> {
    let mut all = strategies::first_factors(&scope.instance, user);
    all.retain(|factor| !strategies::hidden(&scope.instance, &factor.strategy));
    // The SDKs take the first factor of a strategy: a code has to go where somebody has said that they are, and whoever named a
    // wallet holds that one.
    let named = strategies::named(user, identifier);
    if user.wallets.iter().any(|it| Some(&it.id) == named) {
        all.retain(|factor| factor.web3_wallet_id.as_ref().is_none_or(|id| Some(id) == named));
    }
    let is_named =
        |factor: &Factor| [&factor.email_address_id, &factor.phone_number_id].into_iter().any(|id| id.is_some() && id.as_ref() == named);
    for of_one in all.chunk_by_mut(|one, next| one.strategy == next.strategy) {
        of_one.sort_by_key(|factor| !is_named(factor));
    }
    all
}

fn supported_identifiers(scope: &Scope) -> Vec<String> {
    let attributes = &scope.instance.settings.attributes;
    let kinds = [
        ("email_address", attributes.email_address),
        ("phone_number", attributes.phone_number),
        ("username", attributes.username),
        ("web3_wallet", attributes.web3_wallet),
    ];
    kinds.iter().filter(|(_, presence)| *presence != Presence::Off).map(|(kind, _)| (*kind).to_owned()).collect()
}
