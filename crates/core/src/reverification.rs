//! Who is signed in proves it once more, before something that matters. One at a time for each session; what was proven
//! shows in the session's next token (`fva`).

use crate::app::{Caller, Scope, internal};
use crate::sign_in::{Proof, verified, was_right};
use crate::strategies::{self, Attempt, FactorParams, Prepare, Strategy};
use crate::verification::{self, NewCode};
use crate::{client, session};
use doorward_base::*;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::ClientRecord;
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::UserWithEmails;
use doorward_wire::fapi::{
    AttemptReverificationFirstFactor, AttemptReverificationSecondFactor, Factor, PrepareReverificationFirstFactor,
    PrepareReverificationSecondFactor, SessionReverification,
};
use serde::{Deserialize, Serialize};

/// How long one may take, in milliseconds: ten minutes.
const ABANDON_MS: i64 = 10 * 60 * 1000;

/// What has to be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Level {
    First,
    Second,
    Both,
}

impl Level {
    fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        match crate::sign_in::filled(text) {
            Some("first_factor") => Ok(Self::First),
            Some("second_factor") => Ok(Self::Second),
            Some("multi_factor") => Ok(Self::Both),
            Some(_) => Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("level")),
            None => Err(ApiError::new(codes::FORM_PARAM_MISSING).param("level")),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::First => "first_factor",
            Self::Second => "second_factor",
            Self::Both => "multi_factor",
        }
    }
}

/// How far it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Stage {
    NeedsFirstFactor { verification: Option<VerificationId> },
    NeedsSecondFactor { first: Option<Proof>, verification: Option<VerificationId> },
    Complete { first: Option<Proof>, second: Option<Proof> },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct State {
    level: Level,
    stage: Stage,
}

/// A reverification that was read, with whom it is about.
struct Loaded {
    record: AttemptRecord,
    state: State,
    session: SessionRecord,
    user: UserWithEmails,
}

impl FactorParams {
    fn named(&self) -> Result<&str, ApiError> {
        self.strategy().ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("strategy"))
    }
}

impl From<&PrepareReverificationFirstFactor> for FactorParams {
    fn from(it: &PrepareReverificationFirstFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            email_address_id: it.email_address_id.clone(),
            phone_number_id: it.phone_number_id.clone(),
            ..Self::default()
        }
    }
}

impl From<&PrepareReverificationSecondFactor> for FactorParams {
    fn from(it: &PrepareReverificationSecondFactor) -> Self {
        Self { strategy: it.strategy.clone(), phone_number_id: it.phone_number_id.clone(), ..Self::default() }
    }
}

impl From<&AttemptReverificationFirstFactor> for FactorParams {
    fn from(it: &AttemptReverificationFirstFactor) -> Self {
        Self {
            strategy: it.strategy.clone(),
            code: it.code.clone(),
            password: it.password.as_deref().map(Secret::from),
            public_key_credential: it.public_key_credential.clone(),
            ..Self::default()
        }
    }
}

impl From<&AttemptReverificationSecondFactor> for FactorParams {
    fn from(it: &AttemptReverificationSecondFactor) -> Self {
        Self { strategy: it.strategy.clone(), code: it.code.clone(), ..Self::default() }
    }
}

/// The first factors that prove presence.
fn first_factors(scope: &Scope, user: &UserWithEmails) -> Vec<Factor> {
    let mut all = strategies::first_factors(&scope.instance, user);
    all.retain(|factor| proves_presence(&factor.strategy));
    all
}

/// Choosing a new password proves no presence, whoever opens a link need not be who is signed in, and a provider sends back
/// whoever is signed in there without a question. For wallets the protocol has no way to send a signature here.
fn proves_presence(strategy: &str) -> bool {
    let elsewhere = crate::web3::chain_of(strategy).is_some() || crate::oauth::is_redirect(strategy);
    !strategy.starts_with("reset_password") && strategy != "email_link" && !elsewhere
}

fn first_factor(scope: &Scope, user: &UserWithEmails, name: &str) -> Result<&'static dyn Strategy, ApiError> {
    if !proves_presence(name) {
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("strategy"));
    }
    strategies::first_factor(&scope.instance, user, name)
}

/// How long a proof of presence holds, in milliseconds: ten minutes.
const FRESH_MS: i64 = 10 * 60 * 1000;

/// Lets an operation go on for who proved to be the user lately, where the instance asks for that: by the second factor of whoever
/// has one, which is what the SDKs ask for. Who has nothing to prove it by is let through: asking would keep them out for ever.
/// Whoever acts as the user never is: they would be in for good.
///
/// # Errors
/// `session_reverification_required`, `resource_forbidden`.
pub fn require(scope: &Scope, session: &SessionRecord, user: &UserWithEmails) -> Result<(), ApiError> {
    if session.actor.is_some() {
        let error = ApiError::new(codes::RESOURCE_FORBIDDEN);
        return Err(error.long("Whoever acts as a user does not change who gets into the account."));
    }
    if !scope.instance.settings.session.reverify_sensitive {
        return Ok(());
    }
    let has_second = !strategies::second_factors(&scope.instance, user).is_empty();
    let proven_at = if has_second { session.second_factor_at } else { session.first_factor_at };
    let fresh = proven_at.is_some_and(|at| scope.now - at < FRESH_MS);
    if fresh || !has_second && first_factors(scope, user).is_empty() {
        return Ok(());
    }
    Err(codes::SESSION_REVERIFICATION_REQUIRED.into())
}

/// Begins a reverification of a session of this client. It takes the place of the one before.
///
/// # Errors
/// `resource_not_found` for a session that is not this client's, the parameter `level`.
pub async fn start(
    scope: &Scope,
    caller: &Caller,
    client: &ClientRecord,
    id: &SessionId,
    level: Option<&str>,
) -> Result<SessionReverification, ApiError> {
    let (session, user) = live_session(scope, client, id).await?;
    let level = Level::parse(level)?;
    let has_second = !strategies::second_factors(&scope.instance, &user).is_empty();
    let stage = match level {
        Level::Second if has_second => Stage::NeedsSecondFactor { first: None, verification: None },
        _ => Stage::NeedsFirstFactor { verification: None },
    };
    let state = State { level, stage };
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
    attempts::delete(&mut tx, Kind::Reverification, scope.ins(), &record.id).await.map_err(internal)?;
    attempts::insert(&mut tx, Kind::Reverification, scope.ins(), &record).await.map_err(internal)?;
    tx.commit().await.map_err(internal)?;
    view(scope, caller, &Loaded { record, state, session, user }).await
}

/// Sends the code of a first factor.
///
/// # Errors
/// `session_reverification_missing`, `invalid_action_for_session_reverification`, those of the strategy.
pub async fn prepare_first(
    scope: &Scope,
    caller: &Caller,
    client: &ClientRecord,
    req: &PrepareReverificationFirstFactor,
) -> Result<SessionReverification, ApiError> {
    let mut loaded = load(scope, client, &req.session_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsFirstFactor { .. } = loaded.state.stage else { return Err(wrong_stage()) };
    let strategy = first_factor(scope, &loaded.user, params.named()?)?;
    let code = prepare(scope, caller, &loaded, strategy, &params).await?;
    loaded.state.stage = Stage::NeedsFirstFactor { verification: Some(code.record.id.clone()) };
    keep(scope, caller, loaded, &code).await
}

/// Sends the code of a second factor.
///
/// # Errors
/// As [`prepare_first`].
pub async fn prepare_second(
    scope: &Scope,
    caller: &Caller,
    client: &ClientRecord,
    req: &PrepareReverificationSecondFactor,
) -> Result<SessionReverification, ApiError> {
    let mut loaded = load(scope, client, &req.session_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { first, .. } = loaded.state.stage.clone() else { return Err(wrong_stage()) };
    let strategy = strategies::second_factor(&scope.instance, &loaded.user, params.named()?)?;
    let code = prepare(scope, caller, &loaded, strategy, &params).await?;
    loaded.state.stage = Stage::NeedsSecondFactor { first, verification: Some(code.record.id.clone()) };
    keep(scope, caller, loaded, &code).await
}

/// Proves the first factor.
///
/// # Errors
/// As [`prepare_first`], and `form_password_incorrect`, `form_code_incorrect`, `user_locked`.
pub async fn attempt_first(
    scope: &Scope,
    caller: &Caller,
    client: &ClientRecord,
    req: &AttemptReverificationFirstFactor,
) -> Result<SessionReverification, ApiError> {
    let loaded = load(scope, client, &req.session_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsFirstFactor { verification } = loaded.state.stage.clone() else { return Err(wrong_stage()) };
    let strategy = first_factor(scope, &loaded.user, params.named()?)?;
    let (proof, proven) = attempt(scope, &loaded, strategy, verification.as_ref(), &params).await?;
    let wants_second = loaded.state.level == Level::Both && !strategies::second_factors(&scope.instance, &loaded.user).is_empty();
    let stage = if proven.both {
        Stage::Complete { first: Some(proof.clone()), second: Some(proof) }
    } else if wants_second {
        Stage::NeedsSecondFactor { first: Some(proof), verification: None }
    } else {
        Stage::Complete { first: Some(proof), second: None }
    };
    advance(scope, caller, loaded, stage, proven.consume.as_ref()).await
}

/// Proves the second factor.
///
/// # Errors
/// As [`attempt_first`].
pub async fn attempt_second(
    scope: &Scope,
    caller: &Caller,
    client: &ClientRecord,
    req: &AttemptReverificationSecondFactor,
) -> Result<SessionReverification, ApiError> {
    let loaded = load(scope, client, &req.session_id).await?;
    let params = FactorParams::from(req);
    let Stage::NeedsSecondFactor { first, verification } = loaded.state.stage.clone() else { return Err(wrong_stage()) };
    let strategy = strategies::second_factor(&scope.instance, &loaded.user, params.named()?)?;
    let (proof, proven) = attempt(scope, &loaded, strategy, verification.as_ref(), &params).await?;
    advance(scope, caller, loaded, Stage::Complete { first, second: Some(proof) }, proven.consume.as_ref()).await
}

fn wrong_stage() -> ApiError {
    codes::INVALID_ACTION_FOR_SESSION_REVERIFICATION.into()
}

async fn live_session(scope: &Scope, client: &ClientRecord, id: &SessionId) -> Result<(SessionRecord, UserWithEmails), ApiError> {
    let (session, user) = client::session_of(scope, client, id).await?;
    if !session.is_live(scope.now) || user.user.banned {
        return Err(ApiError::not_found("Session", id));
    }
    Ok((session, user))
}

async fn load(scope: &Scope, client: &ClientRecord, id: &SessionId) -> Result<Loaded, ApiError> {
    let (session, user) = live_session(scope, client, id).await?;
    let record = attempts::get(scope.db(), Kind::Reverification, scope.ins(), id.as_str()).await.map_err(internal)?;
    let record = record.filter(|it| it.client_id == client.id && it.abandon_at > scope.now);
    let record = record.ok_or(codes::SESSION_REVERIFICATION_MISSING)?;
    let state = serde_json::from_str(&record.state).map_err(ApiError::internal)?;
    Ok(Loaded { record, state, session, user })
}

async fn prepare(
    scope: &Scope,
    caller: &Caller,
    loaded: &Loaded,
    strategy: &'static dyn Strategy,
    params: &FactorParams,
) -> Result<NewCode, ApiError> {
    strategy.prepare(Prepare { scope, caller, user: &loaded.user, owner: &loaded.record.id, identifier: None, params }).await
}

async fn attempt(
    scope: &Scope,
    loaded: &Loaded,
    strategy: &'static dyn Strategy,
    verification: Option<&VerificationId>,
    params: &FactorParams,
) -> Result<(Proof, strategies::Proven), ApiError> {
    let with = Attempt { scope, user: &loaded.user, owner: &loaded.record.id, verification, params };
    let proven = strategy.attempt(with).await?;
    Ok((Proof::new(scope, strategy.name(), proven.attempts), proven))
}

async fn write(scope: &Scope, tx: &mut doorward_store::Tx, loaded: &mut Loaded) -> Result<(), ApiError> {
    loaded.record.state = serde_json::to_string(&loaded.state).map_err(ApiError::internal)?;
    if !attempts::advance(tx, Kind::Reverification, scope.ins(), &loaded.record, scope.now).await.map_err(internal)? {
        return Err(wrong_stage());
    }
    loaded.record.version += 1;
    Ok(())
}

async fn keep(scope: &Scope, caller: &Caller, mut loaded: Loaded, code: &NewCode) -> Result<SessionReverification, ApiError> {
    let mut tx = scope.db().begin().await.map_err(internal)?;
    write(scope, &mut tx, &mut loaded).await?;
    code.write(scope, &mut tx).await?;
    tx.commit().await.map_err(internal)?;
    scope.app.outbox.notify_one();
    view(scope, caller, &loaded).await
}

async fn advance(
    scope: &Scope,
    caller: &Caller,
    mut loaded: Loaded,
    stage: Stage,
    consume: Option<&strategies::Consume>,
) -> Result<SessionReverification, ApiError> {
    loaded.state.stage = stage;
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(what) = consume {
        strategies::consume(scope, &mut tx, &loaded.user.user.id, what).await?;
    }
    if let Stage::Complete { first, second } = &loaded.state.stage {
        let guessed = [first, second].into_iter().flatten().any(|proof| strategies::is_guessed(&proof.strategy));
        let (first, second) = (first.is_some(), second.is_some());
        if !sessions::factors_checked(&mut tx, scope.ins(), &loaded.session.id, first, second, scope.now).await.map_err(internal)? {
            return Err(ApiError::not_found("Session", &loaded.session.id));
        }
        if guessed || first && second {
            was_right(scope, &mut tx, &loaded.user, first && second).await?;
        }
        loaded.session.first_factor_at = if first { Some(scope.now) } else { loaded.session.first_factor_at };
        loaded.session.second_factor_at = if second { Some(scope.now) } else { loaded.session.second_factor_at };
    }
    write(scope, &mut tx, &mut loaded).await?;
    tx.commit().await.map_err(internal)?;
    view(scope, caller, &loaded).await
}

async fn view(scope: &Scope, caller: &Caller, loaded: &Loaded) -> Result<SessionReverification, ApiError> {
    let sent = async |id: &Option<VerificationId>| match id {
        Some(id) => verification::load(scope, id).await?.map(|it| verification::show(scope, &it)).transpose(),
        None => Ok(None),
    };
    let (status, first, second) = match &loaded.state.stage {
        Stage::NeedsFirstFactor { verification } => ("needs_first_factor", sent(verification).await?, None),
        Stage::NeedsSecondFactor { first, verification } => {
            ("needs_second_factor", first.as_ref().map(verified), sent(verification).await?)
        }
        Stage::Complete { first, second } => ("complete", first.as_ref().map(verified), second.as_ref().map(verified)),
    };
    let wants_second = loaded.state.level != Level::First;
    Ok(SessionReverification {
        object: "session_reverification".to_owned(),
        status: status.to_owned(),
        level: loaded.state.level.name().to_owned(),
        session: session::view(scope, caller, &loaded.session, Some(&loaded.user))?,
        first_factor_verification: first,
        second_factor_verification: second,
        supported_first_factors: Some(first_factors(scope, &loaded.user)),
        supported_second_factors: wants_second.then(|| strategies::second_factors(&scope.instance, &loaded.user)),
    })
}
