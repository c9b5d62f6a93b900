//! Many rows at once: those of a list of values, those of several users.

use super::UserRecord;
use crate::db::{Read, Row, Sql, StoreError};
use crate::sql;
use doorward_base::*;
use std::collections::HashMap;

pub(crate) fn push_in(sql: &mut Sql, column: &str, operator: &str, values: impl Iterator<Item = String>) {
    let numbers: Vec<String> = values.map(|value| format!("${}", sql.value(value))).collect();
    sql.push(&format!(" AND {column} {operator} ({})", numbers.join(", ")));
}

/// What those users who may have some have in a table whose rows name their user, the oldest first.
pub(super) async fn of_users<T>(
    db: &mut impl Read,
    instance: &InstanceId,
    table: &'static str,
    users: &[UserRecord],
    may_have: fn(&UserRecord) -> bool,
    read: fn(&Row) -> Result<T, StoreError>,
) -> Result<HashMap<UserId, Vec<T>>, StoreError> {
    let mut by_user: HashMap<UserId, Vec<T>> = HashMap::new();
    let owners: Vec<String> = users.iter().filter(|user| may_have(user)).map(|user| user.id.as_str().to_owned()).collect();
    if owners.is_empty() {
        return Ok(by_user);
    }
    let mut sql = sql!(format!("SELECT * FROM {table} WHERE instance_id = $1"), instance);
    push_in(&mut sql, "user_id", "IN", owners.into_iter());
    sql.push(" ORDER BY created_at, id");
    for row in db.all(sql).await? {
        by_user.entry(row.id("user_id")?).or_default().push(read(&row)?);
    }
    Ok(by_user)
}
