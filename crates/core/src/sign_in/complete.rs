use super::client_trust;
use super::state::{NewPassword, Proof, SignInState, Stage, Trust, view};
use super::{advance, new_record, refuse_locked};
use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::strategies::{self, Consume};
use crate::{access, crypto, mail, notices, oauth, session, tasks};
use doorward_base::*;
use doorward_store::Tx;
use doorward_store::attempts::{self, AttemptRecord, Kind};
use doorward_store::clients::{self, ClientRecord};
use doorward_store::sessions::{self, SessionRecord};
use doorward_store::users::{self, UserRecord, UserWithEmails};
use doorward_wire::fapi::SignIn;

/// Everything that the last transition of a sign-in writes.
pub(super) struct Parts {
    pub record: Option<AttemptRecord>,
    pub state: SignInState,
    pub proof: Proof,
    pub second: Option<Proof>,
    /// Whether the second proof is of the device: then it is no second factor.
    pub trust: Trust,
    /// Whether the first factor stands for both.
    pub both: bool,
    pub consume: Option<Consume>,
    pub password: Option<NewPassword>,
    /// A provider's account that becomes the user's when all is proven, sealed.
    pub account: Option<String>,
    /// Who acts as the user, JSON. Nobody can ask them for the user's second factor.
    pub actor: Option<String>,
    /// How long the session lasts, in seconds, when not as long as others.
    pub session_seconds: Option<i64>,
}

impl Parts {
    /// The plain case: one proof that uses nothing up.
    pub(super) fn new(record: Option<AttemptRecord>, state: SignInState, proof: Proof) -> Self {
        let (second, consume, password, account, actor, session_seconds) = (None, None, None, None, None, None);
        Self { record, state, proof, second, trust: Trust::NotAsked, both: false, consume, password, account, actor, session_seconds }
    }
}

/// What follows on a first factor: the second one where the user has one, a proof of the device where one is asked for, else the
/// end.
pub(super) async fn after_first(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    parts: Parts,
    user: &UserWithEmails,
) -> Result<Outcome<SignIn>, ApiError> {
    if parts.actor.is_none() {
        refuse_locked(scope, &user.user)?;
    }
    let alone = parts.both || parts.actor.is_some();
    let has_second = !strategies::second_factors(&scope.instance, user).is_empty();
    let trust = if alone || has_second { Trust::NotAsked } else { client_trust::asked(scope, caller, &current, &parts, user).await? };
    if alone || !has_second && trust == Trust::NotAsked {
        return complete(scope, caller, current, parts, user).await;
    }
    if user.user.banned {
        return Err(codes::USER_BANNED.into());
    }
    // Whoever chose a new password later has had it back before that.
    let guessed = strategies::is_guessed(&parts.proof.strategy) && (parts.password.is_none() || parts.consume.is_some());
    let stage =
        Stage::NeedsSecondFactor { proof: parts.proof, verification: None, password: parts.password, trust, account: parts.account };
    let state = SignInState { stage, ..parts.state };
    let Some(mut record) = parts.record else {
        let right = super::Right { user, consume: parts.consume.as_ref(), guessed };
        let (value, current) = super::keep(scope, current, state, Some(user), None, Some(right)).await?;
        return Ok(Outcome { value, current });
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(what) = &parts.consume {
        strategies::consume(scope, &mut tx, &user.user.id, what).await?;
    }
    if guessed {
        users::give_back_guess(&mut tx, scope.ins(), &user.user.id).await.map_err(internal)?;
    }
    advance(scope, &mut tx, &mut record, &state).await?;
    tx.commit().await.map_err(internal)?;
    Ok(Outcome { value: view(scope, &record, &state, Some(user)).await?, current })
}

/// The last transition: the proof is consumed, the session begins, the client gets a new token, all or nothing.
pub(super) async fn complete(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    parts: Parts,
    user: &UserWithEmails,
) -> Result<Outcome<SignIn>, ApiError> {
    if user.user.banned {
        return Err(codes::USER_BANNED.into());
    }
    if parts.actor.is_none() {
        access::sign_in(scope, user).await?;
    }
    let mut new = NewSession::prepare(scope, caller, &current, &user.user.id);
    // It may have waited for the second one.
    new.session.first_factor_at = Some(parts.proof.at);
    new.session.second_factor_at = (parts.both || parts.second.is_some() && parts.trust == Trust::NotAsked).then_some(scope.now);
    // Whoever acts as somebody does not do what that one has to.
    new.session.tasked = parts.actor.is_none() && tasks::at_begin(scope, caller, Some(user), parts.password.is_some())?;
    new.session.actor = parts.actor;
    if new.session.actor.is_some() {
        // They have proven nothing of the user's.
        new.session.first_factor_at = None;
    }
    if let Some(seconds) = parts.session_seconds {
        new.session.expire_at = scope.now + seconds * 1000;
    }
    let changed = match &parts.password {
        Some(_) => notices::to_primary(scope, user, notices::PASSWORD_CHANGED).await?,
        None => None,
    };
    // Whoever acts as somebody is known to those who let them.
    let tells = scope.instance.settings.attack_protection.new_device_notice && new.session.actor.is_none();
    let device = match tells && user.user.last_sign_in_at.is_some() && !client_trust::is_known(scope, &current, &user.user.id).await? {
        true => notices::new_device(scope, caller, user).await?,
        false => None,
    };
    let account = match &parts.account {
        Some(sealed) => oauth::vouched_again(scope, &user.user.id, sealed).await?,
        None => None,
    };
    let mut state = parts.state;
    let strategy = parts.proof.strategy.clone();
    let by_password_alone = strategy == "password" && parts.second.is_none();
    new.password_of = (strategy == "password").then_some(user.user.password_updated_at.unwrap_or(0));
    state.stage = Stage::Complete { proof: parts.proof, second: parts.second, session: new.session.id.clone() };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    if let Some(what) = &parts.consume {
        strategies::consume(scope, &mut tx, &user.user.id, what).await?;
    }
    let record = match parts.record {
        Some(mut record) => {
            advance(scope, &mut tx, &mut record, &state).await?;
            record
        }
        None => {
            let id = SignInId::new(scope.now, &scope.app.rng);
            let record = new_record(scope, &id, &new.client.id, &state)?;
            attempts::insert(&mut tx, Kind::SignIn, scope.ins(), &record).await.map_err(internal)?;
            record
        }
    };
    if let Some(account) = &account {
        account.write(scope, &mut tx).await?;
    }
    if let Some(password) = &parts.password {
        users::set_password(&mut tx, scope.ins(), &user.user.id, &password.hash, scope.now).await.map_err(internal)?;
        if password.sign_out_others {
            sessions::close_of_user(&mut tx, scope.ins(), &user.user.id, None, "revoked", scope.now).await.map_err(internal)?;
        }
    }
    for notice in [&changed, &device].into_iter().flatten() {
        mail::enqueue(scope, &mut tx, notice).await?;
        scope.app.outbox.notify_one();
    }
    let Completed { user: now, mut current, .. } = complete_new_session(scope, &mut tx, new, &strategy).await?;
    tx.commit().await.map_err(internal)?;
    let value = view(scope, &record, &state, Some(user)).await?;
    // Other proofs may have changed more of the user than the record.
    current.signed_in = by_password_alone.then(|| UserWithEmails { user: now, ..user.clone() });
    Ok(Outcome { value, current })
}

/// A session that is about to begin, on a client that gets a new token with it.
pub(crate) struct NewSession {
    pub session: SessionRecord,
    pub client: ClientRecord,
    token: Secret,
    /// The token's hash that the client has until then; none when the client is new.
    before: Option<ClientRecord>,
    /// From when the password is that was proven, if one was.
    password_of: Option<Timestamp>,
}

/// A session that began.
pub struct Completed {
    /// The session.
    pub session: SessionRecord,
    /// Whose it is.
    pub user: UserRecord,
    /// The client with its new token.
    pub current: Current,
}

impl NewSession {
    /// Prepares everything that needs no database. A token that was known before the sign-in is of no use after it.
    pub(crate) fn prepare(scope: &Scope, caller: &Caller, current: &Current, user: &UserId) -> Self {
        let before = current.record.clone();
        let (client, token) = match &before {
            Some(record) => (record.clone(), client::new_token(scope)),
            None => client::fresh(scope),
        };
        let session = session::begin(scope, caller, &client.id, user);
        Self { session, client, token, before, password_of: None }
    }
}

/// Why somebody is not let in who was to be a moment ago.
async fn kept_out(scope: &Scope, tx: &mut Tx, id: &UserId) -> Result<ApiError, ApiError> {
    let now = users::get(&mut *tx, scope.ins(), id).await.map_err(internal)?;
    Ok(match now {
        Some(it) if !it.user.banned => match refuse_locked(scope, &it.user) {
            Err(locked) => locked,
            Ok(()) => codes::CLIENT_STATE_INVALID.into(),
        },
        _ => codes::USER_BANNED.into(),
    })
}

/// Writes the session, the user's sign-in and the client's new token.
pub(crate) async fn complete_new_session(scope: &Scope, tx: &mut Tx, new: NewSession, strategy: &str) -> Result<Completed, ApiError> {
    let NewSession { session, mut client, token, before, password_of } = new;
    // Whoever acts as somebody has not signed that one in, and takes no lock off.
    let user = match &session.actor {
        Some(_) => users::acted_as(tx, scope.ins(), &session.user_id).await,
        None => users::signed_in(tx, scope.ins(), &session.user_id, password_of, scope.now).await,
    };
    let Some(user) = user.map_err(internal)? else { return Err(kept_out(scope, tx, &session.user_id).await?) };
    let hash = crypto::token_hash(token.expose());
    match &before {
        Some(before) => {
            if scope.instance.settings.session.single_session {
                sessions::close_of_client(tx, scope.ins(), &client.id, "replaced", scope.now).await.map_err(internal)?;
            }
            let done = clients::signed_in(tx, scope.ins(), before, &hash, &session.id, strategy, scope.now).await.map_err(internal)?;
            if !done {
                return Err(codes::CLIENT_STATE_INVALID.into());
            }
        }
        None => {
            client.last_active_session_id = Some(session.id.clone());
            client.last_authentication_strategy = Some(strategy.to_owned());
            clients::insert(tx, scope.ins(), &client).await.map_err(internal)?;
        }
    }
    sessions::insert(tx, scope.ins(), &session).await.map_err(internal)?;
    let client = ClientRecord {
        token_hash: hash,
        sign_in_id: None,
        sign_up_id: None,
        last_active_session_id: Some(session.id.clone()),
        last_authentication_strategy: Some(strategy.to_owned()),
        updated_at: scope.now,
        ..client
    };
    Ok(Completed { session, user, current: Current { record: Some(client), new_token: Some(token), ..Current::default() } })
}
