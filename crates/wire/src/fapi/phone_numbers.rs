use crate::endpoint::request;
use crate::resource::{DeletedObject, PhoneNumber};
use doorward_base::IdentificationId;

request! {
    /// No parameters.
    ListMyPhoneNumbers {} => Vec<PhoneNumber>; Frontend GET "/v1/me/phone_numbers" "getPhoneNumbers";
    "Phone Numbers", AnySession, Frontend, Bare; "List the signed-in user's phone numbers."
}
request! {
    /// Adds a number. It is the user's when it is proven.
    CreateMyPhoneNumber {
        /// The number, in the form of E.164.
        phone_number: Option<String>,
        /// Whether it is to be a second factor only, once it is proven.
        reserved_for_second_factor: Option<bool>,
    } => PhoneNumber; Frontend POST "/v1/me/phone_numbers" "postPhoneNumbers";
    "Phone Numbers", AnySession, Send, WithClient; "Add a phone number."
}
request! {
    /// Names a number of the signed-in user.
    GetMyPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
    } => PhoneNumber; Frontend GET "/v1/me/phone_numbers/{phone_number_id}" "ReadPhoneNumber";
    "Phone Numbers", AnySession, Frontend, WithClient; "Get a phone number."
}
request! {
    /// Says what a proven number is for.
    UpdateMyPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
        /// Whether it is kept for second factors.
        reserved_for_second_factor: Option<bool>,
        /// Whether it is the second factor that is offered first.
        default_second_factor: Option<bool>,
    } => PhoneNumber; Frontend PATCH "/v1/me/phone_numbers/{phone_number_id}" "UpdatePhoneNumber";
    "Phone Numbers", AnySession, Frontend, WithClient; "Make a phone number a second factor, or no longer one."
}
request! {
    /// Has a code sent.
    PrepareMyPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
        /// `phone_code`.
        strategy: Option<String>,
        /// `sms` or `whatsapp`.
        channel: Option<String>,
    } => PhoneNumber; Frontend POST "/v1/me/phone_numbers/{phone_number_id}/prepare_verification" "sendVerificationSMS";
    "Phone Numbers", AnySession, Send, WithClient; "Send a code to a phone number."
}
request! {
    /// Proves a number.
    AttemptMyPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
        /// The code that was sent.
        code: Option<String>,
    } => PhoneNumber; Frontend POST "/v1/me/phone_numbers/{phone_number_id}/attempt_verification" "verifyPhoneNumber";
    "Phone Numbers", AnySession, Attempt, WithClient; "Prove a phone number by the code that was sent to it."
}
request! {
    /// Names a number of the signed-in user.
    DeleteMyPhoneNumber {
        /// The number.
        phone_number_id: IdentificationId,
    } => DeletedObject; Frontend DELETE "/v1/me/phone_numbers/{phone_number_id}" "DeletePhoneNumber";
    "Phone Numbers", Session, Frontend, WithClient; "Remove a phone number."
}
