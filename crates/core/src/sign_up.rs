//! Sign-up: fields are gathered and proven until there is enough to make a user and a session of.

use crate::access::{self, Entrance};
use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::identifiers::{self, Email, Username};
use crate::phone::Phone;
use crate::settings::Presence;
use crate::sign_in::{self, NewSession, complete_new_session, filled};
use crate::users::{self, NewEmail, NewIdentifiers, NewPhone, NewWallet};
use crate::web3::{self, Address};
use crate::{email_link, enumeration, invitations, oauth, password, sms, tasks, verification};
use doorward_base::*;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::{self, ClientRecord};
use doorward_store::users as user_store;
use doorward_store::users::UserRecord;
use doorward_store::verifications::VerificationRecord;
use doorward_wire::Object;
use doorward_wire::fapi::{AttemptVerification, PrepareVerification, SignUp, SignUpFields, SignUpVerification, SignUpVerifications};
use serde::{Deserialize, Serialize};

mod provider;

use provider::{Asked, AtProvider};
pub(crate) use provider::{come_back, transferable};

/// The strategy of invitations.
const TICKET: &str = "ticket";
const ABANDON_MS: i64 = 24 * 60 * 60 * 1000;

/// A field that a code or a signature proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proven {
    Email,
    Phone,
    Wallet,
}

impl Proven {
    const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Wallet];

    /// The one that a strategy proves.
    fn by(strategy: Option<&str>) -> Result<Self, ApiError> {
        match filled(strategy) {
            Some("email_code" | email_link::STRATEGY) => Ok(Self::Email),
            Some("phone_code") => Ok(Self::Phone),
            Some(name) if web3::chain_of(name).is_some() => Ok(Self::Wallet),
            Some(_) => Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy")),
            None => Err(ApiError::new(codes::FORM_PARAM_MISSING).param("strategy")),
        }
    }

    fn param(self) -> &'static str {
        match self {
            Self::Email => "email_address",
            Self::Phone => "phone_number",
            Self::Wallet => "web3_wallet",
        }
    }
}

/// A sign-up, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct SignUpState {
    email: Option<(String, String)>,
    email_proof: Proof,
    /// Whether somebody has the address already, which is hidden.
    #[serde(default)]
    email_taken: bool,
    #[serde(default)]
    phone: Option<String>,
    #[serde(default)]
    phone_proof: Proof,
    #[serde(default)]
    phone_taken: bool,
    #[serde(default)]
    wallet: Option<String>,
    #[serde(default)]
    wallet_proof: Proof,
    /// Which strategy the wallet was last asked for.
    #[serde(default)]
    wallet_strategy: Option<String>,
    username: Option<(String, String)>,
    first_name: Option<String>,
    last_name: Option<String>,
    locale: Option<String>,
    password_hash: Option<String>,
    unsafe_metadata: Object,
    legal_accepted_at: Option<Timestamp>,
    #[serde(default)]
    invited: Option<Invited>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    custom_action: bool,
    #[serde(default)]
    provider: AtProvider,
    done: Option<Done>,
}

/// The invitation that a sign-up goes by. It is used up when the user is made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Invited {
    id: InvitationId,
    public_metadata: Object,
}

/// How far the proof of an address or number is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Proof {
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
struct Done {
    user: UserId,
    session: SessionId,
}

impl SignUpState {
    fn entrance(&self) -> Entrance {
        if self.invited.is_some() { Entrance::Invited } else { Entrance::Open }
    }

    /// What is held against the lists.
    fn identifiers(&self) -> Vec<access::Identifier<'_>> {
        let email = self.email.iter().map(|(_, key)| access::Identifier::Email(key));
        let phone = self.phone.iter().map(|number| access::Identifier::Phone(number));
        let wallet = self.wallet.iter().map(|address| access::Identifier::Wallet(address));
        email.chain(phone).chain(wallet).collect()
    }

    fn given(&self, field: Proven) -> bool {
        match field {
            Proven::Email => self.email.is_some(),
            Proven::Phone => self.phone.is_some(),
            Proven::Wallet => self.wallet.is_some(),
        }
    }

    fn proof(&self, field: Proven) -> &Proof {
        match field {
            Proven::Email => &self.email_proof,
            Proven::Phone => &self.phone_proof,
            Proven::Wallet => &self.wallet_proof,
        }
    }

    /// Whether somebody has it already: then nothing proves it.
    fn taken(&self, field: Proven) -> bool {
        match field {
            Proven::Email => self.email_taken,
            Proven::Phone => self.phone_taken,
            Proven::Wallet => false,
        }
    }

    fn set_proof(&mut self, field: Proven, proof: Proof) {
        match field {
            Proven::Email => self.email_proof = proof,
            Proven::Phone => self.phone_proof = proof,
            Proven::Wallet => self.wallet_proof = proof,
        }
    }

    /// The strategy that proved a field, or the one that will.
    fn strategy(&self, field: Proven) -> &str {
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

struct Loaded {
    record: AttemptRecord,
    state: SignUpState,
}

/// What is still to be done, by field.
struct Requirements {
    required: Vec<&'static str>,
    optional: Vec<&'static str>,
    missing: Vec<&'static str>,
    unverified: Vec<&'static str>,
}

fn requirements(scope: &Scope, state: &SignUpState) -> Requirements {
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

/// Starts a sign-up. It replaces the client's current one.
///
/// # Errors
/// `session_exists`, those of [`access::admit`], `form_identifier_exists`, the form's codes.
pub async fn start(scope: &Scope, caller: &Caller, current: Current, fields: &SignUpFields) -> Result<Outcome<SignUp>, ApiError> {
    sign_in::refuse_when_signed_in(scope, &current).await?;
    let mut state = SignUpState::default();
    fill(scope, &mut state, fields).await?;
    let id = SignUpId::new(scope.now, &scope.app.rng);
    let asked = provider::ask(scope, caller, &current, id.as_str(), &mut state, fields).await?;
    let (mut client, is_new, new_token) = match current.record.clone() {
        Some(record) => (record, false, current.new_token.clone()),
        None => {
            let (record, token) = client::fresh(scope);
            (record, true, Some(token))
        }
    };
    client.sign_up_id = Some(id.clone());
    let record = AttemptRecord {
        id: id.as_str().to_owned(),
        client_id: client.id.clone(),
        state: serde_json::to_string(&state).map_err(ApiError::internal)?,
        version: 0,
        abandon_at: scope.now + ABANDON_MS,
        created_at: scope.now,
        updated_at: scope.now,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if is_new {
        clients::insert(&mut tx, scope.ins(), &client).await.map_err(internal)?;
    } else {
        clients::set_sign_up(&mut tx, scope.ins(), &client.id, &client.sign_up_id).await.map_err(internal)?;
    }
    attempts::insert(&mut tx, Kind::SignUp, scope.ins(), &record).await.map_err(internal)?;
    if let Asked::Away(code) = &asked {
        code.write(scope, &mut tx).await?;
    }
    tx.commit().await.map_err(internal)?;
    let current = Current { record: Some(client), new_token, forgotten: false };
    settle(scope, caller, current, Loaded { record, state }, None).await
}

/// Adds fields to a sign-up; without an id, to the client's current one.
///
/// # Errors
/// As [`start`], and `resource_forbidden` for a sign-up that is not current.
pub async fn update(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: Option<&SignUpId>,
    fields: &SignUpFields,
) -> Result<Outcome<SignUp>, ApiError> {
    let id = id.or_else(|| current.record.as_ref()?.sign_up_id.as_ref()).cloned();
    let mut loaded = load_current(scope, &current, &id.ok_or_else(|| ApiError::not_found("Sign up", "current"))?).await?;
    fill(scope, &mut loaded.state, fields).await?;
    let owner = loaded.record.id.clone();
    if let Asked::Away(code) = provider::ask(scope, caller, &current, &owner, &mut loaded.state, fields).await? {
        return Ok(Outcome { value: provider::set_out(scope, loaded, &code).await?, current });
    }
    settle(scope, caller, current, loaded, None).await
}

/// Reads a sign-up of this client. One whose link was opened elsewhere goes on now.
///
/// # Errors
/// `resource_not_found` for one that this client never had.
pub async fn get(scope: &Scope, caller: &Caller, current: Current, id: &SignUpId) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load(scope, &current, id).await?;
    if let Proof::Sent { verification } = &loaded.state.email_proof
        && current.require()?.sign_up_id.as_ref() == Some(id)
        && verification::load(scope, verification).await?.is_some_and(|it| email_link::was_opened(&it))
    {
        loaded.state.email_proof = Proof::Proven { attempts: 1, at: scope.now, by: Some(email_link::STRATEGY.to_owned()) };
        match settle(scope, caller, current.clone(), loaded, None).await {
            // Another tab asked at the same time.
            Err(error) if error.code() == codes::CLIENT_STATE_INVALID => loaded = load(scope, &current, id).await?,
            done => return done,
        }
    }
    Ok(Outcome { value: view(scope, &loaded).await?, current })
}

/// Goes on with a sign-up whose link was opened on its own client, and uses the link up.
///
/// # Errors
/// `client_state_invalid` when the sign-up has left the link behind, and those of the end of a sign-up.
pub(crate) async fn finish_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: &SignUpId,
    link: &VerificationRecord,
) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load_current(scope, &current, id).await?;
    match &loaded.state.email_proof {
        Proof::Sent { verification } if verification == &link.id => {}
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    }
    loaded.state.email_proof = Proof::Proven { attempts: 1, at: scope.now, by: Some(email_link::STRATEGY.to_owned()) };
    settle(scope, caller, current, loaded, Some(link.clone())).await
}

/// A sign-up as the app's server sees it.
///
/// # Errors
/// `resource_not_found`.
pub async fn server_get(scope: &Scope, id: &SignUpId) -> Result<SignUp, ApiError> {
    view(scope, &load_any(scope, id).await?).await
}

/// Sets what the app's server says about a sign-up.
///
/// # Errors
/// `resource_not_found`; `sign_up_cannot_be_updated` for one that is complete or was given up; `form_identifier_exists` for
/// an `external_id` of another user.
pub async fn server_update(
    scope: &Scope,
    id: &SignUpId,
    external_id: Option<Option<&str>>,
    custom_action: Option<bool>,
) -> Result<SignUp, ApiError> {
    let mut loaded = load_any(scope, id).await?;
    if loaded.state.done.is_some() || loaded.record.abandon_at <= scope.now {
        return Err(codes::SIGN_UP_CANNOT_BE_UPDATED.into());
    }
    if let Some(id) = external_id {
        users::check_name(id, "external_id")?;
        let id = filled(id);
        if let Some(id) = id
            && user_store::by_external_id(scope.db(), scope.ins(), id).await.map_err(internal)?.is_some()
        {
            return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("external_id"));
        }
        loaded.state.external_id = id.map(str::to_owned);
    }
    loaded.state.custom_action = custom_action.unwrap_or(loaded.state.custom_action);
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    tx.commit().await.map_err(internal)?;
    view(scope, &loaded).await
}

async fn load_any(scope: &Scope, id: &SignUpId) -> Result<Loaded, ApiError> {
    let record = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.ok_or_else(|| ApiError::not_found("Sign up", id))?;
    Ok(Loaded { state: serde_json::from_str(&record.state).map_err(ApiError::internal)?, record })
}

/// Sends the code that proves the address or the number, or makes the text that the wallet is to sign.
///
/// # Errors
/// `verification_strategy_invalid`, `verification_already_verified`, `verification_code_too_many_requests`.
pub async fn prepare(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareVerification) -> Result<SignUp, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_up_id).await?;
    if filled(req.strategy.as_deref()).is_some_and(oauth::is_redirect) {
        return provider::prepare(scope, caller, loaded, req).await;
    }
    let field = Proven::by(req.strategy.as_deref())?;
    if let Proof::Proven { .. } = loaded.state.proof(field) {
        return Err(codes::VERIFICATION_ALREADY_VERIFIED.into());
    }
    if let Proof::Sent { verification } = loaded.state.proof(field)
        && let Some(before) = verification::load(scope, verification).await?
        && scope.now - before.created_at < verification::REPEAT_MS
        && Some(before.strategy.as_str()) == filled(req.strategy.as_deref())
    {
        return view(scope, &loaded).await;
    }
    let code = new_code(scope, caller, &loaded, field, req).await?;
    let code = if loaded.state.taken(field) { code.unsent() } else { code };
    if field == Proven::Wallet {
        loaded.state.wallet_strategy = Some(code.record.strategy.clone());
    }
    loaded.state.set_proof(field, Proof::Sent { verification: code.record.id.clone() });
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded).await?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    view(scope, &loaded).await
}

async fn new_code(
    scope: &Scope,
    caller: &Caller,
    loaded: &Loaded,
    field: Proven,
    req: &PrepareVerification,
) -> Result<verification::NewCode, ApiError> {
    let owner = &loaded.record.id;
    if let (Proven::Wallet, Some(address)) = (field, &loaded.state.wallet) {
        let strategy = filled(req.strategy.as_deref()).unwrap_or_default();
        return web3::ask(scope, caller, owner, strategy, "", &users::read_wallet(address)?);
    }
    let locale = loaded.state.locale.as_deref();
    match (field, &loaded.state.email, &loaded.state.phone) {
        (Proven::Email, Some((address, key)), _) => {
            let email = Email { address: address.clone(), key: key.clone() };
            if filled(req.strategy.as_deref()) == Some(email_link::STRATEGY) {
                if !scope.instance.settings.attributes.email_link {
                    return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
                }
                return email_link::new_link(scope, owner, key, &email, req.redirect_url.as_deref(), ("magic_link_sign_up", locale)).await;
            }
            verification::new_code(scope, owner, loaded.state.strategy(field), key, &email, locale).await
        }
        (Proven::Phone, _, Some(number)) => {
            let channel = sms::channel(scope, req.channel.as_deref())?;
            verification::new_phone_code(scope, owner, loaded.state.strategy(field), &Phone::kept(number), (channel, locale)).await
        }
        _ => Err(ApiError::new(codes::FORM_PARAM_MISSING).param(field.param())),
    }
}

/// Proves the address, the number or the wallet. When nothing else is missing, the user is made and signed in.
///
/// # Errors
/// `form_code_incorrect`, `form_incorrect_signature`, `verification_failed`, `verification_expired` and others.
pub async fn attempt(scope: &Scope, caller: &Caller, current: Current, req: &AttemptVerification) -> Result<Outcome<SignUp>, ApiError> {
    let mut loaded = load_current(scope, &current, &req.sign_up_id).await?;
    let field = Proven::by(req.strategy.as_deref())?;
    let strategy = filled(req.strategy.as_deref()).unwrap_or_default();
    // Opening a link is the proof: nothing is entered here.
    if strategy == email_link::STRATEGY {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let verification = match loaded.state.proof(field) {
        Proof::Sent { verification } => verification,
        Proof::Proven { .. } => return Err(codes::VERIFICATION_ALREADY_VERIFIED.into()),
        Proof::Unsent => return Err(codes::VERIFICATION_MISSING.into()),
    };
    let owner = &loaded.record.id;
    let proven = match field {
        Proven::Wallet => web3::prove(scope, verification, owner, strategy, req.signature.as_deref()).await?,
        Proven::Email | Proven::Phone => verification::try_code(scope, verification, owner, strategy, req.code.as_deref()).await?,
    };
    if loaded.state.taken(field) {
        return Err(enumeration::incorrect());
    }
    loaded.state.set_proof(field, Proof::Proven { attempts: proven.attempts, at: scope.now, by: None });
    settle(scope, caller, current, loaded, Some(proven)).await
}

/// Takes what the person filled in. A field that the instance does not take is refused by name.
async fn fill(scope: &Scope, state: &mut SignUpState, fields: &SignUpFields) -> Result<(), ApiError> {
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
    if let Some(text) = fields.password.as_deref().filter(|p| !p.is_empty()) {
        if attributes.password == Presence::Off {
            return Err(ApiError::new(codes::FORM_PARAM_UNKNOWN).param("password"));
        }
        let text = Secret::from(text);
        password::accept(scope, &text, "password").await?;
        state.password_hash = Some(scope.app.passwords.hash(&text, &scope.app.rng).await?);
    }
    Ok(())
}

/// An invitation proves its address, and nothing else: the address stays the one that was invited.
async fn with_invitation(scope: &Scope, state: &mut SignUpState, token: Option<&str>) -> Result<(), ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let invalid = || ApiError::new(codes::TICKET_INVALID).param("ticket");
    let it = invitations::open(scope, token).await?.ok_or_else(invalid)?;
    if state.invited.as_ref().is_some_and(|invited| invited.id == it.id) {
        return Ok(());
    }
    if user_store::by_email(scope.db(), scope.ins(), &it.email_key).await.map_err(internal)?.is_some() {
        return Err(ApiError::new(codes::INVITATION_ACCOUNT_EXISTS).param("ticket"));
    }
    state.invited = Some(Invited { id: it.id.clone(), public_metadata: invitations::metadata(&it) });
    state.email = Some((it.email_address, it.email_key));
    state.email_proof = Proof::Proven { attempts: 1, at: scope.now, by: Some(TICKET.to_owned()) };
    state.email_taken = false;
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
    state.email_taken = enumeration::taken(scope, found.is_some(), "email_address")?;
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
    state.phone_taken = enumeration::taken(scope, found.is_some(), "phone_number")?;
    state.phone = Some(phone.as_str().to_owned());
    state.phone_proof = Proof::Unsent;
    Ok(())
}

async fn set_wallet(scope: &Scope, state: &mut SignUpState, address: &Address) -> Result<(), ApiError> {
    if state.wallet.as_deref() == Some(address.as_str()) {
        return Ok(());
    }
    if user_store::by_wallet(scope.db(), scope.ins(), address.as_str()).await.map_err(internal)?.is_some() {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_EXISTS).param("web3_wallet"));
    }
    state.wallet = Some(address.as_str().to_owned());
    state.wallet_proof = Proof::Unsent;
    Ok(())
}

/// Writes the state; when nothing is missing, makes the user and the session in the same transaction. There is no other way
/// for people to become users by themselves: see [`access::admit`].
async fn settle(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    consume: Option<VerificationRecord>,
) -> Result<Outcome<SignUp>, ApiError> {
    let open = requirements(scope, &loaded.state);
    let complete = open.missing.is_empty() && open.unverified.is_empty() && !loaded.state.provider.is_open();
    if complete {
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

async fn advance(scope: &Scope, tx: &mut doorward_store::Tx, loaded: &mut Loaded) -> Result<(), ApiError> {
    loaded.record.state = serde_json::to_string(&loaded.state).map_err(ApiError::internal)?;
    if !attempts::advance(tx, Kind::SignUp, scope.ins(), &loaded.record, scope.now).await.map_err(internal)? {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    loaded.record.version += 1;
    Ok(())
}

async fn load(scope: &Scope, current: &Current, id: &SignUpId) -> Result<Loaded, ApiError> {
    let missing = || ApiError::not_found("Sign up", id);
    let client = current.record.as_ref().ok_or_else(missing)?;
    let record = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.filter(|r| r.client_id == client.id && r.abandon_at > scope.now).ok_or_else(missing)?;
    Ok(Loaded { state: serde_json::from_str(&record.state).map_err(ApiError::internal)?, record })
}

async fn load_current(scope: &Scope, current: &Current, id: &SignUpId) -> Result<Loaded, ApiError> {
    let loaded = load(scope, current, id).await?;
    if current.require()?.sign_up_id.as_ref() != Some(id) {
        return Err(codes::RESOURCE_FORBIDDEN.into());
    }
    if loaded.state.done.is_some() {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    Ok(loaded)
}

/// The sign-up that is current on a client.
pub(crate) async fn current_view(scope: &Scope, client: &ClientRecord) -> Result<Option<SignUp>, ApiError> {
    let Some(id) = &client.sign_up_id else { return Ok(None) };
    let Some(record) = attempts::get(scope.db(), Kind::SignUp, scope.ins(), id.as_str()).await.map_err(internal)? else { return Ok(None) };
    if record.abandon_at <= scope.now {
        return Ok(None);
    }
    let state = serde_json::from_str(&record.state).map_err(ApiError::internal)?;
    view(scope, &Loaded { record, state }).await.map(Some)
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

fn status(scope: &Scope, loaded: &Loaded) -> &'static str {
    match &loaded.state.done {
        Some(_) => "complete",
        None if loaded.record.abandon_at <= scope.now => "abandoned",
        None => "missing_requirements",
    }
}

async fn view(scope: &Scope, loaded: &Loaded) -> Result<SignUp, ApiError> {
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
