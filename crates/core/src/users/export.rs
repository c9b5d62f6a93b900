//! Users for elsewhere: the user object of the Backend API with what the API keeps to itself.

use super::passed_over::{self, PassedOver};
use super::{Audience, view};
use crate::app::{Scope, internal};
use crate::password::foreign;
use crate::two_factor;
use data_encoding::BASE32_NOPAD;
use doorward_base::*;
use doorward_store::second_factors;
use doorward_store::users::{self, UserRecord, UserWithEmails};
use doorward_wire::Object;
use serde_json::Value;

/// The next users in the order of their ids, at most `limit`, as [`super::import`] reads them: each with `password_digest`,
/// `password_hasher` and, where they came as hashes, `backup_codes`. Backup codes that were made here are hashed under the
/// master key and of no use elsewhere. `totp_secret` comes only when `secrets` says so: who has it makes codes. `issuer` of an
/// account at a provider says whose `provider_user_id` it is. Also answers what stays behind.
///
/// # Errors
/// Failures of the database; a secret that cannot be opened.
pub async fn export_page(scope: &Scope, after: Option<&UserId>, limit: i64, secrets: bool) -> Result<(Vec<Object>, PassedOver), ApiError> {
    let (mut out, mut left) = (Vec::new(), PassedOver::default());
    for it in users::after(scope.db(), scope.ins(), after, limit).await.map_err(internal)? {
        let Value::Object(mut object) = serde_json::to_value(view(scope, &it, Audience::Backend)).map_err(ApiError::internal)? else {
            return Err(ApiError::internal("a user is no object"));
        };
        left.merge(&passed_over::of_user(&it));
        add_issuers(&mut object, &it);
        add_password(&mut object, &it.user, &mut left);
        add_backup_codes(scope, &mut object, &it.user, &mut left).await?;
        add_totp(scope, &mut object, &it.user, secrets, &mut left).await?;
        out.push(object);
    }
    Ok((out, left))
}

fn add_issuers(object: &mut Object, it: &UserWithEmails) {
    let shown = object.get_mut("external_accounts").and_then(Value::as_array_mut);
    for (shown, record) in shown.into_iter().flatten().zip(&it.external_accounts) {
        shown["issuer"] = record.issuer.as_str().into();
    }
}

fn add_password(object: &mut Object, user: &UserRecord, left: &mut PassedOver) {
    let hash = user.password_hash.as_deref().and_then(foreign::export);
    object.insert("password_digest".to_owned(), hash.map(|(_, digest)| digest).into());
    object.insert("password_hasher".to_owned(), hash.map(|(hasher, _)| hasher).into());
    left.add("passwords", u64::from(user.password_hash.is_some() && hash.is_none()));
    if user.password_compromised {
        object.insert("password_compromised".to_owned(), true.into());
    }
}

async fn add_backup_codes(scope: &Scope, object: &mut Object, user: &UserRecord, left: &mut PassedOver) -> Result<(), ApiError> {
    if !user.backup_codes_enabled {
        return Ok(());
    }
    let codes = second_factors::foreign_backup_codes(scope.db(), scope.ins(), &user.id).await.map_err(internal)?;
    let digests: Vec<_> = codes.iter().filter_map(|code| foreign::export(code)).map(|(_, digest)| digest).collect();
    left.add("backup_codes", u64::from(digests.is_empty()));
    object.insert("backup_codes".to_owned(), digests.into());
    Ok(())
}

async fn add_totp(scope: &Scope, object: &mut Object, user: &UserRecord, secrets: bool, left: &mut PassedOver) -> Result<(), ApiError> {
    if !user.totp_enabled {
        return Ok(());
    }
    let totp = match secrets {
        true => second_factors::get_totp(scope.db(), scope.ins(), &user.id).await.map_err(internal)?.filter(|totp| totp.verified),
        false => None,
    };
    left.add("totp_secrets", u64::from(totp.is_none()));
    if let Some(totp) = totp {
        object.insert("totp_secret".to_owned(), BASE32_NOPAD.encode(&two_factor::secret(scope, &totp)?).into());
    }
    Ok(())
}
