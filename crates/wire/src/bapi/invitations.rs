use super::List;
use crate::Object;
use crate::endpoint::{endpoint, request};
use crate::resource::resource;
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// An invitation to sign up.
    Invitation {
        /// `invitation`.
        object: String,
        /// Its id.
        id: InvitationId,
        /// Who is invited.
        email_address: String,
        /// What the user gets as public metadata.
        public_metadata: Object,
        /// Whether it was taken back.
        revoked: bool,
        /// `pending`, `accepted`, `revoked` or `expired`.
        status: String,
        /// Where a browser opens it; there once, when it is made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// Until when it is good.
        expires_at: Option<Timestamp>,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

/// What an invitation is made of.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationFields {
    /// Who is invited.
    #[serde(default)]
    pub email_address: Option<String>,
    /// What the user gets as public metadata.
    #[serde(default)]
    pub public_metadata: Option<Object>,
    /// Where the link leads, with the ticket in its query; the sign-up page when not said.
    #[serde(default)]
    pub redirect_url: Option<String>,
    /// Whether a mail is sent; it is unless this is false.
    #[serde(default)]
    pub notify: Option<bool>,
    /// Whether to invite an address that is invited already, or has an account.
    #[serde(default)]
    pub ignore_existing: Option<bool>,
    /// For how many days it is good, 1 to 365; 30 when not said.
    #[serde(default)]
    pub expires_in_days: Option<i64>,
    /// `invitation` or `waitlist_invitation`: the text of the mail.
    #[serde(default)]
    pub template_slug: Option<String>,
}

request! {
    /// Invites somebody.
    CreateInvitation {
        /// Who is invited.
        email_address: Option<String>,
        /// What the user gets as public metadata.
        public_metadata: Option<Object>,
        /// Where the link leads, with the ticket in its query; the sign-up page when not said.
        redirect_url: Option<String>,
        /// Whether a mail is sent; it is unless this is false.
        notify: Option<bool>,
        /// Whether to invite an address that is invited already, or has an account.
        ignore_existing: Option<bool>,
        /// For how many days it is good, 1 to 365; 30 when not said.
        expires_in_days: Option<i64>,
        /// `invitation` or `waitlist_invitation`: the text of the mail.
        template_slug: Option<String>,
    } => Invitation; Backend POST "/v1/invitations" "CreateInvitation";
    "Invitations", SecretKey, Invite, Bare; "Invite somebody by mail."
}

/// Invites several people.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CreateBulkInvitations {
    /// The invitations, 10 at most.
    #[serde(default)]
    #[schemars(extend("x-whole-body" = true))]
    pub invitations: Vec<InvitationFields>,
}
endpoint!(CreateBulkInvitations => Vec<Invitation>; Backend POST "/v1/invitations/bulk" "CreateBulkInvitations";
    "Invitations", SecretKey, InviteMany, Bare; "Invite several people by mail, all of them or none.");

request! {
    /// Filters of the list of invitations.
    ListInvitations {
        /// In this status; all but those that were taken back when not said.
        status: Option<String>,
        /// Found in the address or the id.
        query: Option<String>,
        /// `created_at`, `email_address` or `expires_at`, with `+` or `-` before it; `-created_at` by default. Of several the first one counts.
        #[schemars(extend("x-first-of-several" = true))]
        order_by: Option<String>,
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<Invitation>; Backend GET "/v1/invitations" "ListInvitations";
    "Invitations", SecretKey, Backend, Bare; "List invitations."
}
request! {
    /// Names an invitation.
    RevokeInvitation {
        /// The invitation.
        invitation_id: InvitationId,
    } => Invitation; Backend POST "/v1/invitations/{invitation_id}/revoke" "RevokeInvitation";
    "Invitations", SecretKey, Backend, Bare; "Take an invitation back."
}
