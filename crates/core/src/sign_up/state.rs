//! A sign-up as it is kept, and what it still needs.

use super::provider::AtProvider;
use crate::access::{self, Entrance};
use crate::app::Scope;
use crate::instance::Instance;
use crate::settings::Presence;
use crate::sign_in::filled;
use crate::{captcha, email_link, web3};
use doorward_base::*;
use doorward_wire::Object;
use serde::{Deserialize, Serialize};

/// A field that a code or a signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proven {
    Email,
    Phone,
    Wallet,
}

impl Proven {
    pub(super) const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Wallet];

    /// The one that a strategy proves.
    pub(super) fn by(strategy: Option<&str>) -> Result<Self, ApiError> {
        match filled(strategy) {
            Some("email_code" | email_link::STRATEGY) => Ok(Self::Email),
            Some("phone_code") => Ok(Self::Phone),
            Some(name) if web3::chain_of(name).is_some() => Ok(Self::Wallet),
            Some(_) => Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")),
            None => Err(ApiError::new(codes::FORM_PARAM_MISSING).param("strategy")),
        }
    }

    pub(super) fn param(self) -> &'static str {
        match self {
            Self::Email => "email_address",
            Self::Phone => "phone_number",
            Self::Wallet => "web3_wallet",
        }
    }
}

/// A sign-up, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct SignUpState {
    pub email: Option<(String, String)>,
    pub email_proof: Proof,
    #[serde(default)]
    pub phone: Option<String>,
    #[serde(default)]
    pub phone_proof: Proof,
    /// What its code is to go by.
    #[serde(default)]
    pub phone_channel: Option<String>,
    #[serde(default)]
    pub wallet: Option<String>,
    #[serde(default)]
    pub wallet_proof: Proof,
    /// Which strategy the wallet was last asked for.
    #[serde(default)]
    pub wallet_strategy: Option<String>,
    pub username: Option<(String, String)>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub locale: Option<String>,
    pub password_hash: Option<String>,
    pub unsafe_metadata: Object,
    pub legal_accepted_at: Option<Timestamp>,
    #[serde(default)]
    pub invited: Option<Invited>,
    #[serde(default)]
    pub external_id: Option<String>,
    #[serde(default)]
    pub custom_action: bool,
    #[serde(default)]
    pub provider: AtProvider,
    /// Whether a captcha was passed, or none is asked for.
    #[serde(default)]
    pub human: bool,
    pub done: Option<Done>,
}

/// The invitation that a sign-up goes by. It is used up when the user is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Invited {
    pub id: InvitationId,
    pub public_metadata: Object,
}

/// How far the proof of an address or number is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum Proof {
    /// No code was asked for.
    #[default]
    Unsent,
    /// A code is on its way.
    Sent { verification: VerificationId },
    /// Proven, with so many tries.
    Proven {
        attempts: i64,
        at: Timestamp,
        /// By what, when not by a code.
        #[serde(default)]
        by: Option<String>,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Done {
    pub user: UserId,
    pub session: SessionId,
}

impl SignUpState {
    pub(super) fn entrance(&self) -> Entrance {
        if self.invited.is_some() { Entrance::Invited } else { Entrance::Open }
    }

    /// What is held against the lists.
    pub(super) fn identifiers(&self) -> Vec<access::Identifier<'_>> {
        let email = self.email.iter().map(|(_, key)| access::Identifier::Email(key));
        let phone = self.phone.iter().map(|number| access::Identifier::Phone(number));
        let wallet = self.wallet.iter().map(|address| access::Identifier::Wallet(address));
        email.chain(phone).chain(wallet).collect()
    }

    /// Whether it says by what its user is to be found.
    pub(super) fn names_somebody(&self) -> bool {
        self.username.is_some() || !self.identifiers().is_empty()
    }

    pub(super) fn given(&self, field: Proven) -> bool {
        match field {
            Proven::Email => self.email.is_some(),
            Proven::Phone => self.phone.is_some(),
            Proven::Wallet => self.wallet.is_some(),
        }
    }

    pub(super) fn proof(&self, field: Proven) -> &Proof {
        match field {
            Proven::Email => &self.email_proof,
            Proven::Phone => &self.phone_proof,
            Proven::Wallet => &self.wallet_proof,
        }
    }

    pub(super) fn set_proof(&mut self, field: Proven, proof: Proof) {
        match field {
            Proven::Email => self.email_proof = proof,
            Proven::Phone => self.phone_proof = proof,
            Proven::Wallet => self.wallet_proof = proof,
        }
    }

    /// Refuses to go on by a strategy without the captcha that it does not spare.
    pub(super) fn require_human(&self, instance: &Instance, strategy: &str) -> Result<(), ApiError> {
        if self.human || captcha::spares(instance, strategy) { Ok(()) } else { Err(codes::CAPTCHA_MISSING_TOKEN.into()) }
    }

    /// The strategy that proved a field, or the one that will.
    pub(super) fn strategy(&self, field: Proven) -> &str {
        match field {
            Proven::Email => match &self.email_proof {
                Proof::Proven { by: Some(strategy), .. } => strategy,
                _ => "email_code",
            },
            Proven::Phone => "phone_code",
            Proven::Wallet => self.wallet_strategy.as_deref().unwrap_or_default(),
        }
    }
}

/// What is still to be done, by field.
pub(super) struct Requirements {
    pub required: Vec<&'static str>,
    pub optional: Vec<&'static str>,
    pub missing: Vec<&'static str>,
    pub unverified: Vec<&'static str>,
}

pub(super) fn requirements(scope: &Scope, state: &SignUpState) -> Requirements {
    let attributes = &scope.instance.settings.attributes;
    let fields = [
        ("email_address", attributes.email_address, state.email.is_some()),
        ("phone_number", attributes.phone_number, state.phone.is_some()),
        ("username", attributes.username, state.username.is_some()),
        ("web3_wallet", attributes.web3_wallet, state.wallet.is_some()),
        // Who comes by way of a provider needs no password.
        ("password", attributes.password, state.password_hash.is_some() || state.provider.strategy().is_some()),
        ("first_name", attributes.first_name, state.first_name.is_some()),
        ("last_name", attributes.last_name, state.last_name.is_some()),
    ];
    let legal = scope.instance.settings.sign_up.legal_consent;
    let of = |wanted: Presence| fields.iter().filter(move |(_, p, _)| *p == wanted);
    let mut required: Vec<&str> = of(Presence::Required).map(|(name, ..)| *name).collect();
    let mut missing: Vec<&str> = of(Presence::Required).filter(|(.., there)| !there).map(|(name, ..)| *name).collect();
    if legal {
        required.push("legal_accepted");
        if state.legal_accepted_at.is_none() {
            missing.push("legal_accepted");
        }
    }
    let open = |field: &Proven| state.given(*field) && !matches!(state.proof(*field), Proof::Proven { .. });
    let unverified = Proven::ALL.into_iter().filter(open).map(Proven::param).collect();
    // Without anything to find the user by, there would be an account that nobody can enter.
    let identifiers = [fields[0], fields[1], fields[2], fields[3]];
    if identifiers.iter().all(|(name, _, there)| !there && !missing.contains(name)) {
        missing.extend(identifiers.iter().find(|(_, presence, _)| *presence != Presence::Off).map(|(name, ..)| *name));
    }
    Requirements { required, optional: of(Presence::Optional).map(|(name, ..)| *name).collect(), missing, unverified }
}
