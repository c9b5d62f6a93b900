use crate::endpoint::request;
use crate::resource::{DeletedObject, EmailAddress, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A code that was sent to an address or a number for a server.
    ServerVerification {
        /// `verification_otp`.
        object: String,
        /// What the server names when it brings the code.
        id: VerificationId,
        /// `unverified`, `verified`, `failed` or `expired`.
        status: String,
        /// `email_code` or `phone_code`.
        strategy: String,
        /// How many codes were tried.
        attempts: Option<i64>,
        /// When the code ends.
        expire_at: Option<Timestamp>,
        /// `sms` or `whatsapp`; null for an address.
        channel: Option<String>,
    }
}

request! {
    /// Adds an address to a user.
    CreateEmailAddress {
        /// The user.
        user_id: Option<String>,
        /// The address.
        email_address: Option<String>,
        /// Whether it counts as proven.
        verified: Option<bool>,
        /// Whether it becomes the primary one; the first one does anyhow.
        primary: Option<bool>,
        /// Whether the primary address from before is told of it.
        notify_primary_email_address_changed: Option<bool>,
    } => EmailAddress; Backend POST "/v1/email_addresses" "CreateEmailAddress";
    "Email Addresses", SecretKey, Backend, Bare; "Add an address to a user."
}
request! {
    /// Names an address.
    GetEmailAddress {
        /// The address.
        email_address_id: IdentificationId,
    } => EmailAddress; Backend GET "/v1/email_addresses/{email_address_id}" "GetEmailAddress";
    "Email Addresses", SecretKey, Backend, Bare; "Get an address."
}
request! {
    /// Changes an address.
    UpdateEmailAddress {
        /// The address.
        email_address_id: IdentificationId,
        /// Whether it counts as proven.
        verified: Option<bool>,
        /// Whether it becomes the primary one.
        primary: Option<bool>,
        /// Whether the primary address from before is told of it.
        notify_primary_email_address_changed: Option<bool>,
    } => EmailAddress; Backend PATCH "/v1/email_addresses/{email_address_id}" "UpdateEmailAddress";
    "Email Addresses", SecretKey, Backend, Bare; "Change an address."
}
request! {
    /// Names an address.
    DeleteEmailAddress {
        /// The address.
        email_address_id: IdentificationId,
    } => DeletedObject; Backend DELETE "/v1/email_addresses/{email_address_id}" "DeleteEmailAddress";
    "Email Addresses", SecretKey, Backend, Bare; "Remove an address."
}
request! {
    /// Names an address.
    PrepareEmailAddressVerification {
        /// The address.
        email_address_id: IdentificationId,
    } => ServerVerification; Backend POST "/v1/email_addresses/{email_address_id}/prepare_verification" "PrepareEmailAddressVerification";
    "Email Addresses", SecretKey, Backend, Bare; "Send a code to an address."
}
request! {
    /// Brings the code that was sent.
    AttemptEmailAddressVerification {
        /// The address.
        email_address_id: IdentificationId,
        /// What the request for the code answered.
        verification_id: Option<String>,
        /// The code.
        code: Option<String>,
    } => ServerVerification; Backend POST "/v1/email_addresses/{email_address_id}/attempt_verification" "AttemptEmailAddressVerification";
    "Email Addresses", SecretKey, Backend, Bare; "Try the code that was sent to an address."
}
request! {
    /// Puts one address in the place of all that a user has.
    ReplaceUserEmailAddress {
        /// The user.
        user_id: UserId,
        /// The address.
        email_address: Option<String>,
        /// `verified` (the default), or `reserved` or `unverified` for one that is not proven.
        identification_status: Option<String>,
        /// Whether the primary address from before is told of it.
        notify_primary_email_address_changed: Option<bool>,
    } => EmailAddress; Backend PUT "/v1/users/{user_id}/email_address" "ReplaceUserEmailAddress";
    "Email Addresses", SecretKey, Backend, Bare; "Replace all addresses of a user by one."
}
