//! A server changes a user.

pub(super) use super::change::Change;
use super::factors::GivenFactors;
use super::input::{self, PasswordInput};
use super::metadata::Metadata;
use super::{first_taken, load};
use crate::app::{Scope, internal};
use crate::identifiers::Username;
use crate::mail::{self, About};
use crate::messages::Letter;
use crate::settings::Presence;
use doorward_base::*;
use doorward_store::users::{self, EmailRecord, UserRecord, UserWithEmails};
use doorward_store::{StoreError, sessions};
use doorward_wire::bapi::UpdateUser;
use std::sync::Arc;

/// How often an update is tried again when others change the same user in between.
const TRIES: usize = 5;

/// What an update writes, all or nothing.
pub(super) struct Plan {
    pub(super) user: UserRecord,
    pub(super) changes: Vec<Change>,
    password_hash: Option<String>,
    sign_out: bool,
    pub(super) mail: Option<Letter>,
    factors: Option<Arc<GivenFactors>>,
}

impl Plan {
    pub(super) fn of(user: UserRecord) -> Self {
        Self { user, changes: Vec::new(), password_hash: None, sign_out: false, mail: None, factors: None }
    }

    /// The user as it is, changed now.
    pub(super) fn at(scope: &Scope, before: &UserWithEmails) -> Self {
        Self::of(UserRecord { updated_at: scope.now, ..before.user.clone() })
    }

    /// Whether there is anything to write of identifiers.
    pub(super) fn changes_anything(&self, before: &UserWithEmails) -> bool {
        !self.changes.is_empty()
            || self.user.primary_email_address_id != before.user.primary_email_address_id
            || self.user.primary_phone_number_id != before.user.primary_phone_number_id
    }
}

/// Reads a user, lets `change` decide on what it read, and writes that, unless somebody else wrote in the meantime: then
/// all over again. What another request has changed is never undone.
///
/// # Errors
/// `resource_not_found`, what `change` says, `form_identifier_exists`, and `conflict` when others always were faster.
pub(super) async fn edit(
    scope: &Scope,
    id: &UserId,
    change: impl Fn(&UserWithEmails) -> Result<Option<Plan>, ApiError> + Send + Sync,
) -> Result<UserWithEmails, ApiError> {
    for _ in 0..TRIES {
        let before = load(scope, id).await?;
        let Some(plan) = change(&before)? else { return Ok(before) };
        if write(scope, &plan, before.user.updated_at).await? {
            if plan.mail.is_some() {
                scope.app.outbox.notify_one();
            }
            return load(scope, id).await;
        }
    }
    Err(codes::CONFLICT.into())
}

async fn write(scope: &Scope, plan: &Plan, expected: Timestamp) -> Result<bool, ApiError> {
    let mail = match &plan.mail {
        Some(letter) => Some(letter.mail(scope).await?),
        None => None,
    };
    let mut tx = scope.db().begin().await.map_err(internal)?;
    match users::update(&mut tx, scope.ins(), &plan.user, expected).await {
        Ok(true) => {}
        Ok(false) => return Ok(false),
        Err(StoreError::Conflict) => {
            // Asking who has it needs the connection that this transaction holds.
            drop(tx);
            first_taken(scope, Some(&plan.user.id), plan.user.username_key.as_deref(), plan.user.external_id.as_deref()).await?;
            // Whoever had it is gone again.
            return Ok(false);
        }
        Err(other) => return Err(internal(other)),
    }
    for change in &plan.changes {
        change.write(scope, &mut tx, &plan.user.id).await?;
    }
    if let Some(hash) = &plan.password_hash {
        users::set_password(&mut tx, scope.ins(), &plan.user.id, hash, scope.now).await.map_err(internal)?;
    }
    if plan.sign_out {
        sessions::close_of_user(&mut tx, scope.ins(), &plan.user.id, None, "revoked", scope.now).await.map_err(internal)?;
    }
    if let Some(factors) = &plan.factors {
        factors.write(scope, &mut tx, &plan.user.id).await?;
    }
    if let Some(mail) = &mail {
        mail::enqueue(scope, &mut tx, mail).await?;
    }
    tx.commit().await.map_err(internal)?;
    Ok(true)
}

/// What was sent, checked as far as that needs nothing from the database. The outer option is presence.
struct Sent<'a> {
    req: &'a UpdateUser,
    external_id: Option<Option<String>>,
    first_name: Option<Option<String>>,
    last_name: Option<Option<String>>,
    locale: Option<Option<String>>,
    username: Option<Option<Username>>,
    create_organizations_limit: Option<Option<i64>>,
    legal_accepted_at: Option<Timestamp>,
    created_at: Option<Timestamp>,
}

/// Changes a user. Fields that were not sent stay; null clears.
///
/// # Errors
/// `resource_not_found`, the `form_*` codes naming the parameter, `conflict`.
pub async fn update(scope: &Scope, req: &UpdateUser) -> Result<UserWithEmails, ApiError> {
    input::refuse(&[("profile_image_id", req.profile_image_id.as_ref().is_some_and(|id| !id.is_empty()))])?;
    let change = Sent::read(scope, req)?;
    let factors = GivenFactors::read(scope, req.totp_secret.as_deref(), req.backup_codes.as_deref())?;
    let factors = (!factors.is_empty()).then(|| Arc::new(factors));
    let password = PasswordInput::read(&req.password, &req.password_digest, &req.password_hasher, req.skip_password_checks)?;
    for (name, flag) in [("skip_password_checks", req.skip_password_checks), ("sign_out_of_other_sessions", req.sign_out_of_other_sessions)]
    {
        if flag == Some(true) && !password.given() {
            return Err(input::disallowed(name, format!("{name} can be used together with a password only.")));
        }
    }
    password.check(scope).await?;
    // A user who is not there must not cost a hash.
    load(scope, &req.user_id).await?;
    let hash = password.hash(scope).await?;
    edit(scope, &req.user_id, |before| {
        let mut plan = change.plan(scope, before)?;
        plan.sign_out = req.sign_out_of_other_sessions == Some(true);
        plan.password_hash.clone_from(&hash);
        plan.factors.clone_from(&factors);
        Ok(Some(plan))
    })
    .await
}

impl<'a> Sent<'a> {
    fn read(scope: &Scope, req: &'a UpdateUser) -> Result<Self, ApiError> {
        fn inner(field: &Option<Option<String>>) -> Option<Option<&str>> {
            field.as_ref().map(Option::as_deref)
        }
        let attributes = &scope.instance.settings.attributes;
        let name = |field: &Option<Option<String>>, param: &str| inner(field).map(|text| input::name(text, param)).transpose();
        let change = Self {
            req,
            external_id: name(&req.external_id, "external_id")?,
            first_name: name(&req.first_name, "first_name")?,
            last_name: name(&req.last_name, "last_name")?,
            locale: inner(&req.locale).map(input::locale).transpose()?,
            username: inner(&req.username).map(|text| input::username(scope, text)).transpose()?,
            create_organizations_limit: req.create_organizations_limit.map(input::organizations_limit).transpose()?,
            legal_accepted_at: input::past_time(req.legal_accepted_at.as_deref(), "legal_accepted_at", scope.now)?,
            created_at: input::past_time(req.created_at.as_deref(), "created_at", scope.now)?,
        };
        input::taken_here("username", attributes.username, matches!(change.username, Some(Some(_))))?;
        input::taken_here("first_name", attributes.first_name, matches!(change.first_name, Some(Some(_))))?;
        input::taken_here("last_name", attributes.last_name, matches!(change.last_name, Some(Some(_))))?;
        if matches!(change.username, Some(None)) && attributes.username == Presence::Required {
            return Err(ApiError::new(codes::FORM_PARAM_NIL).param("username"));
        }
        Ok(change)
    }

    fn plan(&self, scope: &Scope, before: &UserWithEmails) -> Result<Plan, ApiError> {
        fn set<T: Clone>(to: &mut T, from: &Option<T>) {
            if let Some(value) = from {
                to.clone_from(value);
            }
        }
        let req = self.req;
        let mut user = before.user.clone();
        set(&mut user.external_id, &self.external_id);
        set(&mut user.first_name, &self.first_name);
        set(&mut user.last_name, &self.last_name);
        set(&mut user.locale, &self.locale);
        set(&mut user.create_organizations_limit, &self.create_organizations_limit);
        set(&mut user.delete_self_enabled, &req.delete_self_enabled);
        set(&mut user.create_organization_enabled, &req.create_organization_enabled);
        set(&mut user.bypass_client_trust, &req.bypass_client_trust);
        set(&mut user.created_at, &self.created_at);
        user.legal_accepted_at = self.legal_accepted_at.or(user.legal_accepted_at);
        if let Some(name) = &self.username {
            user.username = name.as_ref().map(|name| name.username.clone());
            user.username_key = name.as_ref().map(|name| name.key.clone());
            if name.is_none() && before.user.username.is_some() {
                super::keep_identifier(&UserWithEmails { user: user.clone(), ..before.clone() }, "username")?;
            }
        }
        let metadata = Metadata {
            public: req.public_metadata.as_ref(),
            private: req.private_metadata.as_ref(),
            unsafe_: req.unsafe_metadata.as_ref(),
        };
        metadata.replace(&mut user)?;
        self.primary_phone(before, &mut user)?;
        self.primary_wallet(before, &mut user)?;
        let mail = self.primary_email(before, &mut user)?;
        user.updated_at = scope.now;
        Ok(Plan { mail, ..Plan::of(user) })
    }

    /// Makes another verified number the primary one.
    fn primary_phone(&self, before: &UserWithEmails, user: &mut UserRecord) -> Result<(), ApiError> {
        const PARAM: &str = "primary_phone_number_id";
        let Some(id) = self.req.primary_phone_number_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(()) };
        let chosen = before.phones.iter().find(|phone| phone.id.as_str() == id);
        let chosen = chosen.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param(PARAM))?;
        if !chosen.verified || chosen.second_factor {
            let error = ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(PARAM);
            return Err(error.long("primary_phone_number_id must name a verified number that is not kept for second factors."));
        }
        user.primary_phone_number_id = Some(chosen.id.clone());
        user.primary_phone = Some(chosen.number.clone());
        Ok(())
    }

    /// Makes another verified wallet the primary one.
    fn primary_wallet(&self, before: &UserWithEmails, user: &mut UserRecord) -> Result<(), ApiError> {
        const PARAM: &str = "primary_web3_wallet_id";
        let Some(id) = self.req.primary_web3_wallet_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(()) };
        let chosen = before.wallets.iter().find(|wallet| wallet.id.as_str() == id);
        let chosen = chosen.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param(PARAM))?;
        if !chosen.verified {
            let error = ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param(PARAM);
            return Err(error.long("primary_web3_wallet_id must name a verified wallet."));
        }
        user.primary_web3_wallet_id = Some(chosen.id.clone());
        user.primary_web3_wallet = Some(chosen.address.clone());
        Ok(())
    }

    /// Makes another verified address the primary one, with the mail that says so if one was asked for.
    fn primary_email(&self, before: &UserWithEmails, user: &mut UserRecord) -> Result<Option<Letter>, ApiError> {
        let Some(id) = self.req.primary_email_address_id.as_deref().filter(|id| !id.is_empty()) else { return Ok(None) };
        let chosen = before.emails.iter().find(|email| email.id.as_str() == id);
        let chosen = chosen.ok_or_else(|| ApiError::new(codes::FORM_RESOURCE_MISSING).param("primary_email_address_id"))?;
        if !chosen.verified {
            let error = ApiError::new(codes::FORM_PARAM_VALUE_INVALID).param("primary_email_address_id");
            return Err(error.long("primary_email_address_id must name a verified address."));
        }
        let old = before.emails.iter().find(|email| Some(&email.id) == user.primary_email_address_id.as_ref());
        let old = old.filter(|old| old.id != chosen.id);
        user.primary_email_address_id = Some(chosen.id.clone());
        user.primary_email_key = Some(chosen.address_key.clone());
        let told = self.req.notify_primary_email_address_changed == Some(true);
        Ok(old.filter(|_| told).map(|old| primary_changed(user, old, chosen)))
    }
}

/// The mail goes to the address from before: whoever did not ask for the change reads that one.
pub(super) fn primary_changed(user: &UserRecord, old: &EmailRecord, new: &EmailRecord) -> Letter {
    Letter {
        slug: "primary_email_address_changed",
        to: old.address.clone(),
        locale: user.locale.clone(),
        values: vec![("new_email_address", new.address.clone())],
        about: About::of(&user.id, &old.id),
    }
}
