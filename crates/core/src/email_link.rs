//! Links by mail. Whoever opens one proves the address; a program that opens every link of a mail, to look for harm, proves
//! nothing: a link works at once only in the browser that asked for it, and elsewhere, where that is allowed, after a person
//! has pressed a button.

use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current, Outcome};
use crate::identifiers::Email;
use crate::verification::{self, NewCode};
use crate::{crypto, redirect_urls, sign_in, sign_up, users};
use doorward_base::*;
use doorward_store::attempts::{self, Kind};
use doorward_store::users as user_store;
use doorward_store::verifications::{self, VerificationRecord};

/// The strategy's name.
pub(crate) const STRATEGY: &str = "email_link";

/// What became of a link that was opened.
pub enum Opened {
    /// The browser goes on to here.
    Redirect(String),
    /// Nothing yet: a person has to say so.
    Ask,
}

/// Makes a link for an address. `redirect_url` is where the page waits that asked for it; `words`
/// are the message and in whose language it is.
///
/// # Errors
/// Those of [`redirect_urls::check`], `verification_code_too_many_requests`.
pub(crate) async fn new_link(
    scope: &Scope,
    owner: &str,
    email: &Email,
    redirect_url: Option<&str>,
    words: (&'static str, Option<&str>),
) -> Result<NewCode, ApiError> {
    let redirect = redirect_urls::check(scope, redirect_url).await?;
    let secret = scope.app.rng.alphanumeric(43);
    let mut code = verification::new_link(scope, owner, STRATEGY, email, &secret, words).await?;
    let sealed = scope.app.sealer.seal(&scope.app.rng, &context(&code.record.id), redirect.as_str().as_bytes());
    code.record.payload = Some(sealed.map_err(ApiError::internal)?);
    Ok(code)
}

fn context(id: &VerificationId) -> String {
    format!("verification:{id}")
}

/// Whether a verification is a link that was opened: what waits for it may go on.
pub(crate) fn was_opened(record: &VerificationRecord) -> bool {
    record.strategy == STRATEGY && record.status == "verified"
}

/// Opens a link. `confirmed` says that a person pressed the button.
///
/// # Errors
/// `verification_link_token_invalid`: then nobody knows where to send the browser.
pub async fn open(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    token: Option<&str>,
    confirmed: bool,
) -> Result<Outcome<Opened>, ApiError> {
    let (record, redirect) = find(scope, token).await?;
    let to = |status: &str, session: Option<&SessionId>| {
        let mut url = redirect.clone();
        url.query_pairs_mut().append_pair("__clerk_status", status);
        if let Some(id) = session {
            url.query_pairs_mut().append_pair("__clerk_created_session", id.as_str());
        }
        Opened::Redirect(url.into())
    };
    if record.status == "verified" {
        return Ok(Outcome { value: to("verified", None), current });
    }
    if record.expire_at <= scope.now {
        return Ok(Outcome { value: to("expired", None), current });
    }
    let here = is_here(scope, &current, &record.owner_id).await?;
    if !here && scope.instance.settings.attack_protection.email_link_same_client {
        return Ok(Outcome { value: to("client_mismatch", None), current });
    }
    if !here && !confirmed {
        return Ok(Outcome { value: Opened::Ask, current });
    }
    let before = current.clone();
    match prove(scope, caller, current, &record, here).await {
        Ok(Outcome { value: (status, session), current }) => Ok(Outcome { value: to(status, session.as_ref()), current }),
        // Opened twice at once: the other request has done it.
        Err(error) if error.code() == codes::VERIFICATION_ALREADY_VERIFIED => Ok(Outcome { value: to("verified", None), current: before }),
        Err(error) if error.status() < 500 => {
            tracing::debug!(code = error.code().code, "a link could not be used");
            Ok(Outcome { value: to("failed", None), current: before })
        }
        Err(error) => Err(error),
    }
}

async fn find(scope: &Scope, token: Option<&str>) -> Result<(VerificationRecord, url::Url), ApiError> {
    let token = sign_in::filled(token).ok_or_else(|| ApiError::new(codes::FORM_PARAM_MISSING).param("token"))?;
    let invalid = || ApiError::new(codes::VERIFICATION_LINK_TOKEN_INVALID).param("token");
    let (id, secret) = token.split_once('.').ok_or_else(invalid)?;
    let id = VerificationId::from(id);
    let record = verifications::get(scope.db(), scope.ins(), &id).await.map_err(internal)?;
    let record = record.filter(|it| it.strategy == STRATEGY).ok_or_else(invalid)?;
    if !crypto::equal(record.code_hash.as_bytes(), scope.app.sealer.code_hash(id.as_str(), secret).as_bytes()) {
        return Err(invalid());
    }
    let sealed = record.payload.as_deref().ok_or_else(invalid)?;
    let redirect = scope.app.sealer.open(&context(&id), sealed).map_err(ApiError::internal)?;
    let redirect = String::from_utf8(redirect).map_err(ApiError::internal)?;
    Ok((record, url::Url::parse(&redirect).map_err(ApiError::internal)?))
}

/// What kind of attempt asked for a link; none for a user's own address.
fn kind(owner: &str) -> Option<Kind> {
    match owner {
        _ if owner.starts_with(SignInId::PREFIX) => Some(Kind::SignIn),
        _ if owner.starts_with(SignUpId::PREFIX) => Some(Kind::SignUp),
        _ => None,
    }
}

/// Whether this browser is the one that asked.
async fn is_here(scope: &Scope, current: &Current, owner: &str) -> Result<bool, ApiError> {
    let Some(client) = &current.record else { return Ok(false) };
    match kind(owner) {
        Some(kind) => {
            let attempt = attempts::get(scope.db(), kind, scope.ins(), owner).await.map_err(internal)?;
            Ok(attempt.is_some_and(|it| it.client_id == client.id))
        }
        None => {
            let email = user_store::get_email(scope.db(), scope.ins(), &IdentificationId::from(owner)).await.map_err(internal)?;
            let Some(email) = email else { return Ok(false) };
            Ok(client::live_sessions(scope, &client.id).await?.iter().any(|(session, _)| session.user_id == email.user_id))
        }
    }
}

/// Uses the link up, and says what to tell of it. In the browser that asked, what asked for it goes on at once, as far as it can; else when that browser
/// asks how far it is.
async fn prove(
    scope: &Scope,
    caller: &Caller,
    current: Current,
    record: &VerificationRecord,
    here: bool,
) -> Result<Outcome<(&'static str, Option<SessionId>)>, ApiError> {
    match kind(&record.owner_id) {
        None => {
            users::prove_by_link(scope, record).await?;
            Ok(Outcome { value: ("verified", None), current })
        }
        Some(_) if !here => {
            let mut tx = scope.db().begin().await.map_err(internal)?;
            verification::consume(scope, &mut tx, &record.id).await?;
            tx.commit().await.map_err(internal)?;
            Ok(Outcome { value: ("verified", None), current })
        }
        Some(Kind::SignUp) => {
            let done = sign_up::finish_link(scope, caller, current, &record.owner_id.as_str().into(), record).await?;
            Ok(Outcome { value: ("verified", done.value.created_session_id), current: done.current })
        }
        Some(_) => {
            let done = sign_in::finish_link(scope, caller, current, &record.owner_id.as_str().into(), record).await?;
            let transferable = done.value.first_factor_verification.as_ref().is_some_and(|it| it.status == "transferable");
            let status = if transferable { "transferable" } else { "verified" };
            Ok(Outcome { value: (status, done.value.created_session_id), current: done.current })
        }
    }
}
