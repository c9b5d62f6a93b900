//! Instances in memory: settings understood, keys opened, origins compiled.

mod origin;
mod own_keys;

pub use origin::{Origin, OriginPattern};
pub use own_keys::{SIGNING_KEY_GRACE_MS, create_secret_key, reveal_secret_key, revoke_secret_key, rotate_secret_key, rotate_signing_key};
pub(crate) use own_keys::{secret_key_context, signing_key_context};

use crate::app::{App, Scope, internal};
use crate::domains;
use crate::jwt_templates;
use crate::keys::{self, Environment, SigningKey};
use crate::settings::{RateLimits, Settings};
use crate::template_keys::TemplateKey;
use doorward_base::*;
use doorward_store::domains::SatelliteRecord;
use doorward_store::instances::{self, HostRecord, InstanceRecord};
use doorward_store::{Read, Tx};
use doorward_wire::resource::Jwks;
use own_keys::{new_signing_key, secret_key_record};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// An instance, ready to work.
pub struct Instance {
    /// The instance's id.
    pub id: InstanceId,
    /// Development or production.
    pub environment: Environment,
    /// A name for people.
    pub name: String,
    /// The publishable key.
    pub publishable_key: String,
    /// What the SDKs append to cookie names.
    pub cookie_suffix: String,
    /// The settings.
    pub settings: Settings,
    /// The hosts on which its Frontend API answers, the primary one first.
    pub hosts: Vec<HostRecord>,
    /// Other domains whose apps share its users.
    pub satellites: Vec<SatelliteRecord>,
    /// The keys, the one that signs first.
    pub signing_keys: Vec<Arc<SigningKey>>,
    /// The keys of those JWT templates that have one of their own, by the template's name.
    pub template_keys: BTreeMap<String, TemplateKey>,
    /// The allowed origins, compiled.
    pub origins: Vec<OriginPattern>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its row last changed: what an update of the settings is checked against.
    pub updated_at: Timestamp,
}

impl Instance {
    /// Whether it is for building.
    pub fn is_development(&self) -> bool {
        self.environment == Environment::Development
    }

    /// Whether test addresses and numbers have a fixed code, and nothing is sent to them.
    pub fn takes_test_identifiers(&self) -> bool {
        self.settings.test_mode.unwrap_or_else(|| self.is_development())
    }

    /// The key that signs.
    ///
    /// # Errors
    /// When the instance has none, which no command leaves it with.
    pub fn signing_key(&self) -> Result<&Arc<SigningKey>, ApiError> {
        self.signing_keys.first().ok_or_else(|| ApiError::internal("the instance has no signing key"))
    }

    /// Whether calls are counted and too many of them are refused.
    pub fn limits_calls(&self) -> bool {
        match self.settings.attack_protection.rate_limits {
            RateLimits::Auto => !self.is_development(),
            RateLimits::On => true,
            RateLimits::Off => false,
        }
    }

    /// The address of the Frontend API when no request says how it is seen: the proxy's, or the primary host's.
    pub fn frontend_url(&self) -> String {
        if let Some(url) = &self.settings.proxy_url {
            return url.clone();
        }
        self.hosts.first().map_or_else(|| "http://localhost".to_owned(), |host| format!("{}://{}", host.scheme, host.host))
    }

    /// Whether a browser at `origin` may call, and be sent back there.
    pub fn allows_origin(&self, origin: &str) -> bool {
        if self.hosts.iter().any(|host| origin == format!("{}://{}", host.scheme, host.host)) {
            return true;
        }
        let Some(parsed) = Origin::parse(origin) else { return false };
        let own = (self.is_development() && parsed.is_loopback()) || self.origins.iter().any(|pattern| pattern.matches(&parsed));
        own || self.satellites.iter().any(|it| domains::satellite_has(self, it, &parsed))
    }

    /// The public keys.
    pub fn jwks(&self) -> Jwks {
        Jwks { keys: self.signing_keys.iter().map(|key| key.jwk()).collect() }
    }
}

/// The instances in memory. A change made by another node is seen within [`FRESH_FOR`].
#[derive(Clone)]
pub struct Instances {
    by_id: moka::future::Cache<InstanceId, Arc<Instance>>,
    by_host: moka::future::Cache<String, Option<InstanceId>>,
    by_secret_key: moka::future::Cache<String, InstanceId>,
}

/// How long an instance is kept in memory.
pub const FRESH_FOR: Duration = Duration::from_secs(10);

impl Default for Instances {
    fn default() -> Self {
        // A revoked secret key must not live on for the length of its popularity, hence time to live, not time to idle.
        fn cache<K: std::hash::Hash + Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(max: u64) -> moka::future::Cache<K, V> {
            moka::future::Cache::builder().max_capacity(max).time_to_live(FRESH_FOR).build()
        }
        Self { by_id: cache(1_000), by_host: cache(10_000), by_secret_key: cache(10_000) }
    }
}

impl Instances {
    /// Forgets everything: after a change made by this process.
    pub fn clear(&self) {
        self.by_id.invalidate_all();
        self.by_host.invalidate_all();
        self.by_secret_key.invalidate_all();
    }
}

/// The instance of an id.
pub async fn by_id(app: &App, id: &InstanceId) -> Result<Option<Arc<Instance>>, ApiError> {
    if let Some(found) = app.instances.by_id.get(id).await {
        return Ok(Some(found));
    }
    let Some(record) = instances::get(&app.db, id).await.map_err(internal)? else { return Ok(None) };
    let loaded = Arc::new(load(app, &mut &app.db, record).await?);
    app.instances.by_id.insert(id.clone(), loaded.clone()).await;
    Ok(Some(loaded))
}

/// The instance of an id, for whoever holds a transaction and must not wait for another connection.
pub(crate) async fn by_id_within(app: &App, mut tx: &mut Tx, id: &InstanceId) -> Result<Option<Arc<Instance>>, ApiError> {
    if let Some(found) = app.instances.by_id.get(id).await {
        return Ok(Some(found));
    }
    let Some(record) = instances::get(&mut *tx, id).await.map_err(internal)? else { return Ok(None) };
    load(app, &mut tx, record).await.map(|loaded| Some(Arc::new(loaded)))
}

/// The instance whose Frontend API answers on a host.
pub async fn by_host(app: &App, host: &str) -> Result<Option<Arc<Instance>>, ApiError> {
    let id = match app.instances.by_host.get(host).await {
        Some(id) => id,
        None => {
            let id = instances::id_by_host(&app.db, host).await.map_err(internal)?;
            app.instances.by_host.insert(host.to_owned(), id.clone()).await;
            id
        }
    };
    match id {
        Some(id) => by_id(app, &id).await,
        None => Ok(None),
    }
}

/// The instance of a publishable key.
pub async fn by_publishable_key(app: &App, key: &str) -> Result<Option<Arc<Instance>>, ApiError> {
    match instances::id_by_publishable_key(&app.db, key.trim_end_matches('=')).await.map_err(internal)? {
        Some(id) => by_id(app, &id).await,
        None => Ok(None),
    }
}

/// The instance of a secret key. The key itself is looked up by its hash, so that no comparison of keys takes place.
pub async fn by_secret_key(app: &App, key: &str) -> Result<Option<Arc<Instance>>, ApiError> {
    let hash = crate::crypto::token_hash(key);
    let id = match app.instances.by_secret_key.get(&hash).await {
        Some(id) => id,
        None => match instances::by_secret_key(&app.db, &hash).await.map_err(internal)? {
            Some((id, used_at)) => {
                note_use(app, &hash, used_at).await;
                app.instances.by_secret_key.insert(hash, id.clone()).await;
                id
            }
            None => return Ok(None),
        },
    };
    by_id(app, &id).await
}

/// How exactly the last use of a secret key is known: so seldom is it written.
pub const USE_NOTED_EVERY_MS: i64 = 60 * 60 * 1000;

/// Notes that a key was used. Nobody's request fails for that.
async fn note_use(app: &App, hash: &str, before: Option<Timestamp>) {
    let now = app.clock.now();
    if before.is_none_or(|before| now - before >= USE_NOTED_EVERY_MS)
        && let Err(error) = instances::secret_key_used(&app.db, hash, now).await
    {
        tracing::warn!(%error, "the use of a secret key could not be noted");
    }
}

async fn load(app: &App, db: &mut impl Read, record: InstanceRecord) -> Result<Instance, ApiError> {
    let settings = Settings::parse(&record.settings).map_err(|e| ApiError::internal(format!("settings of {}: {e}", record.id)))?;
    let environment = Environment::parse(&record.environment).ok_or_else(|| ApiError::internal(format!("environment of {}", record.id)))?;
    let mut signing_keys = Vec::new();
    for key in instances::signing_keys(db, &record.id, app.clock.now()).await.map_err(internal)? {
        let der = app.sealer.open(&signing_key_context(&record.id, &key.kid), &key.sealed).map_err(ApiError::internal)?;
        signing_keys.push(Arc::new(SigningKey::from_pkcs8(key.kid, &der).map_err(ApiError::internal)?));
    }
    let in_development = settings.development_origin.iter().filter(|_| environment == Environment::Development);
    let origins = settings.allowed_origins.iter().chain(in_development).filter_map(|text| OriginPattern::parse(text).ok()).collect();
    let template_keys = jwt_templates::open_keys(&app.sealer, &record.id, &settings);
    Ok(Instance {
        cookie_suffix: keys::cookie_suffix(&record.publishable_key),
        hosts: instances::hosts(db, &record.id).await.map_err(internal)?,
        satellites: doorward_store::domains::list(db, &record.id).await.map_err(internal)?,
        id: record.id,
        environment,
        name: record.name,
        publishable_key: record.publishable_key,
        template_keys,
        settings,
        signing_keys,
        origins,
        created_at: record.created_at,
        updated_at: record.updated_at,
    })
}

/// What a new instance is made of.
#[derive(Clone, Debug)]
pub struct NewInstance {
    /// Development or production.
    pub environment: Environment,
    /// A name for people.
    pub name: String,
    /// The host that the publishable key names; it needs a dot.
    pub key_host: String,
    /// The hosts on which its Frontend API answers, the primary one first.
    pub hosts: Vec<String>,
    /// `http` or `https`.
    pub scheme: String,
    /// The settings.
    pub settings: Settings,
}

/// A new instance's keys.
#[derive(Clone, Debug)]
pub struct CreatedInstance {
    /// The instance's id.
    pub id: InstanceId,
    /// The publishable key.
    pub publishable_key: String,
    /// The secret key, shown this once, unless it is a development instance's.
    pub secret_key: Secret,
    /// The address of the Frontend API.
    pub frontend_url: String,
}

/// Makes an instance with its keys.
///
/// # Errors
/// A sentence for the operator: a host that is taken, settings that are not valid.
pub async fn create(app: &App, new: NewInstance) -> Result<CreatedInstance, String> {
    new.settings.validate()?;
    let now = app.clock.now();
    let id = InstanceId::new(now, &app.rng);
    let publishable_key = keys::publishable_key(new.environment, &new.key_host)?;
    let secret = keys::secret_key(new.environment, &app.rng);
    let key = secret_key_record(app, &id, "first", &secret, new.environment == Environment::Development)?;
    let signing = new_signing_key(app, &id, now)?;
    let record = InstanceRecord {
        id: id.clone(),
        environment: new.environment.as_str().to_owned(),
        name: new.name,
        publishable_key: publishable_key.clone(),
        settings: serde_json::to_string(&new.settings).map_err(|e| e.to_string())?,
        created_at: now,
        updated_at: now,
    };
    let taken = |e: doorward_store::StoreError| match e {
        doorward_store::StoreError::Conflict => "another instance has this publishable key or answers on this host already".to_owned(),
        other => other.to_string(),
    };
    let mut tx = app.db.begin().await.map_err(taken)?;
    instances::insert(&mut tx, &record).await.map_err(taken)?;
    for (n, host) in new.hosts.iter().enumerate() {
        let host = HostRecord { host: host.to_ascii_lowercase(), scheme: new.scheme.clone(), is_primary: n == 0 };
        instances::insert_host(&mut tx, &id, &host).await.map_err(taken)?;
    }
    instances::insert_secret_key(&mut tx, &id, &key, &crate::crypto::token_hash(secret.expose())).await.map_err(taken)?;
    instances::rotate_signing_key(&mut tx, &id, &signing, now).await.map_err(taken)?;
    tx.commit().await.map_err(taken)?;
    app.instances.clear();
    let frontend_url = match (&new.settings.proxy_url, new.hosts.first()) {
        (Some(url), _) => url.clone(),
        (None, Some(host)) => format!("{}://{host}", new.scheme),
        (None, None) => String::new(),
    };
    Ok(CreatedInstance { id, publishable_key, secret_key: secret, frontend_url })
}

/// Replaces the settings of an instance.
///
/// # Errors
/// A sentence for the operator: what is not valid, or that somebody else changed them in the meantime.
pub async fn update_settings(app: &App, instance: &Instance, settings: &Settings) -> Result<(), String> {
    settings.validate()?;
    let text = serde_json::to_string(settings).map_err(|e| e.to_string())?;
    let mut tx = app.db.begin().await.map_err(|e| e.to_string())?;
    let now = app.clock.now();
    let done = instances::update_settings(&mut tx, &instance.id, &text, instance.updated_at, now).await.map_err(|e| e.to_string())?;
    if !done {
        return Err("the settings were changed by somebody else in the meantime; read them again".to_owned());
    }
    tx.commit().await.map_err(|e| e.to_string())?;
    app.instances.clear();
    Ok(())
}

/// How often a change of settings is tried again when others change them in between.
const TRIES: usize = 5;

/// Changes the settings of the request's instance: those that are kept, not those that this node has in memory. Other
/// nodes see it within [`FRESH_FOR`].
///
/// # Errors
/// What `change` says, `form_param_value_invalid` for settings that are not valid together, `conflict` when others always
/// were faster.
pub async fn change_settings<T>(scope: &Scope, change: impl Fn(&mut Settings) -> Result<T, ApiError>) -> Result<T, ApiError> {
    for _ in 0..TRIES {
        let record = instances::get(scope.db(), scope.ins()).await.map_err(internal)?;
        let record = record.ok_or_else(|| ApiError::not_found("Instance", scope.ins()))?;
        let before = Settings::parse(&record.settings).map_err(ApiError::internal)?;
        let mut settings = before.clone();
        let out = change(&mut settings)?;
        if settings == before {
            return Ok(out);
        }
        settings.validate().map_err(|why| ApiError::new(codes::FORM_PARAM_VALUE_INVALID).long(why))?;
        let text = serde_json::to_string(&settings).map_err(ApiError::internal)?;
        let mut tx = scope.db().begin().await.map_err(internal)?;
        if instances::update_settings(&mut tx, scope.ins(), &text, record.updated_at, scope.now).await.map_err(internal)? {
            tx.commit().await.map_err(internal)?;
            scope.app.instances.clear();
            return Ok(out);
        }
    }
    Err(codes::CONFLICT.into())
}

pub(crate) const MASTER_KEY_CHECK: &str = "server:master_key_check";

/// Marks a new database with this master key, and checks that an old one was made with it.
///
/// # Errors
/// When it was made with another key: nothing could be opened, so the server must not start.
pub async fn claim_master_key(app: &App) -> Result<(), String> {
    let ours = app.sealer.seal(&app.rng, MASTER_KEY_CHECK, b"doorward").map_err(|e| e.to_string())?;
    let kept = instances::meta_or_insert(&app.db, "master_key_check", &ours).await.map_err(|e| e.to_string())?;
    is_master_key(app, &kept)
}

/// Checks that the database was made with this master key, without writing.
///
/// # Errors
/// When it was made with another key, or nobody has [claimed](claim_master_key) it.
pub async fn check_master_key(app: &App) -> Result<(), String> {
    let kept = instances::meta(&app.db, "master_key_check").await.map_err(|e| e.to_string())?;
    is_master_key(app, &kept.ok_or("no server has started on this database yet")?)
}

fn is_master_key(app: &App, kept: &str) -> Result<(), String> {
    match app.sealer.open(MASTER_KEY_CHECK, kept) {
        Ok(plain) if plain == b"doorward" => Ok(()),
        _ => Err("this database was made with another master key: start with the one it was made with".to_owned()),
    }
}
