use super::CaptchaAnswer;
use crate::Object;
use crate::endpoint::request;
use crate::resource::{Verification, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

resource! {
    /// How far the proof of one field of a sign-up is.
    SignUpVerification {
        /// `verification_otp`.
        object: String,
        /// `unverified`, `verified`, `failed` or `expired`.
        status: String,
        /// The strategy's name.
        strategy: Option<String>,
        /// Attempts so far.
        attempts: Option<i64>,
        /// When it stops being open.
        expire_at: Option<Timestamp>,
        /// `needs_prepare`, `needs_attempt` or empty.
        next_action: String,
        /// What the field can be proven by.
        supported_strategies: Vec<String>,
        /// What a code for a number goes by: `sms` or `whatsapp`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// The text that a wallet signs, where the SDKs of 2023 look for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nonce: Option<String>,
        /// The text that a wallet signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    }

    /// The proofs of a sign-up, by field.
    SignUpVerifications {
        /// Of the e-mail address.
        email_address: Option<SignUpVerification>,
        /// Of the phone number.
        phone_number: Option<SignUpVerification>,
        /// Of the wallet.
        web3_wallet: Option<SignUpVerification>,
        /// Of the account at another provider.
        external_account: Option<Verification>,
    }

    /// A sign-up attempt.
    SignUp {
        /// `sign_up_attempt`.
        object: String,
        /// The attempt's id.
        id: SignUpId,
        /// `missing_requirements`, `complete` or `abandoned`.
        status: String,
        /// Fields that the instance requires.
        required_fields: Vec<String>,
        /// Fields that it takes.
        optional_fields: Vec<String>,
        /// Required fields that are not there yet.
        missing_fields: Vec<String>,
        /// Fields that are not proven yet.
        unverified_fields: Vec<String>,
        /// The proofs.
        verifications: SignUpVerifications,
        /// The user name.
        username: Option<String>,
        /// The e-mail address.
        email_address: Option<String>,
        /// The phone number.
        phone_number: Option<String>,
        /// The wallet.
        web3_wallet: Option<String>,
        /// Whether a password was given.
        password_enabled: bool,
        /// The same, as the SDKs read it.
        has_password: bool,
        /// First name.
        first_name: Option<String>,
        /// Last name.
        last_name: Option<String>,
        /// The browser's metadata.
        unsafe_metadata: Object,
        /// What the user gets from the invitation.
        public_metadata: Object,
        /// What the app's server set.
        custom_action: bool,
        /// The app's own id, which the user gets.
        external_id: Option<String>,
        /// The session that this attempt made.
        created_session_id: Option<SessionId>,
        /// The user that this attempt made.
        created_user_id: Option<UserId>,
        /// When the attempt is given up.
        abandon_at: Timestamp,
        /// When the legal terms were accepted.
        legal_accepted_at: Option<Timestamp>,
        /// BCP 47 tag of the user's language.
        locale: Option<String>,
        /// Always null: there is no protection service.
        protect_check: Option<Value>,
    }
}

/// The fields that a sign-up takes, at its start and later.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct SignUpFields {
    /// The e-mail address.
    pub email_address: Option<String>,
    /// The phone number, in the form of E.164.
    pub phone_number: Option<String>,
    /// The address of a web3 wallet.
    pub web3_wallet: Option<String>,
    /// The user name.
    pub username: Option<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// Metadata that the browser may write. Replaces what was there.
    pub unsafe_metadata: Option<Object>,
    /// Whether the legal terms are accepted.
    pub legal_accepted: Option<bool>,
    /// BCP 47 tag of the user's language.
    pub locale: Option<String>,
    /// Names a strategy; `password` and those that prove a field need no naming.
    pub strategy: Option<String>,
    /// An invitation's ticket.
    pub ticket: Option<String>,
    /// Carries an identity over from a sign-in.
    pub transfer: Option<bool>,
    /// Where a provider leads back to.
    pub redirect_url: Option<String>,
    /// Where the browser goes when all is done at once.
    pub action_complete_redirect_url: Option<String>,
    /// The `prompt` of OpenID Connect.
    pub oidc_prompt: Option<String>,
    /// The `login_hint` of OpenID Connect.
    pub oidc_login_hint: Option<String>,
    /// With strategy `phone_code`: what its code will go by, `sms` or `whatsapp`.
    pub channel: Option<String>,
    /// An ID token, with strategies that bring one: `google_one_tap`, `oauth_token_<provider>`.
    pub token: Option<String>,
    /// With `oauth_token_apple` and no token: the code that Apple gave to the app.
    pub code: Option<String>,
    /// What came of a captcha.
    #[serde(flatten)]
    pub captcha: CaptchaAnswer,
}

macro_rules! sign_up_request {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* } => $($rest:tt)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What the user filled in.
            #[serde(flatten)]
            pub fields: SignUpFields,
        }
        crate::endpoint::endpoint!($name => $($rest)*);
    };
}

sign_up_request! {
    /// Starts a sign-up.
    CreateSignUp {} => SignUp; Frontend POST "/v1/client/sign_ups" "createSignUps";
    "Sign Ups", Client, SignUpCreate, WithClient; "Start a sign-up."
}
sign_up_request! {
    /// Adds to a sign-up.
    UpdateSignUp {
        /// The attempt.
        sign_up_id: SignUpId,
    } => SignUp; Frontend PATCH "/v1/client/sign_ups/{sign_up_id}" "updateSignUps";
    "Sign Ups", Client, SignUpCreate, WithClient; "Add fields to a sign-up."
}
sign_up_request! {
    /// Adds to the client's current sign-up.
    UpdateCurrentSignUp {} => SignUp; Frontend PATCH "/v1/client/sign_ups" "updateCurrentSignUp";
    "Sign Ups", Client, SignUpCreate, WithClient; "Add fields to the client's current sign-up."
}
request! {
    /// Names a sign-up of this client.
    GetSignUp {
        /// The attempt.
        sign_up_id: SignUpId,
    } => SignUp; Frontend GET "/v1/client/sign_ups/{sign_up_id}" "getSignUps";
    "Sign Ups", Client, Frontend, WithClient; "Get the current sign-up."
}
request! {
    /// Sends a code.
    PrepareVerification {
        /// The attempt.
        sign_up_id: SignUpId,
        /// `email_code`, `email_link`, `phone_code`, `oauth_<provider>` or one of a wallet, such as `web3_metamask_signature`.
        strategy: Option<String>,
        /// Where a link or a provider leads back to.
        redirect_url: Option<String>,
        /// Where the browser goes when all is done at once.
        action_complete_redirect_url: Option<String>,
        /// The `prompt` of OpenID Connect.
        oidc_prompt: Option<String>,
        /// The `login_hint` of OpenID Connect.
        oidc_login_hint: Option<String>,
        /// How a code to a phone travels: `sms` or `whatsapp`.
        channel: Option<String>,
    } => SignUp; Frontend POST "/v1/client/sign_ups/{sign_up_id}/prepare_verification" "prepareSignUpsVerification";
    "Sign Ups", Client, Send, WithClient; "Send the code that proves a field."
}
request! {
    /// Proves a field.
    AttemptVerification {
        /// The attempt.
        sign_up_id: SignUpId,
        /// The one that was prepared.
        strategy: Option<String>,
        /// The code that was sent.
        code: Option<String>,
        /// A wallet's signature of the text that it was shown.
        signature: Option<String>,
    } => SignUp; Frontend POST "/v1/client/sign_ups/{sign_up_id}/attempt_verification" "attemptSignUpsVerification";
    "Sign Ups", Client, Attempt, WithClient; "Prove a field with the code that was sent."
}
