//! Users, their e-mail addresses and phone numbers.

use crate::changes::Change;
use crate::db::{Db, Read, Sql, StoreError, Tx};
use crate::sql;
use crate::{external_accounts, passkeys};
use doorward_base::*;

mod emails;
mod filter;
mod held;
mod list;
mod owned;
mod passwords;
mod phones;
mod record;
pub mod search;
mod terms;
mod wallets;
pub use emails::{by_email, delete_email, get_email, insert_email, prove_email, unprove_email};
pub(crate) use filter::pattern;
pub use filter::{TextIn, TimeColumn, TimeOp, UserFilter, UserOrder};
pub use held::{Held, any_held, prove_reserved_email, prove_reserved_phone};
pub use list::{PageStart, count, list};
use owned::of_users;
pub(crate) use owned::push_in;
pub use passwords::{drop_password, rehash, replace_password, set_password, set_password_compromised};
pub use phones::{
    PhoneRecord, by_phone, clear_second_factors, delete_phone, get_phone, insert_phone, prove_phone, set_second_factor, unprove_phone,
};
pub use record::{EmailRecord, UserRecord, UserWithEmails};
use record::{email, user};
pub use wallets::{WalletRecord, by_wallet, delete_wallet, insert_wallet, prove_wallet};

async fn with_emails(db: &mut impl Read, instance: &InstanceId, users: Vec<UserRecord>) -> Result<Vec<UserWithEmails>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let mut emails = of_users(db, instance, "email_addresses", &users, |_| true, email).await?;
    let mut phones = of_users(db, instance, "phone_numbers", &users, |it| it.has_phone_numbers, phones::phone).await?;
    let mut wallets = of_users(db, instance, "web3_wallets", &users, |it| it.has_web3_wallets, wallets::wallet).await?;
    let mut passkeys = of_users(db, instance, "passkeys", &users, |it| it.has_passkeys, passkeys::passkey).await?;
    let mut external =
        of_users(db, instance, "external_accounts", &users, |it| it.has_external_accounts, external_accounts::account).await?;
    let whole = |user: UserRecord| UserWithEmails {
        emails: emails.remove(&user.id).unwrap_or_default(),
        phones: phones.remove(&user.id).unwrap_or_default(),
        wallets: wallets.remove(&user.id).unwrap_or_default(),
        passkeys: passkeys.remove(&user.id).unwrap_or_default(),
        external_accounts: external.remove(&user.id).unwrap_or_default(),
        user,
    };
    Ok(users.into_iter().map(whole).collect())
}

async fn one(mut db: impl Read, instance: &InstanceId, sql: Sql) -> Result<Option<UserWithEmails>, StoreError> {
    let found = db.opt(sql).await?.as_ref().map(user).transpose()?;
    Ok(with_emails(&mut db, instance, found.into_iter().collect()).await?.pop())
}

/// The user of an id.
pub async fn get(db: impl Read, instance: &InstanceId, id: &UserId) -> Result<Option<UserWithEmails>, StoreError> {
    one(db, instance, sql!("SELECT * FROM users WHERE instance_id = $1 AND id = $2", instance, id)).await
}

/// Asks what [`get`] asks about a user with an address, of nobody, where its time must not tell.
pub async fn get_nobody(db: &Db, instance: &InstanceId) -> Result<(), StoreError> {
    get(db, instance, &UserId::from("")).await?;
    addresses_of_nobody(db, instance).await
}

/// Asks what finding a user by an address asks once it has found one.
pub async fn addresses_of_nobody(db: &Db, instance: &InstanceId) -> Result<(), StoreError> {
    db.all(sql!("SELECT * FROM email_addresses WHERE instance_id = $1 AND user_id IN ($2)", instance, "")).await.map(|_| ())
}

/// The users of several ids, in any order.
pub async fn get_many(mut db: &Db, instance: &InstanceId, ids: &[UserId]) -> Result<Vec<UserWithEmails>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut sql = sql!("SELECT * FROM users WHERE instance_id = $1", instance);
    push_in(&mut sql, "id", "IN", ids.iter().map(|id| id.as_str().to_owned()));
    let users = db.all(sql).await?.iter().map(user).collect::<Result<_, _>>()?;
    with_emails(&mut db, instance, users).await
}

/// The users whose ids come after one, in the order of their ids.
pub async fn after(mut db: &Db, instance: &InstanceId, id: Option<&UserId>, limit: i64) -> Result<Vec<UserWithEmails>, StoreError> {
    let text = "SELECT * FROM users WHERE instance_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let users = db.all(sql!(text, instance, id.map_or("", UserId::as_str), limit)).await?.iter().map(user).collect::<Result<_, _>>()?;
    with_emails(&mut db, instance, users).await
}

/// Which of these ids, or of these ids of the app's own, users have.
pub async fn known(db: &Db, instance: &InstanceId, ids: &[String], external: bool) -> Result<Vec<String>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let column = if external { "external_id" } else { "id" };
    let mut sql = sql!(format!("SELECT {column} AS name FROM users WHERE instance_id = $1"), instance);
    push_in(&mut sql, column, "IN", ids.iter().cloned());
    db.all(sql).await?.iter().map(|row| row.text("name")).collect()
}

/// The user of a user name, as it is compared.
pub async fn by_username(db: &Db, instance: &InstanceId, username_key: &str) -> Result<Option<UserWithEmails>, StoreError> {
    one(db, instance, sql!("SELECT * FROM users WHERE instance_id = $1 AND username_key = $2", instance, username_key)).await
}

/// The user of an id of the app's own.
pub async fn by_external_id(db: &Db, instance: &InstanceId, external_id: &str) -> Result<Option<UserWithEmails>, StoreError> {
    one(db, instance, sql!("SELECT * FROM users WHERE instance_id = $1 AND external_id = $2", instance, external_id)).await
}

/// Adds a user.
pub async fn insert(tx: &mut Tx, instance: &InstanceId, it: &UserRecord) -> Result<(), StoreError> {
    let text = "INSERT INTO users (instance_id, id, external_id, username, username_key, first_name, last_name, locale,
        primary_email_address_id, primary_email_key, public_metadata, private_metadata, unsafe_metadata, primary_phone_number_id,
        password_hash, password_updated_at, banned, failed_attempts, locked_until, delete_self_enabled, create_organization_enabled,
        create_organizations_limit, legal_accepted_at, bypass_client_trust, last_sign_in_at, last_active_at, created_at, updated_at,
        has_phone_numbers, primary_phone, primary_web3_wallet_id, has_web3_wallets,
        primary_web3_wallet) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)";
    let sql = bind_profile(sql!(text, instance, &it.id), it)
        .bind(&it.password_hash)
        .bind(it.password_updated_at)
        .bind(it.banned)
        .bind(it.failed_attempts)
        .bind(it.locked_until)
        .bind(it.delete_self_enabled)
        .bind(it.create_organization_enabled)
        .bind(it.create_organizations_limit)
        .bind(it.legal_accepted_at)
        .bind(it.bypass_client_trust)
        .bind(it.last_sign_in_at)
        .bind(it.last_active_at)
        .bind(it.created_at)
        .bind(it.updated_at)
        .bind(it.has_phone_numbers)
        .bind(&it.primary_phone)
        .bind(&it.primary_web3_wallet_id)
        .bind(it.has_web3_wallets)
        .bind(&it.primary_web3_wallet);
    tx.exec(sql).await?;
    tx.note(instance, Change::UserCreated(it.id.clone()));
    tx.searchable(instance, &it.id);
    Ok(())
}

/// Runs a statement that changes what is shown of a user, and notes the change. False when it changed nothing.
pub(crate) async fn change(tx: &mut Tx, instance: &InstanceId, id: &UserId, sql: Sql) -> Result<bool, StoreError> {
    let done = tx.exec(sql).await? > 0;
    if done {
        tx.note(instance, Change::UserUpdated(id.clone()));
    }
    Ok(done)
}

fn bind_profile(sql: Sql, it: &UserRecord) -> Sql {
    sql.bind(&it.external_id)
        .bind(&it.username)
        .bind(&it.username_key)
        .bind(&it.first_name)
        .bind(&it.last_name)
        .bind(&it.locale)
        .bind(&it.primary_email_address_id)
        .bind(&it.primary_email_key)
        .bind(&it.public_metadata)
        .bind(&it.private_metadata)
        .bind(&it.unsafe_metadata)
        .bind(&it.primary_phone_number_id)
}

/// When a user changed: `$n`, but always later than the change before, so that no two states of a user have the same
/// time. What [`update`] expects relies on it.
fn changed_at(n: usize) -> String {
    format!("updated_at = CASE WHEN updated_at < ${n} THEN ${n} ELSE updated_at + 1 END")
}

/// Writes what an update may change, if the user is still as it was at `expected_updated_at`. The password, counters,
/// bans and the times of use have statements of their own, so that an update never undoes them.
pub async fn update(tx: &mut Tx, instance: &InstanceId, it: &UserRecord, expected_updated_at: Timestamp) -> Result<bool, StoreError> {
    let text = "UPDATE users SET external_id = $3, username = $4, username_key = $5, first_name = $6, last_name = $7, locale = $8,
        primary_email_address_id = $9, primary_email_key = $10, public_metadata = $11, private_metadata = $12, unsafe_metadata = $13,
        primary_phone_number_id = $14, delete_self_enabled = $15, create_organization_enabled = $16, create_organizations_limit = $17,
        legal_accepted_at = $18, bypass_client_trust = $19, created_at = $20, primary_web3_wallet_id = $21, updated_at = $22,
        primary_phone = $24, primary_web3_wallet = $25 WHERE instance_id = $1 AND id = $2 AND updated_at = $23";
    let sql = bind_profile(sql!(text, instance, &it.id), it)
        .bind(it.delete_self_enabled)
        .bind(it.create_organization_enabled)
        .bind(it.create_organizations_limit)
        .bind(it.legal_accepted_at)
        .bind(it.bypass_client_trust)
        .bind(it.created_at)
        .bind(&it.primary_web3_wallet_id)
        .bind(it.updated_at.max(expected_updated_at + 1))
        .bind(expected_updated_at)
        .bind(&it.primary_phone)
        .bind(&it.primary_web3_wallet);
    tx.searchable(instance, &it.id);
    change(tx, instance, &it.id, sql).await
}

/// Bans a user or lets them in again. False when there is no such user.
pub async fn set_banned(tx: &mut Tx, instance: &InstanceId, id: &UserId, banned: bool, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!("UPDATE users SET banned = $3, {} WHERE instance_id = $1 AND id = $2", changed_at(4));
    change(tx, instance, id, sql!(text, instance, id, banned, now)).await
}

/// Records that something of a user changed. False when there is no such user.
pub async fn touch(tx: &mut Tx, instance: &InstanceId, id: &UserId, now: Timestamp) -> Result<bool, StoreError> {
    let text = format!("UPDATE users SET {} WHERE instance_id = $1 AND id = $2", changed_at(3));
    change(tx, instance, id, sql!(text, instance, id, now)).await
}

/// Writes when a user who came from elsewhere changed and had second factors there, over what the other statements that brought
/// the user wrote. Times of second factors that are not given stay as they are.
pub async fn keep_times(tx: &mut Tx, instance: &InstanceId, it: &UserRecord) -> Result<(), StoreError> {
    let text =
        "UPDATE users SET updated_at = $3, mfa_enabled_at = COALESCE($4, mfa_enabled_at), mfa_disabled_at = COALESCE($5, mfa_disabled_at)
        WHERE instance_id = $1 AND id = $2";
    let sql = sql!(text, instance, &it.id, it.updated_at, it.mfa_enabled_at, it.mfa_disabled_at);
    change(tx, instance, &it.id, sql).await.map(|_| ())
}

/// Says which picture a user shows. False when there is no such user.
pub(crate) async fn set_image(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    image: Option<&ImageId>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = format!("UPDATE users SET image_id = $3, {} WHERE instance_id = $1 AND id = $2", changed_at(4));
    change(tx, instance, id, sql!(text, instance, id, image.map(ImageId::as_str), now)).await
}

/// Closes an account until a time, or opens it and forgets the wrong guesses. False when there is no such user.
pub async fn set_locked(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = format!("UPDATE users SET locked_until = $3, failed_attempts = 0, {} WHERE instance_id = $1 AND id = $2", changed_at(4));
    change(tx, instance, id, sql!(text, instance, id, until, now)).await
}

/// Takes one guess at a user's secret: counts it before it is looked at, so that guesses side by side cannot outrun the
/// counter, and closes the account with the last one. Nothing when the account is closed. It lasts whatever becomes of
/// the request; a right guess is given back with [`give_back_guess`], and all of them with [`signed_in`] or [`clear_guesses`].
pub async fn take_guess(
    db: &Db,
    instance: &InstanceId,
    id: &UserId,
    max: i64,
    lock_until: Timestamp,
    now: Timestamp,
) -> Result<Option<(i64, Option<Timestamp>)>, StoreError> {
    let text = "UPDATE users SET
        failed_attempts = CASE WHEN locked_until IS NULL THEN failed_attempts ELSE 0 END + 1,
        locked_until = CASE WHEN (CASE WHEN locked_until IS NULL THEN failed_attempts ELSE 0 END) + 1 >= $3 THEN CAST($4 AS BIGINT) ELSE NULL END
        WHERE instance_id = $1 AND id = $2 AND (locked_until IS NULL OR locked_until <= $5) RETURNING failed_attempts, locked_until";
    let row = db.take(sql!(text, instance, id, max, lock_until, now)).await?;
    row.map(|row| Ok((row.int("failed_attempts")?, row.opt_int("locked_until")?))).transpose()
}

/// Gives back one guess, which was right, and takes off the lock that it has set: others are still counted.
pub async fn give_back_guess(tx: &mut Tx, instance: &InstanceId, id: &UserId) -> Result<(), StoreError> {
    // A lock without guesses is a server's.
    let text = "UPDATE users SET failed_attempts = failed_attempts - 1, locked_until = NULL
        WHERE instance_id = $1 AND id = $2 AND failed_attempts > 0";
    tx.exec(sql!(text, instance, id)).await.map(|_| ())
}

/// Forgets the wrong guesses, and the lock that the last right one would have set.
pub async fn clear_guesses(tx: &mut Tx, instance: &InstanceId, id: &UserId) -> Result<(), StoreError> {
    let text = "UPDATE users SET failed_attempts = 0, locked_until = NULL WHERE instance_id = $1 AND id = $2 AND failed_attempts > 0";
    tx.exec(sql!(text, instance, id)).await.map(|_| ())
}

/// Records a sign-in, and gives the user as it is then. None when the user is gone, banned or locked by a server by now, or has
/// another password than the one that was proven, which is from `password_of` (0 where nobody knows).
pub async fn signed_in(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    password_of: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<UserRecord>, StoreError> {
    let text = format!(
        "UPDATE users SET last_sign_in_at = $3, last_active_at = $3, {}, failed_attempts = 0, locked_until = NULL
         WHERE instance_id = $1 AND id = $2 AND NOT banned AND (locked_until IS NULL OR locked_until <= $3 OR failed_attempts > 0)
         AND $4 IN (-1, COALESCE(password_updated_at, 0)) RETURNING *",
        changed_at(3)
    );
    let found = tx.opt(sql!(text, instance, id, now, password_of.unwrap_or(-1))).await?;
    if found.is_some() {
        tx.note(instance, Change::UserSignedIn(id.clone()));
    }
    found.as_ref().map(user).transpose()
}

/// The user whom somebody else is about to act as, held until the end of the transaction. None when they are gone or banned by now.
pub async fn acted_as(tx: &mut Tx, instance: &InstanceId, id: &UserId) -> Result<Option<UserRecord>, StoreError> {
    let text = "UPDATE users SET banned = banned WHERE instance_id = $1 AND id = $2 AND NOT banned RETURNING *";
    tx.opt(sql!(text, instance, id)).await?.as_ref().map(user).transpose()
}

/// Records that a user was seen, at most once a minute.
pub async fn seen(tx: &mut Tx, instance: &InstanceId, id: &UserId, now: Timestamp) -> Result<(), StoreError> {
    let text =
        "UPDATE users SET last_active_at = $3 WHERE instance_id = $1 AND id = $2 AND (last_active_at IS NULL OR last_active_at < $4)";
    tx.exec(sql!(text, instance, id, now, now - 60_000)).await.map(|_| ())
}

/// Deletes a user with addresses, numbers, sessions and refresh tokens. False when there is no such user.
pub async fn delete(tx: &mut Tx, instance: &InstanceId, id: &UserId, now: Timestamp) -> Result<bool, StoreError> {
    let clients = "UPDATE clients SET updated_at = $3 WHERE instance_id = $1 AND id IN
        (SELECT client_id FROM sessions WHERE instance_id = $1 AND user_id = $2 AND status = 'active')";
    tx.exec(sql!(clients, instance, id, now)).await?;
    let refresh = "DELETE FROM refresh_tokens WHERE instance_id = $1 AND session_id IN
        (SELECT id FROM sessions WHERE instance_id = $1 AND user_id = $2)";
    tx.exec(sql!(refresh, instance, id)).await?;
    tx.exec(sql!("DELETE FROM sessions WHERE instance_id = $1 AND user_id = $2", instance, id)).await?;
    let tables = [
        "email_addresses",
        "phone_numbers",
        "web3_wallets",
        "trusted_devices",
        "totps",
        "backup_codes",
        "tickets",
        "images",
        "passkeys",
        "external_accounts",
    ];
    for table in tables {
        tx.exec(sql!(format!("DELETE FROM {table} WHERE instance_id = $1 AND user_id = $2"), instance, id)).await?;
    }
    let gone = tx.opt(sql!("DELETE FROM users WHERE instance_id = $1 AND id = $2 RETURNING external_id", instance, id)).await?;
    let Some(gone) = gone else { return Ok(false) };
    tx.searchable(instance, id);
    tx.note(instance, Change::UserDeleted(id.clone(), gone.opt_text("external_id")?));
    Ok(true)
}

/// Replaces the public metadata, if it is still what it was.
pub async fn replace_public_metadata(
    tx: &mut Tx,
    instance: &InstanceId,
    id: &UserId,
    (before, after): (&str, &str),
    now: Timestamp,
) -> Result<bool, StoreError> {
    let text = "UPDATE users SET public_metadata = $4, updated_at = $5 WHERE instance_id = $1 AND id = $2 AND public_metadata = $3";
    change(tx, instance, id, sql!(text, instance, id, before, after, now)).await
}
