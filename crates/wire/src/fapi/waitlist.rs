use crate::endpoint::request;
use crate::resource::resource;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// That somebody is on the waitlist.
    JoinedWaitlist {
        /// `waitlist_entry`.
        object: String,
        /// The entry's id.
        id: WaitlistEntryId,
    }
}

request! {
    /// Asks to be let in.
    JoinWaitlist {
        /// Who asks.
        email_address: Option<String>,
    } => JoinedWaitlist; Frontend POST "/v1/waitlist" "joinWaitlist";
    "Waitlist", Client, Send, Bare; "Put an address on the waitlist."
}
