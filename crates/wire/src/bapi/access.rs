use super::List;
use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// An entry of the allow list or the block list.
    AccessIdentifier {
        /// `allowlist_identifier` or `blocklist_identifier`.
        object: String,
        /// Its id.
        id: AccessIdentifierId,
        /// The invitation that was sent with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invitation_id: Option<String>,
        /// An address, a pattern of addresses, a number or a wallet.
        identifier: String,
        /// `email_address`, `phone_number` or `web3_wallet`.
        identifier_type: String,
        /// The instance.
        instance_id: InstanceId,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }

    /// The block list.
    BlocklistIdentifiers {
        /// All of it.
        data: Vec<AccessIdentifier>,
        /// How long it is.
        total_count: i64,
    }

    /// Which identifiers may be used.
    InstanceRestrictions {
        /// `instance_restrictions`.
        object: String,
        /// Whether only what is on the allow list may sign up.
        allowlist: bool,
        /// Whether nothing that is on the block list may.
        blocklist: bool,
        /// Whether both lists are for sign-up alone.
        allowlist_blocklist_disabled_on_sign_in: bool,
        /// Whether addresses with `+`, `=` or `#` before the `@` are refused.
        block_email_subaddresses: bool,
        /// Whether addresses for minutes are refused.
        block_disposable_email_domains: bool,
    }
}

request! {
    /// A page of the allow list; all of it when nothing is said.
    ListAllowlistIdentifiers {
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<AccessIdentifier>; Backend GET "/v1/allowlist_identifiers" "ListAllowlistIdentifiers";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "List who may sign up."
}
request! {
    /// Adds to the allow list.
    CreateAllowlistIdentifier {
        /// An address, `*@domain`, `*@*.domain`, a number or a wallet.
        identifier: Option<String>,
        /// Whether to invite the address, or tell the number, as well.
        notify: Option<bool>,
    } => AccessIdentifier; Backend POST "/v1/allowlist_identifiers" "CreateAllowlistIdentifier";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "Let somebody sign up."
}
request! {
    /// Names an entry.
    DeleteAllowlistIdentifier {
        /// The entry.
        identifier_id: AccessIdentifierId,
    } => DeletedObject; Backend DELETE "/v1/allowlist_identifiers/{identifier_id}" "DeleteAllowlistIdentifier";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "Remove an entry of the allow list."
}
request! {
    /// A page of the block list; all of it when nothing is said.
    ListBlocklistIdentifiers {
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => BlocklistIdentifiers; Backend GET "/v1/blocklist_identifiers" "ListBlocklistIdentifiers";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "List who may not sign up."
}
request! {
    /// Adds to the block list.
    CreateBlocklistIdentifier {
        /// An address, `*@domain`, `*@*.domain`, a number or a wallet.
        identifier: Option<String>,
    } => AccessIdentifier; Backend POST "/v1/blocklist_identifiers" "CreateBlocklistIdentifier";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "Keep somebody from signing up."
}
request! {
    /// Names an entry.
    DeleteBlocklistIdentifier {
        /// The entry.
        identifier_id: AccessIdentifierId,
    } => DeletedObject; Backend DELETE "/v1/blocklist_identifiers/{identifier_id}" "DeleteBlocklistIdentifier";
    "Allow-list / Block-list", SecretKey, Backend, Bare; "Remove an entry of the block list."
}
request! {
    /// Changes which identifiers may be used; what is not said stays.
    UpdateInstanceRestrictions {
        /// Whether only what is on the allow list may sign up.
        allowlist: Option<bool>,
        /// Whether nothing that is on the block list may.
        blocklist: Option<bool>,
        /// Whether both lists are for sign-up alone.
        allowlist_blocklist_disabled_on_sign_in: Option<bool>,
        /// Whether addresses with `+`, `=` or `#` before the `@` are refused.
        block_email_subaddresses: Option<bool>,
        /// Whether addresses for minutes are refused.
        block_disposable_email_domains: Option<bool>,
        /// Until 2025-03-12: whether dots before the `@` count for nothing. They do count, so that true is refused.
        ignore_dots_for_gmail_addresses: Option<bool>,
    } => InstanceRestrictions; Backend PATCH "/v1/instance/restrictions" "UpdateInstanceRestrictions";
    "Instance Settings", SecretKey, Backend, Bare; "Change which identifiers may be used."
}
