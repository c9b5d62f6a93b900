//! Accounts at other providers that users bring from elsewhere.

use super::import::{ImportedProof, ImportedUser};
use super::imported_identifiers::{Given, MAX_IDENTIFIERS, kept_id};
use super::{PassedOver, check_name, metadata_text};
use crate::app::Scope;
use crate::oauth;
use doorward_base::*;
use doorward_store::external_accounts::ExternalAccountRecord;
use doorward_store::users::UserRecord;
use doorward_wire::Object;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

/// The most characters of all scopes together, and of the address of a picture.
const MAX_LONG: usize = 2048;

/// An account of such a user at another provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names are those of the wire")]
pub struct ImportedExternalAccount {
    pub id: Option<String>,
    pub identification_id: Option<String>,
    pub provider: Option<String>,
    /// Who vouches for `provider_user_id`, as our own export says. Where it is not given, this instance's provider does.
    pub issuer: Option<String>,
    pub provider_user_id: Option<String>,
    pub approved_scopes: Option<String>,
    pub email_address: Option<String>,
    pub email_address_verified: Option<bool>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub image_url: Option<String>,
    pub avatar_url: Option<String>,
    pub public_metadata: Option<Object>,
    pub label: Option<Value>,
    pub phone_number: Option<Value>,
    pub verification: Option<ImportedProof>,
    pub created_at: Option<Timestamp>,
    pub updated_at: Option<Timestamp>,
}

/// The accounts of a row with their places in it. One whose provider nobody here knows is counted: its id would mean nothing.
pub(super) fn read(
    scope: &Scope,
    row: &ImportedUser,
    user: &UserRecord,
    left: &mut PassedOver,
) -> Result<Vec<(usize, ExternalAccountRecord)>, ApiError> {
    let given = row.external_accounts.as_deref().unwrap_or_default();
    if given.len() > MAX_IDENTIFIERS {
        return Err(ApiError::new(codes::FORM_PARAM_ARRAY_TOO_LARGE).param("external_accounts"));
    }
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(given.len());
    for (n, it) in given.iter().enumerate() {
        let strategy = oauth::strategy(it.provider.as_deref().unwrap_or_default());
        let Some(issuer) = oauth::issuer(&scope.instance.settings, &strategy, it.issuer.as_deref()) else {
            left.add("external_accounts", 1);
            continue;
        };
        let record = record(scope, n, it, user, left)?;
        let key = (strategy.clone(), issuer.clone(), record.subject.clone());
        if record.status == "verified" && !seen.insert(key) {
            return Err(ApiError::new(codes::FORM_PARAM_DUPLICATE).param(format!("external_accounts[{n}]")));
        }
        out.push((n, ExternalAccountRecord { strategy, issuer, ..record }));
    }
    Ok(out)
}

/// All of an account but who vouches for it. Only one that was proven leads to its user: any other names an account that may be
/// somebody else's.
fn record(
    scope: &Scope,
    n: usize,
    it: &ImportedExternalAccount,
    user: &UserRecord,
    left: &mut PassedOver,
) -> Result<ExternalAccountRecord, ApiError> {
    let at = |name: &str| format!("external_accounts[{n}].{name}");
    let id = ("identification_id", &it.identification_id);
    let (created_at, updated_at) = (it.created_at, it.updated_at);
    let common = Given { at: ("external_accounts", n), id, proof: &it.verification, created_at, updated_at }.read(scope, user)?;
    let said = it.verification.as_ref().and_then(|proof| proof.status.as_deref());
    let status = ["verified", "failed"].into_iter().find(|it| Some(*it) == said).unwrap_or("unverified");
    let subject = oauth::subject(&it.provider_user_id.as_deref().into());
    if subject.is_none() && status == "verified" {
        return Err(ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param(at("provider_user_id")));
    }
    check_texts(it, at)?;
    let metadata = it.public_metadata.as_ref().filter(|it| !it.is_empty());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let record = ExternalAccountRecord {
        id: account_id(scope, n, it)?,
        user_id: user.id.clone(),
        identification_id: common.id,
        subject: subject.unwrap_or_default(),
        status: status.to_owned(),
        error: it.verification.as_ref().and_then(|proof| failure(proof.error.as_ref()?)).filter(|_| status == "failed"),
        approved_scopes: text(&it.approved_scopes).split_whitespace().collect::<Vec<_>>().join(" "),
        email_address: text(&it.email_address),
        email_verified: it.email_address_verified.map(i64::from),
        first_name: text(&it.first_name),
        last_name: text(&it.last_name),
        username: it.username.clone(),
        image_url: picture(it, left),
        public_metadata: metadata.map(|it| metadata_text(it, &at("public_metadata"))).transpose()?,
        expire_at: common.proven_at,
        created_at: common.created_at,
        updated_at: common.updated_at,
        ..ExternalAccountRecord::default()
    };
    for (what, value) in [("external_account_labels", &it.label), ("external_account_phone_numbers", &it.phone_number)] {
        value.iter().for_each(|value| left.field(what, value));
    }
    Ok(record)
}

/// What people see of it, as long as it may be anywhere here.
fn check_texts(it: &ImportedExternalAccount, at: impl Fn(&str) -> String) -> Result<(), ApiError> {
    let texts =
        [("email_address", &it.email_address), ("first_name", &it.first_name), ("last_name", &it.last_name), ("username", &it.username)];
    texts.iter().try_for_each(|(name, text)| check_name(text.as_deref(), &at(name)))?;
    if it.approved_scopes.as_ref().is_some_and(|scopes| scopes.len() > MAX_LONG) {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param(at("approved_scopes")));
    }
    Ok(())
}

/// The id, where it is one of ours by its form. The hosted service had others for Google and Facebook.
fn account_id(scope: &Scope, n: usize, it: &ImportedExternalAccount) -> Result<ExternalAccountId, ApiError> {
    let own = it.id.clone().filter(|id| id.starts_with(ExternalAccountId::PREFIX));
    let kept = kept_id(&own, ExternalAccountId::PREFIX, &format!("external_accounts[{n}].id"))?;
    Ok(kept.map_or_else(|| ExternalAccountId::new(scope.now, &scope.app.rng), ExternalAccountId::from))
}

/// Where the provider has the picture. Browsers load it: what is no address of the web is passed over.
fn picture(it: &ImportedExternalAccount, left: &mut PassedOver) -> String {
    let url = it.image_url.as_deref().filter(|url| !url.is_empty()).or(it.avatar_url.as_deref()).unwrap_or_default();
    let shown = url.is_empty() || url.len() <= MAX_LONG && url::Url::parse(url).is_ok_and(|url| url.scheme() == "https");
    left.add("external_account_pictures", u64::from(!shown));
    if shown { url.to_owned() } else { String::new() }
}

/// Why an account was not proven, with all that an error has on the wire.
fn failure(error: &Value) -> Option<String> {
    let mut out = error.as_object().filter(|it| it.get("code").is_some_and(Value::is_string))?.clone();
    for name in ["message", "long_message"] {
        out.entry(name).or_insert_with(|| "".into());
    }
    Some(Value::Object(out).to_string())
}
