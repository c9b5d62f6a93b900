//! Lists of users: filters, orders, pages. How texts are searched for is in docs/adr/0031.

use super::filter::{TextIn, TimeColumn, TimeOp, UserFilter, UserOrder, escaped, pattern};
use super::search;
use super::terms::{self, MAX_TERM, Range};
use super::{UserWithEmails, push_in, user, with_emails};
use crate::db::{Db, Sql, StoreError};
use crate::sql;
use doorward_base::*;

/// As long as no more users than this may be meant they are looked at one by one; otherwise the list is walked in its order
/// until the page is full, which is soon.
const FEW: i64 = 10_000;

/// How the users are come by who are held against the filter.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// The filter names them.
    Named,
    /// Few have one of these terms.
    Terms(Vec<Range>),
    /// Few fulfil this condition, which has an index.
    Condition(Condition),
    /// All of them, in order.
    All,
}

/// A filter that an index answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Banned,
    Time(TimeColumn, TimeOp, Timestamp),
}

impl Condition {
    fn all(filter: &UserFilter) -> impl Iterator<Item = Self> {
        let banned = (filter.banned == Some(true)).then_some(Self::Banned);
        banned.into_iter().chain(filter.times.iter().map(|(column, operator, at)| Self::Time(*column, *operator, *at)))
    }

    fn push(self, sql: &mut Sql) {
        // Said twice: by the first the partial index may be used, by the second it is the narrowest of all.
        let Self::Time(column, operator, at) = self else { return sql.push(" AND u.banned AND u.banned = TRUE") };
        // As the indexes have them; who was never seen was not seen before a time either.
        let column = match column {
            TimeColumn::LastActiveAt => "COALESCE(u.last_active_at, -1)",
            TimeColumn::CreatedAt => "u.created_at",
            TimeColumn::LastSignInAt => "COALESCE(u.last_sign_in_at, -1)",
        };
        let operator = match operator {
            TimeOp::Before => "<",
            TimeOp::After => ">",
            TimeOp::Since => ">=",
        };
        let n = sql.value(at);
        sql.push(&format!(" AND {column} {operator} ${n} AND {column} >= 0"));
    }
}

async fn way(db: &Db, instance: &InstanceId, filter: &UserFilter) -> Result<Way, StoreError> {
    if filter.names_users() {
        return Ok(Way::Named);
    }
    let mut best = (FEW + 1, Way::All);
    for (scope, text) in &filter.found {
        let original = (*scope == TextIn::Any).then_some(text.as_str());
        for ranges in terms::ranges(&terms::normal(text), original) {
            let mut sql = sql!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM (", instance);
            some_terms(&mut sql, &ranges);
            let limit = sql.value(best.0);
            sql.push(&format!(" LIMIT ${limit}) few"));
            let n = counted(db, sql).await?;
            if n < best.0 {
                best = (n, Way::Terms(ranges));
            }
        }
    }
    for condition in Condition::all(filter) {
        let mut sql = sql!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM (SELECT u.id FROM users u WHERE u.instance_id = $1", instance);
        condition.push(&mut sql);
        let limit = sql.value(best.0);
        sql.push(&format!(" LIMIT ${limit}) few"));
        let n = counted(db, sql).await?;
        if n < best.0 {
            best = (n, Way::Condition(condition));
        }
    }
    Ok(best.1)
}

/// Selects the users of some terms, some of them more than once.
fn some_terms(sql: &mut Sql, ranges: &[Range]) {
    for (n, (from, to)) in ranges.iter().enumerate() {
        let (from, to) = (sql.value(from.clone()), sql.value(to.clone()));
        let union = if n == 0 { "" } else { " UNION ALL " };
        sql.push(&format!("{union}SELECT user_id FROM user_terms WHERE instance_id = $1 AND term >= ${from} AND term < ${to}"));
    }
}

/// The statement as far as its filters go. Who is few is picked first: walking the order's index until they are found would
/// cost more the more users there are.
fn filtered(select: &str, instance: &InstanceId, filter: &UserFilter, way: &Way) -> Sql {
    let mut sql = match way {
        Way::All => sql!(format!("SELECT {select} FROM users u WHERE u.instance_id = $1"), instance),
        _ => sql!("WITH picked AS MATERIALIZED (", instance),
    };
    match way {
        Way::All => push_filters(&mut sql, filter),
        Way::Named => {
            sql.push("SELECT u.id AS user_id FROM users u WHERE u.instance_id = $1");
            push_filters(&mut sql, filter);
        }
        Way::Terms(ranges) => some_terms(&mut sql, ranges),
        Way::Condition(condition) => {
            sql.push("SELECT u.id AS user_id FROM users u WHERE u.instance_id = $1");
            condition.push(&mut sql);
        }
    }
    if *way != Way::All {
        sql.push(&format!(
            ") SELECT {select} FROM (SELECT DISTINCT user_id FROM picked) p CROSS JOIN users u
            WHERE u.instance_id = $1 AND u.id = p.user_id"
        ));
    }
    if matches!(way, Way::Terms(_) | Way::Condition(_)) {
        push_filters(&mut sql, filter);
    }
    sql
}

fn push_filters(sql: &mut Sql, filter: &UserFilter) {
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
            push_in(sql, column, operator, values.iter().cloned());
        }
    }
    for (table, column, values) in [
        ("email_addresses", "address_key", &filter.address_keys),
        ("phone_numbers", "number", &filter.phone_numbers),
        ("web3_wallets", "address", &filter.wallets),
    ] {
        if !values.is_empty() {
            sql.push(&format!(" AND u.id IN (SELECT i.user_id FROM {table} i WHERE i.instance_id = $1"));
            push_in(sql, &format!("i.{column}"), "IN", values.iter().cloned());
            sql.push(")");
        }
    }
    if let Some((strategy, subjects)) = &filter.accounts {
        let n = sql.value(strategy);
        sql.push(&format!(
            " AND u.id IN (SELECT x.user_id FROM external_accounts x WHERE x.instance_id = $1 AND x.strategy = ${n} AND x.status = 'verified'"
        ));
        push_in(sql, "x.subject", "IN", subjects.iter().cloned());
        sql.push(")");
    }
    for (scope, text) in &filter.found {
        push_text(sql, *scope, text);
    }
    if filter.banned == Some(false) {
        sql.push(" AND NOT u.banned");
    }
    for condition in Condition::all(filter) {
        condition.push(sql);
    }
}

fn push_text(sql: &mut Sql, scope: TextIn, text: &str) {
    let lower = terms::normal(text);
    let n = sql.value(pattern(&lower));
    let like = |column: &str, n: usize| format!("t.{column} LIKE ${n} ESCAPE '\\'");
    let mut tests: Vec<String> = match scope {
        TextIn::Any => vec!["username", "name", "email_addresses", "phone_numbers", "web3_wallets"],
        TextIn::EmailAddress => vec!["email_addresses"],
        TextIn::PhoneNumber => vec!["phone_numbers"],
        TextIn::Username => vec!["username"],
        TextIn::Name => vec!["name"],
    }
    .into_iter()
    .map(|column| like(column, n))
    .collect();
    if scope == TextIn::Any {
        let n = sql.value(format!("{}%", escaped(&lower)));
        tests.push(like("external_id", n));
        if let Some(part) = terms::id_part(text) {
            let n = sql.value(format!("{}%", escaped(&[UserId::PREFIX, part].concat())));
            tests.push(like("user_id", n));
        }
    }
    // A subquery and no join: nobody is to think that it pays to read all texts first.
    let tests = tests.join(" OR ");
    sql.push(&format!(" AND (SELECT {tests} FROM user_texts t WHERE t.instance_id = $1 AND t.user_id = u.id)"));
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
    let way = way(db, instance, filter).await?;
    let sql = page(instance, filter, &way, (order, descending), limit, start);
    let users = db.all(sql).await?.iter().map(user).collect::<Result<_, _>>()?;
    with_emails(&mut db, instance, users).await
}

fn page(
    instance: &InstanceId,
    filter: &UserFilter,
    way: &Way,
    (order, descending): (UserOrder, bool),
    limit: i64,
    start: &PageStart,
) -> Sql {
    let mut sql = filtered("u.*", instance, filter, way);
    let key = order.key();
    let (direction, than) = if descending { ("DESC", "<") } else { ("ASC", ">") };
    if let PageStart::After(id) = start {
        let n = sql.value(id);
        let (key, of) = (order.key(), order.key().replace("u.", "a."));
        sql.push(&format!(" AND ({key}, u.id) {than} (SELECT {of}, a.id FROM users a WHERE a.instance_id = $1 AND a.id = ${n})"));
    }
    let limit = sql.value(limit);
    sql.push(&format!(" ORDER BY {key} {direction}, u.id {direction} LIMIT ${limit}"));
    if let PageStart::Offset(offset) = start {
        let n = sql.value(*offset);
        sql.push(&format!(" OFFSET ${n}"));
    }
    sql
}

/// How many users a filter lets through.
pub async fn count(db: &Db, instance: &InstanceId, filter: &UserFilter) -> Result<i64, StoreError> {
    if filter.is_empty() {
        return search::count(db, instance).await;
    }
    if filter.banned == Some(false) && (UserFilter { banned: None, ..filter.clone() }).is_empty() {
        let banned = UserFilter { banned: Some(true), ..UserFilter::default() };
        return Ok(search::count(db, instance).await? - counted(db, filtered(COUNT, instance, &banned, &Way::All)).await?);
    }
    if let [(TextIn::Any, text)] = filter.found.as_slice()
        && text.chars().count() <= MAX_TERM
        && (UserFilter { found: Vec::new(), ..filter.clone() }).is_empty()
    {
        // The terms say it all.
        let mut sql = sql!("SELECT CAST(COUNT(DISTINCT user_id) AS BIGINT) AS n FROM (", instance);
        let ranges = terms::ranges(&terms::normal(text), Some(text)).pop().unwrap_or_default();
        some_terms(&mut sql, &ranges);
        sql.push(") found");
        return counted(db, sql).await;
    }
    counted(db, filtered(COUNT, instance, filter, &way(db, instance, filter).await?)).await
}

const COUNT: &str = "CAST(COUNT(*) AS BIGINT) AS n";

async fn counted(db: &Db, sql: Sql) -> Result<i64, StoreError> {
    db.opt(sql).await?.map_or(Ok(0), |row| row.int("n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;
    use crate::users::{UserRecord, insert};

    fn one() -> Vec<String> {
        vec!["a".to_owned()]
    }

    #[tokio::test]
    async fn users_who_are_named_are_found_by_the_name_s_index_however_many_others_there_are() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        let accounts = Some(("oauth_google".to_owned(), one()));
        for (filter, index) in [
            (UserFilter { address_keys: one(), ..UserFilter::default() }, "email_addresses_key"),
            (UserFilter { phone_numbers: one(), ..UserFilter::default() }, "phone_numbers_number"),
            (UserFilter { wallets: one(), ..UserFilter::default() }, "web3_wallets_address"),
            (UserFilter { accounts, ..UserFilter::default() }, "external_accounts_subject_only"),
            (UserFilter { username_keys: one(), ..UserFilter::default() }, "users_username"),
            (UserFilter { external_ids: one(), ..UserFilter::default() }, "users_external_id"),
            (UserFilter { user_ids: one(), ..UserFilter::default() }, "sqlite_autoindex_users_1"),
        ] {
            let sql = page(&instance, &filter, &Way::Named, (UserOrder::CreatedAt, true), 10, &PageStart::Offset(0));
            let steps = plan::steps(&db, sql).await;
            assert!(steps.iter().any(|step| step.contains(index)), "{filter:?}: {steps:?}");
            assert!(!steps.iter().any(|step| step.contains("users_created_at") || step.starts_with("SCAN u")), "{filter:?}: {steps:?}");
        }
    }

    #[tokio::test]
    async fn every_order_is_walked_on_an_index_in_both_directions() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        for order in [
            UserOrder::CreatedAt,
            UserOrder::UpdatedAt,
            UserOrder::EmailAddress,
            UserOrder::PhoneNumber,
            UserOrder::Web3Wallet,
            UserOrder::FirstName,
            UserOrder::LastName,
            UserOrder::Username,
            UserOrder::LastSignInAt,
            UserOrder::LastActiveAt,
        ] {
            for descending in [false, true] {
                let sql = page(&instance, &UserFilter::default(), &Way::All, (order, descending), 10, &PageStart::Offset(0));
                let steps = plan::steps(&db, sql).await;
                assert!(steps.iter().any(|step| step.contains("USING INDEX users_")), "{order:?}: {steps:?}");
                assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{order:?}: {steps:?}");
            }
        }
    }

    #[tokio::test]
    async fn texts_are_searched_for_among_the_terms() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        let found = vec![(TextIn::EmailAddress, "ada".to_owned())];
        let filter = UserFilter { found, ..UserFilter::default() };
        let way = way(&db, &instance, &filter).await.unwrap();
        assert_eq!(way, Way::Terms(vec![(b"ada".to_vec(), b"ada\xff".to_vec())]));
        let sql = page(&instance, &filter, &way, (UserOrder::CreatedAt, true), 10, &PageStart::Offset(0));
        let steps = plan::steps(&db, sql).await;
        assert!(steps.iter().any(|step| step.contains("SEARCH user_terms USING PRIMARY KEY")), "{steps:?}");
        assert!(!steps.iter().any(|step| step.contains("users_created_at") || step.starts_with("SCAN u")), "{steps:?}");
    }

    #[tokio::test]
    async fn those_of_a_time_are_picked_by_its_index_whatever_the_order() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        let time = |column, operator| UserFilter { times: vec![(column, operator, 5)], ..UserFilter::default() };
        for (filter, index) in [
            (time(TimeColumn::CreatedAt, TimeOp::After), "users_created_at"),
            (time(TimeColumn::LastActiveAt, TimeOp::Since), "users_by_last_active_at"),
            (time(TimeColumn::LastSignInAt, TimeOp::Before), "users_by_last_sign_in_at"),
            (UserFilter { banned: Some(true), ..UserFilter::default() }, "users_banned"),
        ] {
            let way = way(&db, &instance, &filter).await.unwrap();
            assert!(matches!(way, Way::Condition(_)), "{way:?}");
            let steps = plan::steps(&db, page(&instance, &filter, &way, (UserOrder::FirstName, false), 10, &PageStart::Offset(0))).await;
            assert!(steps.iter().any(|step| step.contains(index)), "{filter:?}: {steps:?}");
            assert!(!steps.iter().any(|step| step.contains("users_by_first_name") || step.starts_with("SCAN u")), "{filter:?}: {steps:?}");
        }
    }

    #[tokio::test]
    async fn it_makes_no_difference_by_which_way_users_are_found() {
        let (_directory, db) = plan::database().await;
        let instance = InstanceId::from("ins_1".to_owned());
        let mut tx = db.begin().await.unwrap();
        for n in 0..40_i64 {
            let (at, id) = (n % 7, UserId::from(format!("user_{n}")));
            let username = (n % 3 == 0).then(|| format!("name{n}"));
            let user = UserRecord {
                id: id.clone(),
                username_key: username.clone(),
                username,
                first_name: (n % 2 == 0).then(|| "Ada".to_owned()),
                banned: n % 5 == 0,
                last_active_at: (n % 4 == 0).then_some(n),
                created_at: at,
                updated_at: at,
                ..UserRecord::default()
            };
            insert(&mut tx, &instance, &user).await.unwrap();
        }
        tx.commit().await.unwrap();
        let found = |scope, text: &str| UserFilter { found: vec![(scope, text.to_owned())], ..UserFilter::default() };
        let time = |column, operator, at| UserFilter { times: vec![(column, operator, at)], ..UserFilter::default() };
        let banned = UserFilter { banned: Some(true), ..UserFilter::default() };
        let seen = time(TimeColumn::LastActiveAt, TimeOp::Before, 30);
        for filter in [
            found(TextIn::Any, "a"),
            found(TextIn::Any, "name3"),
            found(TextIn::Name, "ada"),
            found(TextIn::Username, "ME1"),
            found(TextIn::Any, "%"),
            time(TimeColumn::CreatedAt, TimeOp::After, 3),
            time(TimeColumn::CreatedAt, TimeOp::Since, 9),
            UserFilter { banned: Some(true), ..seen.clone() },
            UserFilter { banned: Some(false), ..seen.clone() },
            UserFilter { found: found(TextIn::Name, "ada").found, ..banned.clone() },
            seen,
            banned,
        ] {
            let found = way(&db, &instance, &filter).await.unwrap();
            assert!(matches!(found, Way::Terms(_) | Way::Condition(_)), "{found:?}");
            for order in [UserOrder::CreatedAt, UserOrder::Username] {
                let ids = async |way: &Way| {
                    let sql = page(&instance, &filter, way, (order, true), 7, &PageStart::Offset(2));
                    db.all(sql).await.unwrap().iter().map(|row| row.text("id").unwrap()).collect::<Vec<_>>()
                };
                assert_eq!(ids(&found).await, ids(&Way::All).await, "{filter:?}");
            }
            let all = counted(&db, filtered(COUNT, &instance, &filter, &Way::All)).await.unwrap();
            assert_eq!(count(&db, &instance, &filter).await.unwrap(), all, "{filter:?}");
        }
        assert_eq!(count(&db, &instance, &UserFilter::default()).await.unwrap(), 40);
    }
}
