use super::ServerVerification;
use crate::endpoint::request;
use crate::resource::{DeletedObject, PhoneNumber};
use doorward_base::*;

request! {
    /// Adds a number to a user.
    CreatePhoneNumber {
        /// The user.
        user_id: Option<String>,
        /// The number, in the form of E.164.
        phone_number: Option<String>,
        /// Whether it counts as proven.
        verified: Option<bool>,
        /// Whether it becomes the primary one; the first one does anyhow.
        primary: Option<bool>,
        /// Whether it is kept for second factors; then it must be proven.
        reserved_for_second_factor: Option<bool>,
    } => PhoneNumber; Backend POST "/v1/phone_numbers" "CreatePhoneNumber";
    "Phone Numbers", SecretKey, Backend, Bare; "Add a phone number to a user."
}
request! {
    /// Names a number.
    GetPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
    } => PhoneNumber; Backend GET "/v1/phone_numbers/{phone_number_id}" "GetPhoneNumber";
    "Phone Numbers", SecretKey, Backend, Bare; "Get a phone number."
}
request! {
    /// Changes a number.
    UpdatePhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
        /// Whether it counts as proven.
        verified: Option<bool>,
        /// Whether it becomes the primary one.
        primary: Option<bool>,
        /// Whether it is kept for second factors; then it must be proven.
        reserved_for_second_factor: Option<bool>,
    } => PhoneNumber; Backend PATCH "/v1/phone_numbers/{phone_number_id}" "UpdatePhoneNumber";
    "Phone Numbers", SecretKey, Backend, Bare; "Change a phone number."
}
request! {
    /// Names a number.
    DeletePhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
    } => DeletedObject; Backend DELETE "/v1/phone_numbers/{phone_number_id}" "DeletePhoneNumber";
    "Phone Numbers", SecretKey, Backend, Bare; "Remove a phone number."
}
request! {
    /// Names a number.
    PreparePhoneNumberVerification {
        /// The number.
        phone_number_id: IdentificationId,
    } => ServerVerification; Backend POST "/v1/phone_numbers/{phone_number_id}/prepare_verification" "PreparePhoneNumberVerification";
    "Phone Numbers", SecretKey, Backend, Bare; "Send a code to a phone number."
}
request! {
    /// Brings the code that was sent.
    AttemptPhoneNumberVerification {
        /// The number.
        phone_number_id: IdentificationId,
        /// What the request for the code answered.
        verification_id: Option<String>,
        /// The code.
        code: Option<String>,
    } => ServerVerification; Backend POST "/v1/phone_numbers/{phone_number_id}/attempt_verification" "AttemptPhoneNumberVerification";
    "Phone Numbers", SecretKey, Backend, Bare; "Try the code that was sent to a phone number."
}
request! {
    /// Puts one number in the place of all that a user has.
    ReplaceUserPhoneNumber {
        /// The user.
        user_id: UserId,
        /// The number, in the form of E.164.
        phone_number: Option<String>,
        /// `verified` (the default), or `reserved` or `unverified` for one that is not proven.
        identification_status: Option<String>,
    } => PhoneNumber; Backend PUT "/v1/users/{user_id}/phone_number" "ReplaceUserPhoneNumber";
    "Phone Numbers", SecretKey, Backend, Bare; "Replace all phone numbers of a user by one."
}
