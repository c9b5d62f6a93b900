//! What a transaction changes that others may want to hear of. The statements that change it say so themselves, so that no
//! caller can forget to.

use crate::db::{StoreError, Tx};
use doorward_base::*;
use std::future::Future;
use std::pin::Pin;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A user came to be.
    UserCreated(UserId),
    /// Something of a user changed: all that moves the user's `updated_at`, and all that is shown with a user.
    UserUpdated(UserId),
    /// A user signed in, and nothing else of the user changed.
    UserSignedIn(UserId),
    /// A user is gone, who had this id in the app.
    UserDeleted(UserId, Option<String>),
    /// A session came to be.
    SessionBegan(SessionId),
    /// A session was closed; its status says how.
    SessionClosed(SessionId),
    /// Somebody is on the waitlist.
    WaitlistEntryCreated(WaitlistEntryId),
    /// An entry of the waitlist moved on.
    WaitlistEntryUpdated(WaitlistEntryId),
    /// An event of something else was written already.
    EventWritten,
}

/// Writing under way: whether anybody is to be told.
pub type Telling<'a> = Pin<Box<dyn Future<Output = Result<bool, StoreError>> + Send + 'a>>;

/// Writes down what others are to be told, in the transaction that changes it.
pub trait Teller: Send + Sync {
    /// Called at the end of each transaction that changed something, before it is committed. When it fails, so does the
    /// transaction: there is no change that nobody hears of.
    fn tell<'a>(&'a self, tx: &'a mut Tx, changes: Vec<(InstanceId, Change)>) -> Telling<'a>;

    /// Called when that transaction is committed, and somebody is to be told.
    fn told(&self);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// What shows with a user, and sessions.
    const SHOWN: [&str; 8] =
        ["users", "email_addresses", "phone_numbers", "web3_wallets", "passkeys", "external_accounts", "sessions", "waitlist_entries"];

    /// What belongs to a user and does not show with it by itself.
    const HIDDEN: [&str; 5] = ["totps", "backup_codes", "tickets", "images", "trusted_devices"];

    /// What changes nothing of what is shown but counters and times of use, or is told of otherwise.
    const SILENT: [&str; 15] = [
        "acted_as",
        "take_guess",
        "clear_guesses",
        "give_back_guess",
        "put_off",
        "seen",
        "rehash",
        "used",
        "factors_checked",
        "without_backup_codes",
        "set_tokens",
        "claim_renewal",
        "release_renewal",
        "delete_unfinished",
        "settle_tasks",
    ];

    fn sources(at: &Path, out: &mut Vec<String>) {
        for entry in std::fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, out);
            } else if path.extension().is_some_and(|it| it == "rs") && !path.ends_with("changes.rs") {
                out.push(std::fs::read_to_string(&path).unwrap());
            }
        }
    }

    fn writes(text: &str) -> bool {
        SHOWN.iter().any(|table| {
            let forms = [format!("INSERT INTO {table} "), format!("UPDATE {table} SET"), format!("DELETE FROM {table} ")];
            forms.iter().any(|form| text.contains(form))
        })
    }

    #[test]
    fn whatever_changes_a_user_or_a_session_says_so_to_its_transaction() {
        let mut all = Vec::new();
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
        let mut seen = 0;
        let words = |text: &String| text.split_whitespace().collect::<Vec<_>>().join("");
        let deleted =
            all.iter().map(words).find_map(|text| text.split_once("[\"email_addresses\",\"phone_numbers\"").map(|it| it.1.to_owned()));
        for table in deleted.unwrap().split(']').next().unwrap().split('"').filter(|text| text.len() > 2) {
            assert!(SHOWN.contains(&table) || HIDDEN.contains(&table), "{table} belongs to users: say here whether it shows with them");
        }
        for source in &all {
            for function in source.split("async fn ").skip(1).filter(|text| writes(text)) {
                let name = function.split(['(', '<']).next().unwrap();
                let says = [".note(", "change(", "touch(", "closed(", "updated("].iter().any(|call| function.contains(call));
                // There is no event for an entry of the waitlist that is gone.
                let silent = SILENT.contains(&name) || (name == "delete" && function.contains("waitlist_entries"));
                assert!(says || silent, "{name} changes something that is shown and does not note it: see `Change`");
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
