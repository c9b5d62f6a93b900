//! By what text users are found, and how many there are: kept in the transaction that changes a user (docs/adr/0031).
//!
//! `user_texts` has what a user is found by, `user_terms` the endings of it by which the user is found, `user_counts` the
//! number of rows of `user_texts`, spread over slots so that users who come side by side do not wait for each other.

use super::push_in;
use super::terms::{COLUMNS, Texts, normal};
use crate::db::{Db, Row, Sql, StoreError, Tx};
use crate::sql;
use doorward_base::*;
use std::collections::{BTreeMap, BTreeSet};

/// Users who are read and written at once.
const CHUNK: usize = 100;
/// Rows of one statement.
const ROWS: usize = 256;
/// Rows of a statement are a multiple of it, so that there are few statements to prepare.
const STEP: usize = 16;
/// Slots of a count.
const SLOTS: i64 = 16;

/// Brings what is kept of these users in line with what they are now.
pub(crate) async fn keep(tx: &mut Tx, users: BTreeSet<(InstanceId, UserId)>) -> Result<(), StoreError> {
    let mut by_instance: BTreeMap<InstanceId, Vec<UserId>> = BTreeMap::new();
    for (instance, user) in users {
        by_instance.entry(instance).or_default().push(user);
    }
    for (instance, users) in &by_instance {
        for users in users.chunks(CHUNK) {
            chunk(tx, instance, users).await?;
        }
    }
    Ok(())
}

/// What changes among the terms.
#[derive(Default)]
struct Terms {
    gone: BTreeSet<(Vec<u8>, UserId)>,
    new: BTreeSet<(Vec<u8>, UserId)>,
}

impl Terms {
    fn change(&mut self, user: &UserId, old: Option<&Texts>, new: Option<&Texts>) {
        let terms = |it: Option<&Texts>| it.map(|it| it.terms(user)).unwrap_or_default();
        let (old, new) = (terms(old), terms(new));
        self.gone.extend(old.difference(&new).map(|term| (term.clone(), user.clone())));
        self.new.extend(new.difference(&old).map(|term| (term.clone(), user.clone())));
    }
}

async fn chunk(tx: &mut Tx, instance: &InstanceId, users: &[UserId]) -> Result<(), StoreError> {
    let mut terms = Terms::default();
    let mut count = 0;
    let now = current(tx, instance, users).await?;
    let kept = kept(tx, instance, users).await?;
    let missing: Vec<(&UserId, &Texts)> = now.iter().filter(|(user, _)| !kept.contains_key(*user)).collect();
    let inserted = insert(tx, instance, &missing).await?;
    for user in &inserted {
        count += 1;
        terms.change(user, None, now.get(user));
    }
    // Another transaction may change them too: whoever holds the row sees what the other one has written.
    let stale: Vec<UserId> =
        now.iter().filter(|(user, texts)| !inserted.contains(*user) && kept.get(*user) != Some(texts)).map(|it| it.0.clone()).collect();
    if !stale.is_empty() {
        let old = hold(tx, instance, &stale).await?;
        let now = current(tx, instance, &stale).await?;
        for (user, old) in &old {
            let Some(texts) = now.get(user) else { continue };
            update(tx, instance, user, texts).await?;
            terms.change(user, Some(old), Some(texts));
        }
    }
    let gone: Vec<UserId> = users.iter().filter(|user| !now.contains_key(*user)).cloned().collect();
    for (user, old) in remove(tx, instance, &gone).await? {
        count -= 1;
        terms.change(&user, Some(&old), None);
    }
    for rows in chunks(terms.gone) {
        write(tx, instance, "DELETE FROM user_terms WHERE instance_id = $1 AND (term, user_id) IN (VALUES ", "", ")", rows).await?;
    }
    for rows in chunks(terms.new) {
        write(tx, instance, "INSERT INTO user_terms (instance_id, term, user_id) VALUES ", "$1, ", " ON CONFLICT DO NOTHING", rows).await?;
    }
    if count != 0 {
        let slot = users.first().and_then(|user| user.as_str().bytes().last()).map_or(0, |byte| i64::from(byte) % SLOTS);
        let text = "INSERT INTO user_counts (instance_id, slot, users) VALUES ($1, $2, $3)
            ON CONFLICT (instance_id, slot) DO UPDATE SET users = user_counts.users + excluded.users";
        tx.exec(sql!(text, instance, slot, count)).await?;
    }
    Ok(())
}

/// Rows for statements, the last one of a statement repeated until it has a number of rows of which there are few.
fn chunks(rows: BTreeSet<(Vec<u8>, UserId)>) -> Vec<Vec<(Vec<u8>, UserId)>> {
    let rows: Vec<_> = rows.into_iter().collect();
    let padded = |rows: &[(Vec<u8>, UserId)]| {
        let mut out = rows.to_vec();
        out.resize(rows.len().next_multiple_of(STEP), rows[rows.len() - 1].clone());
        out
    };
    rows.chunks(ROWS).map(padded).collect()
}

async fn write(
    tx: &mut Tx,
    instance: &InstanceId,
    text: &'static str,
    first: &str,
    end: &str,
    rows: Vec<(Vec<u8>, UserId)>,
) -> Result<(), StoreError> {
    let mut sql = sql!(text, instance);
    for (n, (term, user)) in rows.into_iter().enumerate() {
        let (term, user) = (sql.value(term), sql.value(&user));
        sql.push(&format!("{}({first}${term}, ${user})", if n == 0 { "" } else { ", " }));
    }
    sql.push(end);
    tx.exec(sql).await.map(|_| ())
}

fn of_users(text: String, column: &str, instance: &InstanceId, users: &[UserId]) -> Sql {
    let mut sql = sql!(text, instance);
    push_in(&mut sql, column, "IN", users.iter().map(|user| user.as_str().to_owned()));
    sql
}

/// What users are found by now; who is gone is not among them.
async fn current(tx: &mut Tx, instance: &InstanceId, users: &[UserId]) -> Result<BTreeMap<UserId, Texts>, StoreError> {
    let text = "SELECT id, username, first_name, last_name, external_id FROM users WHERE instance_id = $1";
    let mut out = BTreeMap::new();
    for row in tx.all(of_users(text.to_owned(), "id", instance, users)).await? {
        let normal_of = |column| row.opt_text(column).map(|text| normal(&text.unwrap_or_default()));
        let name = format!("{} {}", normal_of("first_name")?, normal_of("last_name")?);
        let name = name.trim().to_owned();
        let (username, external_id) = (normal_of("username")?, normal_of("external_id")?);
        out.insert(row.id("id")?, Texts { username, name, external_id, ..Texts::default() });
    }
    let mut sql = sql!("", instance);
    let numbers: Vec<String> = users.iter().map(|user| format!("${}", sql.value(user))).collect();
    let numbers = numbers.join(", ");
    for (n, (table, column)) in
        [("email_addresses", "address"), ("phone_numbers", "number"), ("web3_wallets", "address")].iter().enumerate()
    {
        let union = if n == 0 { "" } else { " UNION ALL " };
        sql.push(&format!(
            "{union}SELECT user_id, '{table}' AS kind, {column} AS value FROM {table} WHERE instance_id = $1 AND user_id IN ({numbers})"
        ));
    }
    sql.push(" ORDER BY 1, 2, 3");
    for row in tx.all(sql).await? {
        let user: UserId = row.id("user_id")?;
        let Some(texts) = out.get_mut(&user) else { continue };
        let lines = match row.text("kind")?.as_str() {
            "email_addresses" => &mut texts.email_addresses,
            "phone_numbers" => &mut texts.phone_numbers,
            _ => &mut texts.web3_wallets,
        };
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&normal(&row.text("value")?));
    }
    Ok(out)
}

fn texts(rows: &[Row]) -> Result<BTreeMap<UserId, Texts>, StoreError> {
    rows.iter().map(|row| Ok((row.id("user_id")?, Texts::read(row)?))).collect()
}

async fn kept(tx: &mut Tx, instance: &InstanceId, users: &[UserId]) -> Result<BTreeMap<UserId, Texts>, StoreError> {
    let text = "SELECT * FROM user_texts WHERE instance_id = $1".to_owned();
    texts(&tx.all(of_users(text, "user_id", instance, users)).await?)
}

/// Holds rows until the end of the transaction, and answers them as they are then.
async fn hold(tx: &mut Tx, instance: &InstanceId, users: &[UserId]) -> Result<BTreeMap<UserId, Texts>, StoreError> {
    let mut sql = of_users("UPDATE user_texts SET name = name WHERE instance_id = $1".to_owned(), "user_id", instance, users);
    sql.push(" RETURNING *");
    texts(&tx.all(sql).await?)
}

async fn remove(tx: &mut Tx, instance: &InstanceId, users: &[UserId]) -> Result<BTreeMap<UserId, Texts>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut sql = of_users("DELETE FROM user_texts WHERE instance_id = $1".to_owned(), "user_id", instance, users);
    sql.push(" RETURNING *");
    texts(&tx.all(sql).await?)
}

/// Adds rows that are not there yet, and answers whose.
async fn insert(tx: &mut Tx, instance: &InstanceId, rows: &[(&UserId, &Texts)]) -> Result<BTreeSet<UserId>, StoreError> {
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sql = sql!(format!("INSERT INTO user_texts (instance_id, user_id, {COLUMNS}) VALUES "), instance);
    for (n, (user, texts)) in rows.iter().enumerate() {
        let user = sql.value(*user);
        let numbers: Vec<String> = texts.values().iter().map(|text| format!("${}", sql.value(*text))).collect();
        sql.push(&format!("{}($1, ${user}, {})", if n == 0 { "" } else { ", " }, numbers.join(", ")));
    }
    sql.push(" ON CONFLICT DO NOTHING RETURNING user_id");
    tx.all(sql).await?.iter().map(|row| row.id("user_id")).collect()
}

async fn update(tx: &mut Tx, instance: &InstanceId, user: &UserId, texts: &Texts) -> Result<(), StoreError> {
    let text = "UPDATE user_texts SET email_addresses = $3, phone_numbers = $4, username = $5, name = $6, web3_wallets = $7,
        external_id = $8 WHERE instance_id = $1 AND user_id = $2";
    let sql = texts.values().into_iter().fold(sql!(text, instance, user), Sql::bind);
    tx.exec(sql).await.map(|_| ())
}

/// How many users there are.
pub(super) async fn count(db: &Db, instance: &InstanceId) -> Result<i64, StoreError> {
    let text = "SELECT CAST(COALESCE(SUM(users), 0) AS BIGINT) AS n FROM user_counts WHERE instance_id = $1";
    db.opt(sql!(text, instance)).await?.map_or(Ok(0), |row| row.int("n"))
}

/// Makes all users searchable who are not yet, on all instances.
///
/// # Errors
/// Failures of the database; what was done until then stays.
pub(crate) async fn complete(db: &Db) -> Result<(), StoreError> {
    for row in db.all(sql!("SELECT id FROM instances ORDER BY id")).await? {
        let instance: InstanceId = row.id("id")?;
        let text = "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM users WHERE instance_id = $1";
        let users = db.opt(sql!(text, &instance)).await?.map_or(Ok(0), |row| row.int("n"))?;
        let missing = users - count(db, &instance).await?;
        if missing != 0 {
            tracing::info!(%instance, missing, "making users searchable; this is done once");
            fill(db, &instance).await?;
        }
    }
    Ok(())
}

/// Makes the users of an instance searchable who are not yet, and forgets those who are no longer, a page in a transaction.
///
/// # Errors
/// Failures of the database; what was done until then stays.
pub async fn fill(db: &Db, instance: &InstanceId) -> Result<(), StoreError> {
    for (of, id, other, other_id) in [("users", "id", "user_texts", "user_id"), ("user_texts", "user_id", "users", "id")] {
        let mut after = String::new();
        loop {
            let text = format!(
                "SELECT a.{id} AS id FROM {of} a WHERE a.instance_id = $1 AND a.{id} > $2 AND NOT EXISTS
                 (SELECT 1 FROM {other} b WHERE b.instance_id = $1 AND b.{other_id} = a.{id}) ORDER BY a.{id} LIMIT 1000"
            );
            let page: Vec<UserId> = db.all(sql!(text, instance, &after)).await?.iter().map(|row| row.id("id")).collect::<Result<_, _>>()?;
            let Some(last) = page.last() else { break };
            after = last.as_str().to_owned();
            let mut tx = db.begin().await?;
            for user in &page {
                tx.searchable(instance, user);
            }
            tx.commit().await?;
        }
    }
    Ok(())
}

/// Removes what is kept of an instance that is not there: of a move which came to no end.
///
/// # Errors
/// Failures of the database.
pub async fn clear(db: &Db, instance: &InstanceId) -> Result<(), StoreError> {
    for (table, key) in [("user_terms", "term, user_id"), ("user_texts", "user_id"), ("user_counts", "slot")] {
        let text = format!(
            "DELETE FROM {table} WHERE instance_id = $1 AND ({key}) IN (SELECT {key} FROM {table} WHERE instance_id = $1 LIMIT 1000)"
        );
        while db.exec(sql!(text.clone(), instance)).await? > 0 {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use std::path::Path;

    #[tokio::test]
    async fn rows_are_removed_and_found_by_their_key() {
        let (_directory, db) = plan::database().await;
        let rows = "DELETE FROM user_terms WHERE instance_id = $1 AND (term, user_id) IN (VALUES ($2, $3), ($4, $5))";
        let steps = plan::steps(&db, sql!(rows, "ins_1", vec![1_u8], "a", vec![2_u8], "b")).await;
        assert!(
            steps.iter().any(|step| step.contains("SEARCH user_terms USING PRIMARY KEY (instance_id=? AND term=? AND user_id=?)")),
            "{steps:?}"
        );
    }

    /// What is written to these tables shows in what users are found by.
    #[test]
    fn whatever_changes_a_text_says_so_to_its_transaction() {
        let mut seen = 0;
        for file in ["users/mod.rs", "users/emails.rs", "users/phones.rs", "users/wallets.rs", "external_accounts.rs", "images.rs"] {
            let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap();
            for function in source.split("async fn ").skip(1) {
                let writes = |table: &str| ["INSERT INTO", "DELETE FROM"].iter().any(|how| function.contains(&format!("{how} {table} ")));
                let texts = ["username =", "first_name =", "last_name =", "external_id ="];
                let profile = function.contains(&format!("UPDATE {} SET", "users")) && texts.iter().any(|column| function.contains(column));
                if ["users", "email_addresses", "phone_numbers", "web3_wallets"].iter().any(|table| writes(table)) || profile {
                    assert!(function.contains("tx.searchable("), "{file}: {function}");
                    seen += 1;
                }
            }
        }
        assert_eq!(seen, 9);
    }
}
