//! Captchas: whether a person is at the browser. The SDKs get a token from a service, and this server asks the service whether
//! the token is good (the `siteverify` call of Cloudflare Turnstile). docs/adr/0027 says what happens when it cannot.

mod settings;

pub use settings::{CaptchaSettings, CaptchaWidget};

use crate::app::{Caller, Scope, internal};
use crate::client::{self, Current};
use crate::instance::Instance;
use crate::outbound::{self, Method, OutboundRequest};
use crate::sign_in::filled;
use crate::{oauth, testing_tokens};
use doorward_base::*;
use doorward_store::clients::{self, ClientRecord};
use doorward_wire::fapi::CaptchaAnswer;
use serde::Deserialize;
use std::time::Duration;

/// The key under which the secret of the widget is kept that may ask something.
const SECRET: &str = "captcha";
/// Of the one that shows nothing, where it has one of its own.
const SECRET_INVISIBLE: &str = "captcha_invisible";
/// How long the service may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes that its answer may have.
const MAX_BYTES: usize = 64 * 1024;
/// The most bytes of a token.
const MAX_TOKEN: usize = 2048;
/// How long a client that passed one is asked for none: an hour.
const PASSED_MS: i64 = 60 * 60 * 1000;

/// Whether a key is one under which a secret is kept here.
pub fn is_secret_key(key: &str) -> bool {
    matches!(key, SECRET | SECRET_INVISIBLE)
}

/// The settings, where captchas are shown. The SDKs show none on development instances, whose sign-ups would all fail.
pub fn shown(instance: &Instance) -> Option<&CaptchaSettings> {
    Some(&instance.settings.captcha).filter(|it| it.sign_up && !instance.is_development())
}

/// Whether a client is asked for none: there are none, or it passed one.
pub(crate) fn bypasses(scope: &Scope, record: Option<&ClientRecord>) -> bool {
    shown(&scope.instance).is_none() || record.and_then(|it| it.captcha_passed_at).is_some_and(|at| at > scope.now - PASSED_MS)
}

/// Refuses a sign-in of a client that has to pass a captcha before.
///
/// # Errors
/// `requires_captcha`.
pub(crate) async fn guard_sign_in(scope: &Scope, caller: &Caller, current: &Current) -> Result<(), ApiError> {
    let asked = shown(&scope.instance).is_some_and(|it| it.sign_in);
    if !asked || bypasses(scope, current.record.as_ref()) || testing_tokens::is_with(scope, caller).await? {
        return Ok(());
    }
    Err(codes::REQUIRES_CAPTCHA.into())
}

/// Whether whoever signs up is a person. False where that may be spared: by the strategy that is named, or by the one behind
/// what is carried over from a sign-in. [`spares`] says which those are once it is known.
///
/// # Errors
/// `captcha_missing_token`, and those of a token.
pub(crate) async fn check_sign_up(
    scope: &Scope,
    caller: &Caller,
    current: &Current,
    answer: &CaptchaAnswer,
    may_be_spared: bool,
) -> Result<bool, ApiError> {
    if bypasses(scope, current.record.as_ref()) || testing_tokens::is_with(scope, caller).await? {
        return Ok(true);
    }
    if may_be_spared && answer.captcha_token.is_none() && answer.captcha_error.is_none() {
        return Ok(false);
    }
    verify(scope, caller, answer).await.map(|()| true)
}

/// Whether people sign up by a provider without a captcha.
pub(crate) fn spares(instance: &Instance, strategy: &str) -> bool {
    // What a token of an app proves is known by the strategy of the provider.
    let strategy = oauth::behind_token(strategy).unwrap_or_else(|| strategy.to_owned());
    shown(instance).is_none_or(|it| it.oauth_bypass.contains(&strategy))
}

/// Takes the answer of a client that was asked for one, and asks it for none for a while.
///
/// # Errors
/// `captcha_not_enabled`, and those of a token.
pub async fn pass(scope: &Scope, caller: &Caller, current: Current, answer: &CaptchaAnswer) -> Result<Current, ApiError> {
    if shown(&scope.instance).is_none() {
        return Err(codes::CAPTCHA_NOT_ENABLED.into());
    }
    if !testing_tokens::is_with(scope, caller).await? {
        verify(scope, caller, answer).await?;
    }
    let mut current = if current.record.is_some() { current } else { client::create(scope).await? };
    if let Some(record) = &mut current.record {
        record.captcha_passed_at = Some(scope.now);
        clients::passed_captcha(scope.db(), scope.ins(), &record.id, scope.now).await.map_err(internal)?;
    }
    Ok(current)
}

/// Verifies a token. Never call it inside a transaction.
///
/// # Errors
/// `captcha_missing_token`, `captcha_invalid`; `server_busy` when nobody can say and the settings require one.
async fn verify(scope: &Scope, caller: &Caller, answer: &CaptchaAnswer) -> Result<(), ApiError> {
    if let Some(error) = filled(answer.captcha_error.as_deref()) {
        let shown: String = error.chars().filter(|c| !c.is_control()).take(100).collect();
        tracing::info!(instance = %scope.ins(), error = shown, "a browser could not show a captcha");
        return Err(
            ApiError::new(codes::CAPTCHA_INVALID).long("The captcha could not be loaded. Try another browser, or without extensions.")
        );
    }
    let token = filled(answer.captcha_token.as_deref()).ok_or(codes::CAPTCHA_MISSING_TOKEN)?;
    if token.len() > MAX_TOKEN {
        return Err(codes::CAPTCHA_INVALID.into());
    }
    match ask(scope, caller, token, answer.captcha_widget_type.as_deref()).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(codes::CAPTCHA_INVALID.into()),
        Err(error) => {
            tracing::warn!(instance = %scope.ins(), %error, "a captcha could not be verified");
            metrics::counter!("doorward_captcha_failures_total").increment(1);
            if scope.instance.settings.captcha.required { Err(ApiError::new(codes::SERVER_BUSY).retry_after(5)) } else { Ok(()) }
        }
    }
}

/// What the service says of a token.
#[derive(Deserialize)]
struct Verdict {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
}

/// Whether a token is good.
///
/// # Errors
/// Why nobody can say.
async fn ask(scope: &Scope, caller: &Caller, token: &str, widget: Option<&str>) -> Result<bool, String> {
    let own = match widget {
        Some("invisible") => secret(scope, SECRET_INVISIBLE).await?,
        _ => None,
    };
    let secret = match own {
        Some(own) => own,
        None => secret(scope, SECRET).await?.ok_or("the instance has no secret of captcha")?,
    };
    let mut fields = vec![("secret", secret.expose().to_owned()), ("response", token.to_owned())];
    fields.extend(caller.ip.map(|ip| ("remoteip", ip.to_string())));
    let url = scope.instance.settings.captcha.verify_url()?;
    let request = OutboundRequest { timeout: TIMEOUT, max_bytes: MAX_BYTES, ..OutboundRequest::new(Method::Post, url) }.form(fields);
    let answer = outbound::send(scope, request).await.map_err(|error| error.to_string())?;
    if !answer.is_success() {
        return Err(format!("the service answered {}", answer.status));
    }
    let verdict: Verdict = serde_json::from_slice(&answer.body).map_err(|_| "the service answered something else than a verdict")?;
    let ours = |code: &&String| code.ends_with("-input-secret") || matches!(code.as_str(), "internal-error" | "bad-request");
    match verdict.error_codes.iter().find(ours) {
        Some(code) if !verdict.success => Err(format!("the service says {code}")),
        _ => Ok(verdict.success),
    }
}

async fn secret(scope: &Scope, key: &str) -> Result<Option<Secret>, String> {
    oauth::open_secret(scope, key).await.map_err(|error| error.to_string())
}
