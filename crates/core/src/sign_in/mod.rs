//! Sign-in: from "who?" to a session. The state is an enum whose stages own their data; every write of it is guarded by
//! the version that was read, so that two requests cannot both move an attempt on.

mod client_trust;
mod complete;
mod devices;
mod provider;
mod state;

pub use complete::Completed;
use complete::Parts;
pub(crate) use complete::{NewSession, complete_new_session};

pub(crate) use provider::{come_back, transferable};
use state::{NewPassword, SignInState, Stage};
pub(crate) use state::{Proof, pretended_ksuid, verified};

use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::identifiers::{self, Identifier};
use crate::settings::Presence;
use crate::sms::Channel;
use crate::strategies::{self, Attempt, FactorParams, Grants, Prepare, Proven};
use crate::tickets::{self, Opened};
use crate::web3::{self, Address};
use crate::{email_link, enumeration, oauth, passkeys, password, trusted_devices, verification};
use doorward_base::*;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::{self, ClientRecord};
use doorward_store::users::{self, UserRecord, UserWithEmails};
use doorward_store::verifications::VerificationRecord;
use doorward_wire::fapi::{
    AttemptFirstFactor, AttemptSecondFactor, CreateSignIn, PrepareFirstFactor, PrepareSecondFactor, ResetPassword, SignIn,
};

/// How long an attempt is kept: a day.
const ABANDON_MS: i64 = 24 * 60 * 60 * 1000;

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

/// Text that was sent empty counts as not sent.
pub(crate) fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Takes one guess at a user's secret, before it is looked at.
pub(crate) async fn take_guess(scope: &Scope, user: &UserRecord) -> Result<(), ApiError> {
    let rules = &scope.instance.settings.attack_protection;
    if !rules.lockout {
        return match user.locked_until.filter(|until| *until > scope.now) {
            Some(until) => Err(locked(scope, until)),
            None => Ok(()),
        };
    }
    let until = scope.now + rules.duration_minutes * 60_000;
    let taken = users::take_guess(scope.db(), scope.ins(), &user.id, rules.max_attempts, until, scope.now).await.map_err(internal)?;
    if taken.is_some() {
        return Ok(());
    }
    let now_locked = users::get(scope.db(), scope.ins(), &user.id).await.map_err(internal)?.and_then(|it| it.user.locked_until);
    Err(locked(scope, now_locked.unwrap_or(until)))
}

fn locked(scope: &Scope, until: Timestamp) -> ApiError {
    let seconds = ((until - scope.now + 999) / 1000).max(1);
    let minutes = (seconds + 59) / 60;
    let text = format!(
        "Your account is locked. You will be able to try again in {minutes} minute{}. For more information, please contact support.",
        if minutes == 1 { "" } else { "s" }
    );
    ApiError::new(codes::USER_LOCKED).long(text).lockout(seconds)
}

/// The error of a wrong password; with enumeration protection the same one as for an unknown user.
pub(crate) fn wrong_password(scope: &Scope) -> ApiError {
    if scope.instance.settings.attack_protection.enumeration_protection {
        ApiError::new(codes::FORM_PASSWORD_OR_IDENTIFIER_INCORRECT).param("password")
    } else {
        ApiError::new(codes::FORM_PASSWORD_INCORRECT).param("password")
    }
}

/// Starts a sign-in. It replaces the client's current one. With a password it goes through to the end at once.
///
/// A wrong password leaves the attempt standing, so that another factor can be tried: the outcome's error is inside.
///
/// # Errors
/// See the list of codes: `session_exists`, `form_identifier_not_found`, `user_locked` and others.
pub async fn start(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &CreateSignIn,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    refuse_when_signed_in(scope, &current).await?;
    if req.transfer == Some(true) {
        return provider::transfer(scope, caller, current).await.map(Outcome::fine);
    }
    let strategy = filled(req.strategy.as_deref());
    if strategy.is_some_and(oauth::is_redirect) {
        return provider::set_out(scope, caller, current, req).await.map(Outcome::fine);
    }
    if strategy.is_some_and(|name| oauth::behind_token(name).is_some()) {
        return provider::with_token(scope, caller, current, req).await.map(Outcome::fine);
    }
    if strategy == Some("ticket") || strategy.is_none() && filled(req.ticket.as_deref()).is_some() {
        return with_ticket(scope, caller, current, req.ticket.as_deref()).await;
    }
    if strategy == Some(trusted_devices::STRATEGY) {
        return devices::start(scope, current, req.trusted_device_id.as_deref()).await;
    }
    if let Some(name) = strategy
        && !strategies::FIRST_FACTORS.iter().any(|known| known.name() == name)
    {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"));
    }
    let Some(identifier) = filled(req.identifier.as_deref()) else {
        if strategy == Some(passkeys::STRATEGY) {
            return discover(scope, caller, current).await;
        }
        if strategy.is_some() || req.password.as_deref().is_some_and(|p| !p.is_empty()) {
            return Err(ApiError::new(codes::FORM_PARAM_MISSING).param("identifier"));
        }
        let (value, current) = keep(scope, current, SignInState::default(), None, None, None).await?;
        return Ok(Outcome { value: Ok(value), current });
    };
    let password = req.password.as_deref().filter(|p| !p.is_empty()).map(Secret::from);
    refuse_hidden(scope, strategy)?;
    let Some(user) = find_user(scope, identifier).await? else {
        return unknown(scope, caller, current, identifier, FactorParams::from(req), password.as_ref()).await;
    };
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    let state = SignInState {
        identifier: Some(identifier.to_owned()),
        user_id: Some(user.user.id.clone()),
        stage: Stage::NeedsFirstFactor { verification: None },
    };
    match (strategy, password) {
        (None | Some("password"), Some(password)) => with_password(scope, caller, current, state, user, &password).await,
        (Some("password"), None) => Err(ApiError::new(codes::FORM_PARAM_MISSING).param("password")),
        (None, None) => {
            let (value, current) = keep(scope, current, state, Some(&user), None, None).await?;
            Ok(Outcome { value: Ok(value), current })
        }
        (Some(name), _) => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            let mut params = FactorParams::from(req);
            narrow(scope, identifier, Some(&user), name, &mut params)?;
            let code = prepared(scope, caller, &user, id.as_str(), identifier, &params).await?;
            let state = SignInState { stage: Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) }, ..state };
            let (value, current) = keep(scope, current, state, Some(&user), Some((id, code)), None).await?;
            Ok(Outcome { value: Ok(value), current })
        }
    }
}

/// Nobody is named: whichever passkey the person chooses says who it is.
async fn discover(scope: &Scope, caller: &Caller, current: Current) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let id = SignInId::new(scope.now, &scope.app.rng);
    let code = passkeys::ask(scope, caller, id.as_str(), None)?;
    let stage = Stage::Discoverable { verification: code.record.id.clone() };
    let (value, current) = keep(scope, current, SignInState { stage, ..SignInState::default() }, None, Some((id, code)), None).await?;
    Ok(Outcome { value: Ok(value), current })
}

/// Refuses what is not offered after an identifier, whether or not an account has it.
fn refuse_hidden(scope: &Scope, strategy: Option<&str>) -> Result<(), ApiError> {
    match strategy.filter(|name| strategies::hidden(&scope.instance, name)) {
        Some(_) => Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy")),
        None => Ok(()),
    }
}

/// With enumeration protection a sign-in goes by the identifier that was named, and not by whatever else its user has:
/// what is offered, and what can be asked for, is the same as if nobody had it.
fn narrow(scope: &Scope, identifier: &str, user: Option<&UserWithEmails>, name: &str, params: &mut FactorParams) -> Result<(), ApiError> {
    if !enumeration::hides(scope) {
        return Ok(());
    }
    let offered = state::named_factors(scope, identifier, user);
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

/// Makes what a first factor sends. Where accounts are hidden, one that the user does not have pretends, too.
async fn prepared(
    scope: &Scope,
    caller: &Caller,
    user: &UserWithEmails,
    owner: &str,
    identifier: &str,
    params: &FactorParams,
) -> Result<verification::NewCode, ApiError> {
    let name = named(params)?;
    match strategies::first_factor(&scope.instance, user, name) {
        Ok(strategy) => {
            refuse_banned(scope, user)?;
            strategy.prepare(Prepare { scope, caller, user, owner, params }).await
        }
        Err(_) if enumeration::hides(scope) => pretend_code(scope, caller, owner, name, identifier, params).await,
        Err(error) => Err(error),
    }
}

async fn with_password(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    state: SignInState,
    user: UserWithEmails,
    password: &Secret,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let attempt = match strategies::first_factor(&scope.instance, &user, "password") {
        Ok(strategy) => {
            let params = FactorParams { password: Some(password.clone()), ..FactorParams::default() };
            strategy.attempt(Attempt { scope, user: &user, owner: "", verification: None, params: &params }).await
        }
        Err(error) => {
            // Whether an account has a password must not show in the time that the answer takes.
            scope.app.passwords.verify(password, None).await?;
            Err(if scope.instance.settings.attack_protection.enumeration_protection { wrong_password(scope) } else { error })
        }
    };
    let attempt = match attempt {
        Ok(proven) => refuse_breached(scope, caller, &user, password).await.map(|()| proven),
        wrong => wrong,
    };
    match attempt {
        Ok(proven) => {
            let proof = Proof { strategy: "password".to_owned(), attempts: proven.attempts, at: scope.now };
            let parts = Parts { both: proven.both, consume: proven.consume, ..Parts::new(None, state, proof) };
            let done = complete::after_first(scope, caller, current, parts, &user).await?;
            Ok(Outcome { value: Ok(done.value), current: done.current })
        }
        Err(error) if error.status() == 422 => {
            let (_, current) = keep(scope, current, state, Some(&user), None, None).await?;
            Ok(Outcome { value: Err(error), current })
        }
        Err(error) => Err(error),
    }
}

/// A ticket names its user and stands for a first factor.
async fn with_ticket(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    token: Option<&str>,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    let token = filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("ticket"))?;
    let (user, consume, actor, session_seconds) = match tickets::open_any(scope, token).await? {
        Opened::Ticket(it) => {
            let user = users::get(scope.db(), scope.ins(), &it.user_id).await.map_err(internal)?;
            (user.ok_or(codes::SIGN_IN_USER_DELETED)?, strategies::Consume::Ticket(it.id), it.actor, it.session_seconds)
        }
        Opened::Invitation(it) => {
            let user = users::by_email(scope.db(), scope.ins(), &it.email_key).await.map_err(internal)?;
            let user = user.ok_or_else(|| ApiError::new(codes::INVITATION_ACCOUNT_NOT_EXISTS).param("ticket"))?;
            let consume = tickets::consumed(&user, &it)?;
            (user, consume, None, None)
        }
    };
    refuse_banned(scope, &user)?;
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    let state =
        SignInState { identifier: None, user_id: Some(user.user.id.clone()), stage: Stage::NeedsFirstFactor { verification: None } };
    let proof = Proof { strategy: "ticket".to_owned(), attempts: 1, at: scope.now };
    let parts = Parts { consume: Some(consume), actor, session_seconds, ..Parts::new(None, state, proof) };
    let done = complete::after_first(scope, caller, current, parts, &user).await?;
    Ok(Outcome { value: Ok(done.value), current: done.current })
}

/// Refuses a right password that is known from a breach, or that a server says is known where no session could wait for a new
/// one. The guess is given back, unless a second factor is guessed from
/// the same counter.
async fn refuse_breached(scope: &Scope, caller: &Caller, user: &UserWithEmails, password: &Secret) -> Result<(), ApiError> {
    let answer = if user.user.password_compromised && !caller.knows_pending {
        Err(ApiError::new(codes::FORM_PASSWORD_PWNED).param("password"))
    } else {
        password::refuse_breached_at_sign_in(scope, password).await
    };
    if answer.is_err() && strategies::second_factors(&scope.instance, user).is_empty() {
        let mut tx = scope.db().begin().await.map_err(internal)?;
        users::clear_guesses(&mut tx, scope.ins(), &user.user.id).await.map_err(internal)?;
        tx.commit().await.map_err(internal)?;
    }
    answer
}

/// Nobody has this identifier: the same work is done as if somebody had.
async fn unknown(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    identifier: &str,
    mut params: FactorParams,
    password: Option<&Secret>,
) -> Result<Outcome<Result<SignIn, ApiError>>, ApiError> {
    if let Some(password) = password {
        scope.app.passwords.verify(password, None).await?;
    }
    if !scope.instance.settings.attack_protection.enumeration_protection {
        return Err(ApiError::new(codes::FORM_IDENTIFIER_NOT_FOUND).param("identifier"));
    }
    let mut state = SignInState { identifier: Some(identifier.to_owned()), user_id: None, stage: Stage::Pretended { verification: None } };
    let strategy = params.strategy().filter(|name| *name != "password").map(str::to_owned);
    let code = match strategy.as_deref() {
        Some(name) => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            narrow(scope, identifier, None, name, &mut params)?;
            let code = pretend_code(scope, caller, id.as_str(), name, identifier, &params).await?;
            state.stage = Stage::Pretended { verification: Some(code.record.id.clone()) };
            Some((id, code))
        }
        None => None,
    };
    let (value, current) = keep(scope, current, state, None, code, None).await?;
    let value = if password.is_some() { Err(wrong_password(scope)) } else { Ok(value) };
    Ok(Outcome { value, current })
}

/// Reads the current sign-in of a client. One whose link was opened elsewhere goes on now.
///
/// # Errors
/// `resource_not_found` for one that this client never had.
pub async fn get(scope: &Scope, caller: &Caller, current: Current, id: &SignInId) -> Result<Outcome<SignIn>, ApiError> {
    let mut loaded = load(scope, &current, id).await?;
    if opened_link(scope, &loaded.state).await?.is_some() && current.require()?.sign_in_id.as_ref() == Some(id) {
        match proven_by_link(scope, caller, current.clone(), loaded, None).await {
            // Another tab asked at the same time.
            Err(error) if error.code() == codes::CLIENT_STATE_INVALID => loaded = load(scope, &current, id).await?,
            done => return done,
        }
    }
    let value = state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await?;
    Ok(Outcome { value, current })
}

/// The link that a sign-in waits for, if it was opened.
async fn opened_link(scope: &Scope, state: &SignInState) -> Result<Option<VerificationId>, ApiError> {
    let Stage::NeedsFirstFactor { verification: Some(id) } = &state.stage else { return Ok(None) };
    Ok(verification::load(scope, id).await?.filter(email_link::was_opened).map(|it| it.id))
}

/// Goes on with a sign-in whose link was opened on its own client, and uses the link up.
///
/// # Errors
/// `client_state_invalid` when the sign-in has left the link behind, and those of the end of a sign-in.
pub(crate) async fn finish_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    id: &SignInId,
    link: &VerificationRecord,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, id).await?;
    let Stage::NeedsFirstFactor { verification: Some(waiting) } = &loaded.state.stage else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    if waiting != &link.id {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    proven_by_link(scope, caller, current, loaded, Some(strategies::Consume::Verification(link.id.clone()))).await
}

async fn proven_by_link(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    consume: Option<strategies::Consume>,
) -> Result<Outcome<SignIn>, ApiError> {
    let proof = Proof { strategy: email_link::STRATEGY.to_owned(), attempts: 1, at: scope.now };
    let proven = Proven { grants: Grants::SignIn, consume, attempts: 1, both: false };
    finish(scope, caller, current, loaded, proof, proven).await
}

/// Sends the code of a first factor.
///
/// # Errors
/// `resource_forbidden` for a sign-in that is not current, `strategy_for_user_invalid` and others.
pub async fn prepare_first(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareFirstFactor) -> Result<SignIn, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_in_id).await?;
    let identifier = loaded.state.identifier.clone().unwrap_or_default();
    let mut params = FactorParams { identifier: loaded.state.identifier.clone(), ..FactorParams::from(req) };
    let name = named(&params)?.to_owned();
    if name == trusted_devices::STRATEGY {
        return devices::prepare(scope, loaded, &params).await;
    }
    refuse_hidden(scope, Some(&name))?;
    let (before, pretended) = match &loaded.state.stage {
        Stage::Pretended { verification } => (verification.clone(), true),
        Stage::NeedsFirstFactor { verification } => (verification.clone(), false),
        _ => return Err(codes::CLIENT_STATE_INVALID.into()),
    };
    narrow(scope, &identifier, loaded.user.as_ref(), &name, &mut params)?;
    if repeats(scope, before.as_ref(), &params, loaded.user.as_ref()).await? {
        return state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await;
    }
    if pretended {
        let code = pretend_code(scope, caller, &loaded.record.id, &name, &identifier, &params).await?;
        loaded.state.stage = Stage::Pretended { verification: Some(code.record.id.clone()) };
        return write(scope, loaded, Some(code)).await;
    }
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    if oauth::is_redirect(&name) {
        refuse_banned(scope, user)?;
        return provider::prepare(scope, caller, loaded, req).await;
    }
    let code = prepared(scope, caller, user, &loaded.record.id, &identifier, &params).await?;
    loaded.state.stage = Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) };
    write(scope, loaded, Some(code)).await
}

/// Proves the first factor.
///
/// # Errors
/// `form_password_incorrect`, `form_code_incorrect`, `verification_failed`, `user_locked` and others.
pub async fn attempt_first(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &AttemptFirstFactor,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let name = named(&params)?;
    if name == trusted_devices::STRATEGY {
        return devices::attempt(scope, caller, current, loaded, &params).await;
    }
    if let Stage::Discoverable { verification } = &loaded.state.stage {
        let verification = verification.clone();
        return discovered(scope, caller, current, loaded, &verification, &params).await;
    }
    refuse_hidden(scope, Some(name))?;
    let identifier = loaded.state.identifier.as_deref().unwrap_or_default();
    narrow(scope, identifier, loaded.user.as_ref(), name, &mut FactorParams::default())?;
    let password = params.password();
    if let Stage::Pretended { verification } = &loaded.state.stage {
        return Err(pretend_attempt(scope, name, &loaded.record.id, verification.as_ref(), &params).await);
    }
    let Stage::NeedsFirstFactor { verification } = &loaded.state.stage else { return Err(codes::CLIENT_STATE_INVALID.into()) };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    let strategy = match strategies::first_factor(&scope.instance, user, name) {
        Err(_) if enumeration::hides(scope) => {
            return Err(pretend_attempt(scope, name, &loaded.record.id, verification.as_ref(), &params).await);
        }
        strategy => strategy?,
    };
    let new_password = if name.starts_with("reset_password") { password } else { None };
    if let Some(new) = new_password {
        password::accept(scope, new, "password").await?;
    }
    let with = Attempt { scope, user, owner: &loaded.record.id, verification: verification.as_ref(), params: &params };
    let proven = strategy.attempt(with).await?;
    if let Some(password) = password.filter(|_| name == "password") {
        refuse_breached(scope, caller, user, password).await?;
    }
    let proof = Proof { strategy: name.to_owned(), attempts: proven.attempts, at: scope.now };
    match proven.grants {
        Grants::SignIn => finish(scope, caller, current, loaded, proof, proven).await,
        Grants::NewPassword => needs_new_password(scope, caller, current, loaded, proof, proven, new_password).await,
    }
}

/// A passkey said who it is.
async fn discovered(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    verification: &VerificationId,
    params: &FactorParams,
) -> Result<Outcome<SignIn>, ApiError> {
    if named(params)? != passkeys::STRATEGY {
        return Err(ApiError::new(codes::VERIFICATION_STRATEGY_INVALID).param("strategy"));
    }
    let json = params.public_key_credential.as_deref();
    let (user, proven) = passkeys::prove(scope, &loaded.record.id, Some(verification), json, None).await?;
    if let Some(id) = signed_in_as(scope, &current, &user.user.id).await? {
        return Err(ApiError::new(codes::IDENTIFIER_ALREADY_SIGNED_IN).session(&id));
    }
    loaded.state.user_id = Some(user.user.id.clone());
    loaded.user = Some(user);
    let proof = Proof { strategy: passkeys::STRATEGY.to_owned(), attempts: proven.attempts, at: scope.now };
    finish(scope, caller, current, loaded, proof, proven).await
}

/// A code that nobody gets, so that its counter, its end and its limits are those of a real one.
async fn pretend_code(
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
    // Limits count by what a user's code would be counted by.
    let target = params.email_address_id().unwrap_or_default();
    let code = match identifiers::parse_identifier(identifier).filter(|_| known) {
        Some(Identifier::Email(email)) if strategy == email_link::STRATEGY => {
            email_link::new_link(scope, owner, target, &email, params.redirect_url.as_deref(), ("magic_link_sign_in", None)).await?
        }
        Some(Identifier::Email(email)) if strategy.ends_with("email_code") => {
            verification::new_code(scope, owner, strategy, target, &email, None).await?
        }
        Some(Identifier::Phone(phone)) if strategy.ends_with("phone_code") => {
            verification::new_phone_code(scope, owner, strategy, &phone, (Channel::Sms, None)).await?
        }
        _ => return Err(ApiError::new(codes::STRATEGY_FOR_USER_INVALID).param("strategy")),
    };
    Ok(code.unsent())
}

/// What a sign-in of nobody answers: the errors of somebody's.
async fn pretend_attempt(scope: &Scope, name: &str, owner: &str, verification: Option<&VerificationId>, params: &FactorParams) -> ApiError {
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

async fn finish(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    proof: Proof,
    proven: Proven,
) -> Result<Outcome<SignIn>, ApiError> {
    let user = loaded.user.ok_or(codes::SIGN_IN_USER_DELETED)?;
    let parts = Parts { both: proven.both, consume: proven.consume, ..Parts::new(Some(loaded.record), loaded.state, proof) };
    complete::after_first(scope, caller, current, parts, &user).await
}

/// Whether the same was asked for a moment ago: then what was sent is still good.
async fn repeats(
    scope: &Scope,
    before: Option<&VerificationId>,
    params: &FactorParams,
    user: Option<&UserWithEmails>,
) -> Result<bool, ApiError> {
    let Some(id) = before else { return Ok(false) };
    let before = verification::load(scope, id).await?;
    let number = params.phone_number_id().zip(user).and_then(|(id, user)| user.phones.iter().find(|phone| phone.id.as_str() == id));
    let wanted = params.email_address_id().or(params.web3_wallet_id()).or(number.map(|phone| phone.number.as_str()));
    Ok(before.is_some_and(|before| {
        Some(before.strategy.as_str()) == params.strategy()
            && before.status == "unverified"
            && before.attempts == 0
            && scope.now - before.created_at < verification::REPEAT_MS
            && wanted.is_none_or(|wanted| wanted == before.target_id)
    }))
}

/// The strategy that a request names.
fn named(params: &FactorParams) -> Result<&str, ApiError> {
    params.strategy().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("strategy"))
}

async fn needs_new_password(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    mut loaded: Loaded,
    proof: Proof,
    proven: Proven,
    new_password: Option<&Secret>,
) -> Result<Outcome<SignIn>, ApiError> {
    if let Some(new) = new_password {
        let hash = scope.app.passwords.hash(new, &scope.app.rng).await?;
        let password = NewPassword { hash, sign_out_others: true };
        return reset(scope, caller, current, loaded, proof, proven.consume, password).await;
    }
    loaded.state.stage = Stage::NeedsNewPassword { proof };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(user) = &loaded.user {
        if let Some(what) = &proven.consume {
            strategies::consume(scope, &mut tx, &user.user.id, what).await?;
        }
        users::clear_guesses(&mut tx, scope.ins(), &user.user.id).await.map_err(internal)?;
    }
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    tx.commit().await.map_err(internal)?;
    let value = state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await?;
    Ok(Outcome { value, current })
}

/// Sets the new password that a proof of the address allows, and signs in.
///
/// # Errors
/// `client_state_invalid` before the proof, the password policy's codes, and others.
pub async fn reset_password(scope: &Scope, caller: &Caller, current: Current, req: &ResetPassword) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let Stage::NeedsNewPassword { proof } = &loaded.state.stage else { return Err(codes::CLIENT_STATE_INVALID.into()) };
    let proof = proof.clone();
    let password = req.password.as_deref().filter(|p| !p.is_empty());
    let password = Secret::from(password.ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("password"))?);
    password::accept(scope, &password, "password").await?;
    let hash = scope.app.passwords.hash(&password, &scope.app.rng).await?;
    let password = NewPassword { hash, sign_out_others: req.sign_out_of_other_sessions != Some(false) };
    reset(scope, caller, current, loaded, proof, None, password).await
}

async fn reset(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    loaded: Loaded,
    proof: Proof,
    consume: Option<strategies::Consume>,
    password: NewPassword,
) -> Result<Outcome<SignIn>, ApiError> {
    let user = loaded.user.ok_or(codes::SIGN_IN_USER_DELETED)?;
    let parts = Parts { consume, password: Some(password), ..Parts::new(Some(loaded.record), loaded.state, proof) };
    complete::after_first(scope, caller, current, parts, &user).await
}

/// Sends the code of a second factor.
///
/// # Errors
/// `client_state_invalid` before the first factor, `strategy_for_user_invalid` and others.
pub async fn prepare_second(scope: &Scope, caller: &Caller, current: &Current, req: &PrepareSecondFactor) -> Result<SignIn, ApiError> {
    let mut loaded = load_current(scope, current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { verification, trust, .. } = &mut loaded.state.stage else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    let strategy = trust.factor(&scope.instance, user, named(&params)?)?;
    if repeats(scope, verification.as_ref(), &params, Some(user)).await? {
        return state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await;
    }
    let code = strategy.prepare(Prepare { scope, caller, user, owner: &loaded.record.id, params: &params }).await?;
    *verification = Some(code.record.id.clone());
    write(scope, loaded, Some(code)).await
}

/// Proves the second factor: the sign-in is complete then.
///
/// # Errors
/// `client_state_invalid` before the first factor, `form_code_incorrect`, `user_locked` and others.
pub async fn attempt_second(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    req: &AttemptSecondFactor,
) -> Result<Outcome<SignIn>, ApiError> {
    let loaded = load_current(scope, &current, &req.sign_in_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { proof, verification, password, trust } = &loaded.state.stage else {
        return Err(codes::CLIENT_STATE_INVALID.into());
    };
    let user = loaded.user.as_ref().ok_or(codes::SIGN_IN_USER_DELETED)?;
    let strategy = trust.factor(&scope.instance, user, named(&params)?)?;
    let with = Attempt { scope, user, owner: &loaded.record.id, verification: verification.as_ref(), params: &params };
    let proven = strategy.attempt(with).await?;
    let second = Proof { strategy: strategy.name().to_owned(), attempts: proven.attempts, at: scope.now };
    let first = Parts::new(Some(loaded.record.clone()), loaded.state.clone(), proof.clone());
    let parts = Parts { second: Some(second), trust: *trust, consume: proven.consume, password: password.clone(), ..first };
    complete::complete(scope, caller, current, parts, user).await
}

/// The sign-in that is current on a client.
pub(crate) async fn current_view(scope: &Scope, client: &ClientRecord) -> Result<Option<SignIn>, ApiError> {
    let Some(id) = &client.sign_in_id else { return Ok(None) };
    let Some(record) = attempts::get(scope.db(), Kind::SignIn, scope.ins(), id.as_str()).await.map_err(internal)? else { return Ok(None) };
    if record.abandon_at <= scope.now {
        return Ok(None);
    }
    let loaded = understand(scope, record).await?;
    state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await.map(Some)
}

async fn understand(scope: &Scope, record: AttemptRecord) -> Result<Loaded, ApiError> {
    let state: SignInState = serde_json::from_str(&record.state).map_err(ApiError::internal)?;
    let user = match &state.user_id {
        Some(id) => users::get(scope.db(), scope.ins(), id).await.map_err(internal)?,
        None => None,
    };
    Ok(Loaded { record, state, user })
}

async fn load(scope: &Scope, current: &Current, id: &SignInId) -> Result<Loaded, ApiError> {
    let missing = || ApiError::not_found("Sign in", id);
    let client = current.record.as_ref().ok_or_else(missing)?;
    let record = attempts::get(scope.db(), Kind::SignIn, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.filter(|r| r.client_id == client.id && r.abandon_at > scope.now).ok_or_else(missing)?;
    understand(scope, record).await
}

async fn load_current(scope: &Scope, current: &Current, id: &SignInId) -> Result<Loaded, ApiError> {
    let loaded = load(scope, current, id).await?;
    if current.require()?.sign_in_id.as_ref() != Some(id) {
        return Err(codes::RESOURCE_FORBIDDEN.into());
    }
    Ok(loaded)
}

/// Writes a new attempt, and the client when it is new, in one transaction.
async fn keep(
    scope: &Scope,
    current: Current,
    state: SignInState,
    user: Option<&UserWithEmails>,
    code: Option<(SignInId, verification::NewCode)>,
    consume: Option<&strategies::Consume>,
) -> Result<(SignIn, Current), ApiError> {
    let (id, code) = match code {
        Some((id, code)) => (id, Some(code)),
        None => (SignInId::new(scope.now, &scope.app.rng), None),
    };
    let (mut client, new_token, is_new) = match current.record {
        Some(record) => (record, current.new_token, false),
        None => {
            let (record, token) = client::fresh(scope);
            (record, Some(token), true)
        }
    };
    client.sign_in_id = Some(id.clone());
    let record = new_record(scope, &id, &client.id, &state)?;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if is_new {
        clients::insert(&mut tx, scope.ins(), &client).await.map_err(internal)?;
    } else {
        clients::set_sign_in(&mut tx, scope.ins(), &client.id, &client.sign_in_id).await.map_err(internal)?;
    }
    attempts::insert(&mut tx, Kind::SignIn, scope.ins(), &record).await.map_err(internal)?;
    if let Some(code) = &code {
        code.write(scope, &mut tx).await?;
    }
    if let (Some(what), Some(user)) = (consume, user) {
        strategies::consume(scope, &mut tx, &user.user.id, what).await?;
    }
    tx.commit().await.map_err(internal)?;
    if code.is_some() {
        scope.app.outbox.notify_one();
    }
    let view = state::view(scope, &record, &state, user).await?;
    Ok((view, Current { record: Some(client), new_token, forgotten: false }))
}

fn new_record(scope: &Scope, id: &SignInId, client: &ClientId, state: &SignInState) -> Result<AttemptRecord, ApiError> {
    Ok(AttemptRecord {
        id: id.as_str().to_owned(),
        client_id: client.clone(),
        state: serde_json::to_string(state).map_err(ApiError::internal)?,
        version: 0,
        abandon_at: scope.now + ABANDON_MS,
        created_at: scope.now,
        updated_at: scope.now,
    })
}

async fn advance(scope: &Scope, tx: &mut doorward_store::Tx, record: &mut AttemptRecord, state: &SignInState) -> Result<(), ApiError> {
    record.state = serde_json::to_string(state).map_err(ApiError::internal)?;
    if !attempts::advance(tx, Kind::SignIn, scope.ins(), record, scope.now).await.map_err(internal)? {
        return Err(codes::CLIENT_STATE_INVALID.into());
    }
    record.version += 1;
    Ok(())
}

async fn write(scope: &Scope, mut loaded: Loaded, code: Option<verification::NewCode>) -> Result<SignIn, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    advance(scope, &mut tx, &mut loaded.record, &loaded.state).await?;
    if let Some(code) = &code {
        code.write(scope, &mut tx).await?;
    }
    tx.commit().await.map_err(internal)?;
    if code.is_some() {
        scope.app.outbox.notify_one();
    }
    state::view(scope, &loaded.record, &loaded.state, loaded.user.as_ref()).await
}

/// A single-session client that is signed in does not start over.
pub(crate) async fn refuse_when_signed_in(scope: &Scope, current: &Current) -> Result<(), ApiError> {
    let Some(client) = &current.record else { return Ok(()) };
    if scope.instance.settings.session.single_session && !client::live_sessions(scope, &client.id).await?.is_empty() {
        return Err(codes::SESSION_EXISTS.into());
    }
    Ok(())
}

pub(crate) async fn signed_in_as(scope: &Scope, current: &Current, user: &UserId) -> Result<Option<SessionId>, ApiError> {
    let Some(client) = &current.record else { return Ok(None) };
    Ok(client::live_sessions(scope, &client.id).await?.into_iter().find(|(s, _)| &s.user_id == user).map(|(s, _)| s.id))
}

/// Refuses early who could not get in anyway; where accounts are hidden, not before they have proven who they are.
fn refuse_banned(scope: &Scope, user: &UserWithEmails) -> Result<(), ApiError> {
    if user.user.banned && !enumeration::hides(scope) { Err(codes::USER_BANNED.into()) } else { Ok(()) }
}

async fn find_user(scope: &Scope, identifier: &str) -> Result<Option<UserWithEmails>, ApiError> {
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
            Ok(found.filter(|it| it.phones.iter().any(|own| own.number == phone.as_str() && own.verified && !own.second_factor)))
        }
        Some(Identifier::Username(key)) if attributes.username != Presence::Off => {
            users::by_username(scope.db(), scope.ins(), &key).await.map_err(internal)
        }
        _ => Ok(None),
    }
}
