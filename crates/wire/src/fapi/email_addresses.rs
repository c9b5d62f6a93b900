use crate::endpoint::request;
use crate::resource::{DeletedObject, EmailAddress};
use doorward_base::IdentificationId;

request! {
    /// No parameters.
    ListMyEmailAddresses {} => Vec<EmailAddress>; Frontend GET "/v1/me/email_addresses" "getEmailAddresses";
    "Email Addresses", Session, Frontend, Bare; "List the signed-in user's addresses."
}
request! {
    /// Adds an address. It is the user's when it is proven.
    CreateMyEmailAddress {
        /// The address.
        email_address: Option<String>,
    } => EmailAddress; Frontend POST "/v1/me/email_addresses" "createEmailAddresses";
    "Email Addresses", Session, Send, WithClient; "Add an address."
}
request! {
    /// Names an address of the signed-in user.
    GetMyEmailAddress {
        /// The address.
        email_id: IdentificationId,
    } => EmailAddress; Frontend GET "/v1/me/email_addresses/{email_id}" "getEmailAddress";
    "Email Addresses", Session, Frontend, WithClient; "Get an address."
}
request! {
    /// Has a code or a link sent.
    PrepareMyEmailAddress {
        /// The address.
        email_id: IdentificationId,
        /// `email_code` or `email_link`.
        strategy: Option<String>,
        /// Where a link leads back to.
        redirect_url: Option<String>,
    } => EmailAddress; Frontend POST "/v1/me/email_addresses/{email_id}/prepare_verification" "sendVerificationEmail";
    "Email Addresses", Session, Send, WithClient; "Send a code or a link to an address."
}
request! {
    /// Proves an address.
    AttemptMyEmailAddress {
        /// The address.
        email_id: IdentificationId,
        /// The code that was sent.
        code: Option<String>,
    } => EmailAddress; Frontend POST "/v1/me/email_addresses/{email_id}/attempt_verification" "verifyEmailAddress";
    "Email Addresses", Session, Attempt, WithClient; "Prove an address by the code that was sent to it."
}
request! {
    /// Names an address of the signed-in user.
    DeleteMyEmailAddress {
        /// The address.
        email_id: IdentificationId,
    } => DeletedObject; Frontend DELETE "/v1/me/email_addresses/{email_id}" "DeleteEmailAddress";
    "Email Addresses", Session, Frontend, WithClient; "Remove an address."
}
