//! Lists of users: filters, orders, pages.

use super::{UserWithEmails, push_in, user, with_emails};
use crate::db::{Db, Sql, StoreError};
use crate::sql;
use doorward_base::*;

/// Which users to list: several values of one filter are alternatives, several filters must all hold.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Addresses, as they are compared.
    pub address_keys: Vec<String>,
    /// Phone numbers.
    pub phone_numbers: Vec<String>,
    /// Wallets.
    pub wallets: Vec<String>,
    /// User names, as they are compared.
    pub username_keys: Vec<String>,
    /// Ids of the app's own.
    pub external_ids: Vec<String>,
    /// None of these ids of the app's own.
    pub not_external_ids: Vec<String>,
    /// Ids.
    pub user_ids: Vec<String>,
    /// None of these ids.
    pub not_user_ids: Vec<String>,
    /// Found in any text that identifies a user.
    pub query: Option<String>,
    /// Found in an address.
    pub email_query: Option<String>,
    /// Found in a phone number.
    pub phone_query: Option<String>,
    /// Found in the user name.
    pub username_query: Option<String>,
    /// Found in the first or last name.
    pub name_query: Option<String>,
    /// Banned or not.
    pub banned: Option<bool>,
    /// Times: (column, operator, value).
    pub times: Vec<(TimeColumn, TimeOp, Timestamp)>,
    /// Nobody: a filter on something that no user of this instance can have.
    pub nobody: bool,
}

impl UserFilter {
    /// Whether it names the users that it lets through, so that there are few.
    fn names_users(&self) -> bool {
        let named = [&self.address_keys, &self.phone_numbers, &self.wallets, &self.username_keys, &self.external_ids, &self.user_ids];
        named.iter().any(|it| !it.is_empty())
    }
}

/// A time by which users are filtered.
#[derive(Clone, Copy, Debug)]
pub enum TimeColumn {
    /// When the user was last seen.
    LastActiveAt,
    /// When the user was created.
    CreatedAt,
    /// When the user last signed in.
    LastSignInAt,
}

/// How a time is compared.
#[derive(Clone, Copy, Debug)]
pub enum TimeOp {
    /// Before.
    Before,
    /// After.
    After,
    /// At or after.
    Since,
}

/// By what users are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserOrder {
    /// When the user was created.
    CreatedAt,
    /// When the user last changed.
    UpdatedAt,
    /// The primary address.
    EmailAddress,
    /// The primary number.
    PhoneNumber,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// The user name.
    Username,
    /// When the user last signed in.
    LastSignInAt,
    /// When the user was last seen.
    LastActiveAt,
}

impl UserOrder {
    fn column(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::EmailAddress => "primary_email_key",
            Self::PhoneNumber => "primary_phone",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Username => "username_key",
            Self::LastSignInAt => "last_sign_in_at",
            Self::LastActiveAt => "last_active_at",
        }
    }

    fn nullable(self) -> bool {
        !matches!(self, Self::CreatedAt | Self::UpdatedAt)
    }
}

/// `%text%` with the pattern's own characters escaped.
pub(crate) fn pattern(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

fn filtered(db: &Db, select: &str, instance: &InstanceId, filter: &UserFilter) -> Sql {
    let mut sql = sql!(format!("{select} FROM users u WHERE u.instance_id = $1"), instance);
    let like = |column: &str, n: usize| db.dialect().like(column, n);
    let in_email = |test: &str| format!("u.id IN (SELECT e.user_id FROM email_addresses e WHERE e.instance_id = $1 AND {test})");
    let in_phone = |test: &str| format!("u.id IN (SELECT p.user_id FROM phone_numbers p WHERE p.instance_id = $1 AND {test})");
    let in_wallet = |test: &str| format!("u.id IN (SELECT w.user_id FROM web3_wallets w WHERE w.instance_id = $1 AND {test})");
    if filter.nobody {
        sql.push(" AND 1 = 0");
    }
    for (column, operator, values) in [
        ("u.username_key", "IN", &filter.username_keys),
        ("u.external_id", "IN", &filter.external_ids),
        ("u.id", "IN", &filter.user_ids),
        ("u.id", "NOT IN", &filter.not_user_ids),
        ("COALESCE(u.external_id, '')", "NOT IN", &filter.not_external_ids),
    ] {
        if !values.is_empty() {
            push_in(&mut sql, column, operator, values.iter().cloned());
        }
    }
    if !filter.address_keys.is_empty() {
        let numbers: Vec<String> = filter.address_keys.iter().map(|v| format!("${}", sql.value(v))).collect();
        sql.push(&format!(" AND {}", in_email(&format!("e.address_key IN ({})", numbers.join(", ")))));
    }
    if !filter.phone_numbers.is_empty() {
        let numbers: Vec<String> = filter.phone_numbers.iter().map(|v| format!("${}", sql.value(v))).collect();
        sql.push(&format!(" AND {}", in_phone(&format!("p.number IN ({})", numbers.join(", ")))));
    }
    if !filter.wallets.is_empty() {
        let numbers: Vec<String> = filter.wallets.iter().map(|v| format!("${}", sql.value(v))).collect();
        sql.push(&format!(" AND {}", in_wallet(&format!("w.address IN ({})", numbers.join(", ")))));
    }
    if let Some(text) = &filter.query {
        let n = sql.value(pattern(text));
        let mut tests: Vec<String> =
            ["u.id", "u.username", "u.first_name", "u.last_name", "u.external_id"].iter().map(|column| like(column, n)).collect();
        tests.push(in_email(&like("e.address", n)));
        tests.push(in_phone(&like("p.number", n)));
        tests.push(in_wallet(&like("w.address", n)));
        sql.push(&format!(" AND ({})", tests.join(" OR ")));
    }
    if let Some(text) = &filter.email_query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND {}", in_email(&like("e.address", n))));
    }
    if let Some(text) = &filter.phone_query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND {}", in_phone(&like("p.number", n))));
    }
    if let Some(text) = &filter.username_query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND {}", like("u.username", n)));
    }
    if let Some(text) = &filter.name_query {
        let n = sql.value(pattern(text));
        sql.push(&format!(" AND ({} OR {})", like("u.first_name", n), like("u.last_name", n)));
    }
    if let Some(banned) = filter.banned {
        let n = sql.value(banned);
        sql.push(&format!(" AND u.banned = ${n}"));
    }
    for (column, operator, at) in &filter.times {
        let column = match column {
            TimeColumn::LastActiveAt => "u.last_active_at",
            TimeColumn::CreatedAt => "u.created_at",
            TimeColumn::LastSignInAt => "u.last_sign_in_at",
        };
        let operator = match operator {
            TimeOp::Before => "<",
            TimeOp::After => ">",
            TimeOp::Since => ">=",
        };
        let n = sql.value(*at);
        sql.push(&format!(" AND {column} {operator} ${n}"));
    }
    sql
}

/// Where a page begins.
#[derive(Clone, Debug)]
pub enum PageStart {
    /// After so many users.
    Offset(i64),
    /// After this user, in the order asked for.
    After(UserId),
}

/// A page of users.
pub async fn list(
    mut db: &Db,
    instance: &InstanceId,
    filter: &UserFilter,
    order: UserOrder,
    descending: bool,
    limit: i64,
    start: &PageStart,
) -> Result<Vec<UserWithEmails>, StoreError> {
    let sql = page(db, instance, filter, order, descending, limit, start);
    let users = db.all(sql).await?.iter().map(user).collect::<Result<_, _>>()?;
    with_emails(&mut db, instance, users).await
}

fn page(db: &Db, instance: &InstanceId, filter: &UserFilter, order: UserOrder, descending: bool, limit: i64, start: &PageStart) -> Sql {
    let mut sql = if filter.names_users() {
        // Picked first: walking the order's index until the few are found would cost more the more users there are.
        let mut sql = filtered(db, "WITH picked AS MATERIALIZED (SELECT u.id", instance, filter);
        sql.push(") SELECT u.* FROM picked CROSS JOIN users u WHERE u.instance_id = $1 AND u.id = picked.id");
        sql
    } else {
        filtered(db, "SELECT u.*", instance, filter)
    };
    let column = order.column();
    let (direction, than) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    if let PageStart::After(id) = start {
        let n = sql.value(id);
        let key = if order.nullable() { format!("COALESCE(u.{column}, {})", order.least()) } else { format!("u.{column}") };
        let pivot = if order.nullable() { format!("COALESCE(p.{column}, {})", order.least()) } else { format!("p.{column}") };
        sql.push(&format!(" AND ({key}, u.id) {than} (SELECT {pivot}, p.id FROM users p WHERE p.instance_id = $1 AND p.id = ${n})"));
    }
    let nulls = match (order.nullable(), descending) {
        (false, _) => "",
        (true, true) => " NULLS LAST",
        (true, false) => " NULLS FIRST",
    };
    let limit = sql.value(limit);
    sql.push(&format!(" ORDER BY u.{column} {direction}{nulls}, u.id {direction} LIMIT ${limit}"));
    if let PageStart::Offset(offset) = start {
        let n = sql.value(*offset);
        sql.push(&format!(" OFFSET ${n}"));
    }
    sql
}

impl UserOrder {
    /// What a missing value counts as when a page begins after it.
    fn least(self) -> &'static str {
        match self {
            Self::LastSignInAt | Self::LastActiveAt => "-1",
            _ => "''",
        }
    }
}

/// How many users a filter lets through.
pub async fn count(db: &Db, instance: &InstanceId, filter: &UserFilter) -> Result<i64, StoreError> {
    let row = db.opt(filtered(db, "SELECT CAST(COUNT(*) AS BIGINT) AS n", instance, filter)).await?;
    row.map_or(Ok(0), |row| row.int("n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    #[tokio::test]
    async fn users_who_are_named_are_found_by_the_name_s_index_however_many_others_there_are() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        let one = || vec!["a".to_owned()];
        for (filter, index) in [
            (UserFilter { address_keys: one(), ..UserFilter::default() }, "email_addresses_key"),
            (UserFilter { phone_numbers: one(), ..UserFilter::default() }, "phone_numbers_number"),
            (UserFilter { wallets: one(), ..UserFilter::default() }, "web3_wallets_address"),
            (UserFilter { username_keys: one(), ..UserFilter::default() }, "users_username"),
            (UserFilter { external_ids: one(), ..UserFilter::default() }, "users_external_id"),
            (UserFilter { user_ids: one(), ..UserFilter::default() }, "sqlite_autoindex_users_1"),
        ] {
            let sql = page(&db, &instance, &filter, UserOrder::CreatedAt, true, 10, &PageStart::Offset(0));
            let steps = plan::steps(&db, sql).await;
            assert!(steps.iter().any(|step| step.contains(index)), "{filter:?}: {steps:?}");
            assert!(!steps.iter().any(|step| step.contains("users_created_at") || step.starts_with("SCAN u")), "{filter:?}: {steps:?}");
        }
    }
}
