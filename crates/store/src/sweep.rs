//! Deleting what nobody will ask for again.

use crate::db::{Db, StoreError};
use crate::sql;
use doorward_base::Timestamp;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// What is deleted how long after what.
#[derive(Debug)]
pub struct Rule {
    table: &'static str,
    /// The primary key, by which rows are deleted: with less of it the database would read the whole table.
    key: &'static str,
    /// Which rows may go; `$1` is `now` less `after`. An index must answer it.
    gone: &'static str,
    after: i64,
}

/// Attempts, verifications and tokens go a while after their end, for their counters are still asked; sessions a month
/// after their end and clients a quarter of a year after their last use, so that a list of either shows the recent ones.
pub const RULES: &[Rule] = &[
    Rule { table: "sign_ins", key: "instance_id, id", gone: "abandon_at < $1", after: DAY },
    Rule { table: "sign_ups", key: "instance_id, id", gone: "abandon_at < $1", after: DAY },
    Rule { table: "tickets", key: "instance_id, id", gone: "expire_at < $1", after: 30 * DAY },
    Rule { table: "reverifications", key: "instance_id, id", gone: "abandon_at < $1", after: DAY },
    Rule { table: "verifications", key: "instance_id, id", gone: "expire_at < $1", after: DAY },
    Rule { table: "one_time_tokens", key: "instance_id, kind, token_hash", gone: "expire_at < $1", after: HOUR },
    Rule { table: "refresh_tokens", key: "instance_id, token_hash", gone: "expire_at < $1", after: HOUR },
    Rule { table: "jobs", key: "id", gone: "created_at < $1 AND (done_at IS NOT NULL OR failed_at IS NOT NULL)", after: 7 * DAY },
    // Deliveries, which are as old as their events, go before them.
    Rule { table: "webhook_attempts", key: "instance_id, id", gone: "created_at < $1", after: 30 * DAY },
    Rule { table: "webhook_deliveries", key: "instance_id, endpoint_id, event_id", gone: "created_at < $1", after: 30 * DAY },
    Rule { table: "webhook_events", key: "instance_id, id", gone: "created_at < $1", after: 31 * DAY },
    Rule { table: "inbox_messages", key: "id", gone: "created_at < $1", after: 7 * DAY },
    Rule { table: "sessions", key: "instance_id, id", gone: "expire_at < $1", after: 30 * DAY },
    Rule { table: "sessions", key: "instance_id, id", gone: "status <> 'active' AND updated_at < $1", after: 30 * DAY },
    Rule {
        table: "clients",
        key: "instance_id, id",
        gone: "updated_at < $1 AND NOT EXISTS
            (SELECT 1 FROM sessions s WHERE s.instance_id = clients.instance_id AND s.client_id = clients.id)",
        after: 90 * DAY,
    },
    // Anybody can have one made.
    Rule {
        table: "clients",
        key: "instance_id, id",
        gone: "updated_at < $1 AND last_authentication_strategy IS NULL AND NOT EXISTS
            (SELECT 1 FROM sessions s WHERE s.instance_id = clients.instance_id AND s.client_id = clients.id)",
        after: 3 * DAY,
    },
    Rule {
        table: "dev_browsers",
        key: "instance_id, id",
        gone: "created_at < $1 AND NOT EXISTS
            (SELECT 1 FROM clients c WHERE c.instance_id = dev_browsers.instance_id AND c.id = dev_browsers.client_id)",
        after: 30 * DAY,
    },
];

impl Rule {
    fn text(&self) -> String {
        let Self { table, key, gone, .. } = self;
        format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {gone} LIMIT $2)")
    }

    /// Deletes `limit` rows at most and answers how many.
    pub async fn apply(&self, db: &Db, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        db.exec(sql!(self.text(), now - self.after, limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan;

    #[tokio::test]
    async fn no_rule_reads_a_whole_table() {
        let (_directory, db) = plan::database().await;
        for rule in RULES {
            let steps = plan::steps(&db, sql!(rule.text(), 1, 2)).await;
            assert!(steps.iter().any(|step| step.contains("USING")), "{rule:?}: {steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{rule:?}: {steps:?}");
        }
    }
}
