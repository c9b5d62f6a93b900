use super::Invitation;
use crate::endpoint::{endpoint, request};
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// Somebody who asked to be let in.
    WaitlistEntry {
        /// `waitlist_entry`.
        object: String,
        /// Its id.
        id: WaitlistEntryId,
        /// Who asked.
        email_address: String,
        /// `pending`, `invited`, `completed` or `rejected`.
        status: String,
        /// Always false: nothing is done to entries behind a caller's back.
        is_locked: bool,
        /// When they asked.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
        /// The invitation that was sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invitation: Option<Invitation>,
    }

    /// A page of the waitlist.
    WaitlistEntries {
        /// This page.
        data: Vec<WaitlistEntry>,
        /// How many there are in all.
        total_count: i64,
    }
}

/// What an entry is made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitlistFields {
    /// Who is to be on it.
    #[serde(default)]
    pub email_address: Option<String>,
    /// Whether a mail says so; it does unless this is false.
    #[serde(default)]
    pub notify: Option<bool>,
}

request! {
    /// Filters of the waitlist.
    ListWaitlistEntries {
        /// In this status.
        status: Option<String>,
        /// Found in the address or the id.
        query: Option<String>,
        /// `created_at`, `invited_at` or `email_address`, with `+` or `-` before it; `-created_at` by default. Of several the first one counts.
        #[schemars(extend("x-first-of-several" = true))]
        order_by: Option<String>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => WaitlistEntries; Backend GET "/v1/waitlist_entries" "ListWaitlistEntries";
    "Waitlist Entries", SecretKey, Backend, Bare; "List the waitlist."
}
request! {
    /// Puts an address on the waitlist.
    CreateWaitlistEntry {
        /// Who is to be on it.
        email_address: Option<String>,
        /// Whether a mail says so; it does unless this is false.
        notify: Option<bool>,
    } => WaitlistEntry; Backend POST "/v1/waitlist_entries" "CreateWaitlistEntry";
    "Waitlist Entries", SecretKey, Backend, Bare; "Put an address on the waitlist, or find it there."
}

/// Puts several addresses on the waitlist.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreateBulkWaitlistEntries {
    /// The entries, 50 at most.
    #[serde(default)]
    #[schemars(extend("x-whole-body" = true))]
    pub entries: Vec<WaitlistFields>,
}
endpoint!(CreateBulkWaitlistEntries => Vec<WaitlistEntry>; Backend POST "/v1/waitlist_entries/bulk" "CreateBulkWaitlistEntries";
    "Waitlist Entries", SecretKey, Backend, Bare; "Put several addresses on the waitlist, all of them or none.");

request! {
    /// Names an entry.
    DeleteWaitlistEntry {
        /// The entry.
        waitlist_entry_id: WaitlistEntryId,
    } => DeletedObject; Backend DELETE "/v1/waitlist_entries/{waitlist_entry_id}" "DeleteWaitlistEntry";
    "Waitlist Entries", SecretKey, Backend, Bare; "Remove an entry that waits."
}
request! {
    /// Invites who asked.
    InviteWaitlistEntry {
        /// The entry.
        waitlist_entry_id: WaitlistEntryId,
        /// Whether to invite an address that is invited already, or has an account.
        ignore_existing: Option<bool>,
    } => WaitlistEntry; Backend POST "/v1/waitlist_entries/{waitlist_entry_id}/invite" "InviteWaitlistEntry";
    "Waitlist Entries", SecretKey, Backend, Bare; "Invite who asked."
}
request! {
    /// Names an entry.
    RejectWaitlistEntry {
        /// The entry.
        waitlist_entry_id: WaitlistEntryId,
    } => WaitlistEntry; Backend POST "/v1/waitlist_entries/{waitlist_entry_id}/reject" "RejectWaitlistEntry";
    "Waitlist Entries", SecretKey, Backend, Bare; "Reject who asked."
}
