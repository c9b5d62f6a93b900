//! Templates of tokens for other services, as servers manage them. They are part of the instance's settings.

use crate::app::Scope;
use crate::crypto::token_hash;
use crate::instance::{self, Instance};
use crate::settings::{self, JwtTemplate, Settings};
use crate::template_keys::{ALGORITHMS, TemplateKey};
use crate::users::Page;
use doorward_base::*;
use doorward_wire::Object;
use doorward_wire::bapi;
use std::collections::BTreeMap;

/// The longest name.
const MAX_NAME: usize = 64;
/// The most bytes of the claims, as JSON.
const MAX_CLAIMS: usize = 8 * 1024;
/// The most templates of an instance: all of them are in memory.
const MAX_TEMPLATES: usize = 100;

/// What a request says of a template. What it does not say stays, or is the default.
#[derive(Clone, Copy, Default)]
pub struct Given<'a> {
    /// The name.
    pub name: Option<&'a str>,
    /// The claims.
    pub claims: Option<&'a Object>,
    /// Lifetime in seconds.
    pub lifetime: Option<i64>,
    /// How far clocks may be apart, in seconds.
    pub allowed_clock_skew: Option<i64>,
    /// Whether the tokens are signed with a key of their own.
    pub custom_signing_key: Option<bool>,
    /// The algorithm of that key.
    pub signing_algorithm: Option<&'a str>,
    /// That key.
    pub signing_key: Option<&'a str>,
}

/// A page of templates by name, and how many there are.
pub fn list(scope: &Scope, page: Page) -> (Vec<bapi::JwtTemplate>, i64) {
    let all = &scope.instance.settings.jwt_templates;
    let (skip, limit) = (usize::try_from(page.offset).unwrap_or(usize::MAX), usize::try_from(page.limit).unwrap_or(0));
    let shown = all.iter().skip(skip).take(limit).map(|(name, it)| view(&scope.instance, name, it)).collect();
    (shown, i64::try_from(all.len()).unwrap_or(i64::MAX))
}

/// A template.
///
/// # Errors
/// `resource_not_found`.
pub fn get(scope: &Scope, id: &str) -> Result<bapi::JwtTemplate, ApiError> {
    let (name, template) = find(&scope.instance.id, &scope.instance.settings, id)?;
    Ok(view(&scope.instance, name, template))
}

/// Makes a template.
///
/// # Errors
/// The `form_*` codes naming the parameter, `jwt_template_reserved_claim`, `quota_exceeded`.
pub async fn create(scope: &Scope, given: Given<'_>) -> Result<bapi::JwtTemplate, ApiError> {
    let missing = |param: &str| ApiError::new(codes::FORM_PARAM_MISSING).param(param);
    let name = given.name.filter(|name| !name.is_empty()).ok_or_else(|| missing("name"))?;
    given.claims.ok_or_else(|| missing("claims"))?;
    let id = format!("jtmp_{}", scope.app.rng.alphanumeric(27));
    let made = JwtTemplate { id: Some(id.clone()), created_at: Some(scope.now), updated_at: Some(scope.now), ..JwtTemplate::default() };
    let template = apply(scope, &id, &made, &given)?;
    instance::change_settings(scope, |settings| {
        if settings.jwt_templates.len() >= MAX_TEMPLATES {
            return Err(codes::QUOTA_EXCEEDED.into());
        }
        put(settings, name, template.clone())
    })
    .await?;
    Ok(view(&scope.instance, name, &template))
}

/// Changes a template.
///
/// # Errors
/// `resource_not_found`, the `form_*` codes naming the parameter, `jwt_template_reserved_claim`.
pub async fn update(scope: &Scope, id: &str, given: Given<'_>) -> Result<bapi::JwtTemplate, ApiError> {
    let (name, template) = instance::change_settings(scope, |settings| {
        let (name, before) = find(scope.ins(), settings, id)?;
        let (name, before) = (name.to_owned(), before.clone());
        let template = JwtTemplate {
            id: Some(id.to_owned()),
            created_at: before.created_at.or(Some(scope.instance.created_at)),
            updated_at: Some(scope.now),
            ..apply(scope, id, &before, &given)?
        };
        settings.jwt_templates.remove(&name);
        let name = given.name.filter(|name| !name.is_empty()).unwrap_or(&name).to_owned();
        put(settings, &name, template.clone())?;
        Ok((name, template))
    })
    .await?;
    Ok(view(&scope.instance, &name, &template))
}

/// Removes a template.
///
/// # Errors
/// `resource_not_found`.
pub async fn delete(scope: &Scope, id: &str) -> Result<(), ApiError> {
    instance::change_settings(scope, |settings| {
        let name = find(scope.ins(), settings, id)?.0.to_owned();
        settings.jwt_templates.remove(&name);
        Ok(())
    })
    .await
}

fn put(settings: &mut Settings, name: &str, template: JwtTemplate) -> Result<(), ApiError> {
    if settings.jwt_templates.contains_key(name) {
        return Err(ApiError::new(codes::FORM_ALREADY_EXISTS).param("name"));
    }
    settings.jwt_templates.insert(name.to_owned(), template);
    Ok(())
}

/// The template with what was given, checked.
fn apply(scope: &Scope, id: &str, before: &JwtTemplate, given: &Given<'_>) -> Result<JwtTemplate, ApiError> {
    let mut template = before.clone();
    if let Some(name) = given.name {
        check_name(name)?;
    }
    if let Some(claims) = given.claims {
        if let Some(name) = claims.keys().find(|name| settings::is_reserved_in_templates(name)) {
            let text = format!("The claim {name} is reserved.");
            return Err(ApiError::new(codes::JWT_TEMPLATE_RESERVED_CLAIM).param("claims").long(text));
        }
        if serde_json::to_string(claims).map_err(ApiError::internal)?.len() > MAX_CLAIMS {
            return Err(ApiError::new(codes::FORM_PARAM_TOO_LARGE).param("claims"));
        }
        template.claims.clone_from(claims);
    }
    let within = |value: Option<i64>, to: &mut i64, range: std::ops::RangeInclusive<i64>, param: &str| match value {
        Some(value) if !range.contains(&value) => {
            let text = format!("{param} must be between {} and {}.", range.start(), range.end());
            Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(param).long(text))
        }
        value => {
            *to = value.unwrap_or(*to);
            Ok(())
        }
    };
    within(given.lifetime, &mut template.lifetime, settings::TEMPLATE_LIFETIMES, "lifetime")?;
    within(given.allowed_clock_skew, &mut template.allowed_clock_skew, settings::TEMPLATE_SKEWS, "allowed_clock_skew")?;
    apply_key(scope, id, &mut template, given)?;
    Ok(template)
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.len() > MAX_NAME {
        return Err(ApiError::new(codes::FORM_PARAM_TOO_LONG).param("name"));
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) || name.starts_with('.') {
        let error = ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).param("name");
        return Err(error.long("name may have letters, digits, and `-`, `_`, `.` after the first character."));
    }
    Ok(())
}

/// Reads the key once, so that one that cannot sign is refused when it is given, and seals it.
fn apply_key(scope: &Scope, id: &str, template: &mut JwtTemplate, given: &Given<'_>) -> Result<(), ApiError> {
    let filled = |text: Option<&'_ str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let (algorithm, key) = (filled(given.signing_algorithm), filled(given.signing_key));
    let custom = given.custom_signing_key.unwrap_or(template.signing_key.is_some());
    if !custom {
        if key.is_some() {
            return Err(ApiError::new(codes::FORM_CONDITIONAL_PARAM_DISALLOWED).param("signing_key"));
        }
        (template.signing_algorithm, template.signing_key) = (None, None);
        return Ok(());
    }
    let missing = |param: &str| ApiError::new(codes::FORM_CONDITIONAL_PARAM_MISSING).param(param);
    let algorithm = algorithm.or(template.signing_algorithm.clone()).ok_or_else(|| missing("signing_algorithm"))?;
    if !ALGORITHMS.contains(&algorithm.as_str()) {
        let text = format!("signing_algorithm must be one of {}.", ALGORITHMS.join(", "));
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("signing_algorithm").long(text));
    }
    let Some(key) = key else {
        // The key stays, for the algorithm that it is for.
        return match (&template.signing_key, template.signing_algorithm.as_deref() == Some(&algorithm)) {
            (Some(_), true) => Ok(()),
            _ => Err(missing("signing_key")),
        };
    };
    if TemplateKey::read(&algorithm, &key).is_none() {
        let text = format!("signing_key is not a private key for {algorithm}, or is too short.");
        return Err(ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("signing_key").long(text));
    }
    let sealed = scope.app.sealer.seal(&scope.app.rng, &key_context(scope.ins(), id), key.as_bytes()).map_err(ApiError::internal)?;
    (template.signing_algorithm, template.signing_key) = (Some(algorithm), Some(sealed));
    Ok(())
}

/// For what a template's key is sealed.
pub fn key_context(instance: &InstanceId, id: &str) -> String {
    format!("{instance}:jwt_template:{id}")
}

/// The id of a template. One that was written into the settings by hand has one by its name.
pub fn id_of(instance: &InstanceId, name: &str, template: &JwtTemplate) -> String {
    template.id.clone().unwrap_or_else(|| format!("jtmp_{:.27}", token_hash(&format!("{instance}:{name}"))))
}

fn find<'s>(instance: &InstanceId, settings: &'s Settings, id: &str) -> Result<(&'s str, &'s JwtTemplate), ApiError> {
    let found = settings.jwt_templates.iter().find(|(name, it)| id_of(instance, name, it) == id);
    found.map(|(name, it)| (name.as_str(), it)).ok_or_else(|| ApiError::not_found("JWT template", id))
}

/// Opens the keys of an instance's templates. One that does not open is left out: its template makes no tokens then.
pub(crate) fn open_keys(sealer: &crate::crypto::Sealer, instance: &InstanceId, settings: &Settings) -> BTreeMap<String, TemplateKey> {
    let mut out = BTreeMap::new();
    for (name, template) in &settings.jwt_templates {
        let Some(sealed) = &template.signing_key else { continue };
        let plain = sealer.open(&key_context(instance, &id_of(instance, name, template)), sealed).ok();
        let text = plain.and_then(|plain| String::from_utf8(plain).ok());
        let key = text.and_then(|text| TemplateKey::read(template.signing_algorithm.as_deref().unwrap_or_default(), &text));
        match key {
            Some(key) => drop(out.insert(name.clone(), key)),
            None => tracing::error!(%instance, template = %name, "the signing key of a JWT template cannot be opened"),
        }
    }
    out
}

fn view(instance: &Instance, name: &str, template: &JwtTemplate) -> bapi::JwtTemplate {
    bapi::JwtTemplate {
        object: "jwt_template".to_owned(),
        id: id_of(&instance.id, name, template),
        name: name.to_owned(),
        claims: template.claims.clone(),
        lifetime: template.lifetime,
        allowed_clock_skew: template.allowed_clock_skew,
        custom_signing_key: template.signing_key.is_some(),
        signing_algorithm: template.signing_algorithm.clone().unwrap_or_else(|| "RS256".to_owned()),
        created_at: template.created_at.unwrap_or(instance.created_at),
        updated_at: template.updated_at.unwrap_or(instance.created_at),
    }
}
