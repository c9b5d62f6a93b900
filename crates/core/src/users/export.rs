//! Users for elsewhere: the user object of the Backend API with what the API keeps to itself.

use super::{Audience, view};
use crate::app::{Scope, internal};
use crate::password::foreign;
use crate::two_factor;
use data_encoding::BASE32_NOPAD;
use doorward_base::*;
use doorward_store::{second_factors, users};
use doorward_wire::Object;
use serde_json::Value;

/// The next users in the order of their ids, at most `limit`, as [`super::import`] reads them: each with `password_digest`,
/// `password_hasher` and, where they came as hashes, `backup_codes`. Backup codes that were made here are hashed under the
/// master key and of no use elsewhere. `totp_secret` comes only when `secrets` says so: who has it makes codes.
///
/// # Errors
/// Failures of the database; a secret that cannot be opened.
pub async fn export_page(scope: &Scope, after: Option<&UserId>, limit: i64, secrets: bool) -> Result<Vec<Object>, ApiError> {
    let mut out = Vec::new();
    for it in users::after(scope.db(), scope.ins(), after, limit).await.map_err(internal)? {
        let Value::Object(mut object) = serde_json::to_value(view(scope, &it, Audience::Backend)).map_err(ApiError::internal)? else {
            return Err(ApiError::internal("a user is no object"));
        };
        let hash = it.user.password_hash.as_deref().and_then(foreign::export);
        object.insert("password_digest".to_owned(), hash.map(|(_, digest)| digest).into());
        object.insert("password_hasher".to_owned(), hash.map(|(hasher, _)| hasher).into());
        if it.user.backup_codes_enabled {
            let codes = second_factors::foreign_backup_codes(scope.db(), scope.ins(), &it.user.id).await.map_err(internal)?;
            let digests = codes.iter().filter_map(|code| foreign::export(code)).map(|(_, digest)| digest);
            object.insert("backup_codes".to_owned(), digests.collect::<Vec<_>>().into());
        }
        if secrets && it.user.totp_enabled {
            let totp = second_factors::get_totp(scope.db(), scope.ins(), &it.user.id).await.map_err(internal)?;
            if let Some(totp) = totp.filter(|totp| totp.verified) {
                let secret = two_factor::secret(scope, &totp)?;
                object.insert("totp_secret".to_owned(), BASE32_NOPAD.encode(&secret).into());
            }
        }
        out.push(object);
    }
    Ok(out)
}
