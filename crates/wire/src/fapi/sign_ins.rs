use super::CaptchaAnswer;
use crate::Raw;
use crate::endpoint::request;
use crate::resource::{Verification, resource};
use doorward_base::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

resource! {
    /// A way to prove who one is.
    #[derive(Default)]
    Factor {
        /// The strategy's name.
        strategy: String,
        /// The address a code goes to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email_address_id: Option<IdentificationId>,
        /// The same address, masked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        safe_identifier: Option<String>,
        /// Whether it is the user's primary one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        primary: Option<bool>,
        /// The number a code goes to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_number_id: Option<IdentificationId>,
        /// How the code travels: `sms` or `whatsapp`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<String>,
        /// The wallet that signs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        web3_wallet_id: Option<IdentificationId>,
        /// Whether it is the second factor that is offered first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        default: Option<bool>,
    }

    /// What a sign-in may show of the user before it is complete.
    SignInUserData {
        /// First name.
        first_name: Option<String>,
        /// Last name.
        last_name: Option<String>,
        /// Where the picture is.
        image_url: String,
        /// Whether the user chose a picture.
        has_image: bool,
        /// The older name of `image_url`.
        profile_image_url: String,
    }

    /// A sign-in attempt.
    SignIn {
        /// `sign_in_attempt`.
        object: String,
        /// The attempt's id.
        id: SignInId,
        /// `needs_identifier`, `needs_first_factor`, `needs_second_factor`, `needs_client_trust`, `needs_new_password` or `complete`.
        status: String,
        /// Kinds of identifier that the instance accepts.
        supported_identifiers: Vec<String>,
        /// What this user can do first.
        supported_first_factors: Option<Vec<Factor>>,
        /// What this user can do second.
        supported_second_factors: Option<Vec<Factor>>,
        /// How far the first factor is.
        first_factor_verification: Option<Verification>,
        /// How far the second factor is.
        second_factor_verification: Option<Verification>,
        /// What the user typed.
        identifier: Option<String>,
        /// What may be shown of the user.
        user_data: Option<SignInUserData>,
        /// The session that this attempt made.
        created_session_id: Option<SessionId>,
        /// When the attempt is given up.
        abandon_at: Timestamp,
        /// `pending`, `known` or `new`.
        client_trust_state: String,
        /// Always null: there is no protection service.
        protect_check: Option<Value>,
    }
}

request! {
    /// Starts a sign-in. With an identifier and a password it may be complete at once.
    CreateSignIn {
        /// E-mail address, phone number, user name or wallet. Sent empty where a wallet was not found.
        #[serde(default, deserialize_with = "crate::endpoint::present", skip_serializing_if = "Option::is_none")]
        identifier: Option<Option<String>>,
        /// A first factor's name, such as `password` or `email_code`, or `ticket`.
        strategy: Option<String>,
        /// The password, for a sign-in in one step.
        password: Option<String>,
        /// Where a link or a provider leads back to.
        redirect_url: Option<String>,
        /// Where the browser goes when all is done at once.
        action_complete_redirect_url: Option<String>,
        /// The `prompt` of OpenID Connect.
        oidc_prompt: Option<String>,
        /// The `login_hint` of OpenID Connect.
        oidc_login_hint: Option<String>,
        /// An ID token, with strategies that bring one: `google_one_tap`, `oauth_token_<provider>`.
        token: Option<String>,
        /// With `oauth_token_apple` and no token: the code that Apple gave to the app.
        code: Option<String>,
        /// A ticket, with strategy `ticket`: it names its user and works once.
        ticket: Option<String>,
        /// With strategy `trusted_device`: the device, which says who it is.
        trusted_device_id: Option<String>,
        /// With strategy `phone_code`: `sms` or `whatsapp`.
        channel: Option<String>,
        /// Carries an identity over from a sign-up.
        transfer: Option<bool>,
        /// Has whoever named an address or a number that nobody has prove it all the same: the first factor's verification is
        /// `transferable` then, and a sign-up with `transfer` goes on from there.
        sign_up_if_missing: Option<bool>,
        /// With `sign_up_if_missing`: what came of a captcha.
        #[serde(flatten)]
        captcha: CaptchaAnswer,
        /// BCP 47 tag of the browser's language.
        locale: Option<String>,
    } => SignIn; Frontend POST "/v1/client/sign_ins" "createSignIn";
    "Sign Ins", Client, SignInCreate, WithClient; "Start a sign-in."
}
request! {
    /// Names a sign-in of this client.
    GetSignIn {
        /// The attempt.
        sign_in_id: SignInId,
    } => SignIn; Frontend GET "/v1/client/sign_ins/{sign_in_id}" "getSignIn";
    "Sign Ins", Client, Frontend, WithClient; "Get the current sign-in."
}
request! {
    /// Sends a code.
    PrepareFirstFactor {
        /// The attempt.
        sign_in_id: SignInId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The address to send to.
        email_address_id: Option<String>,
        /// The number to send to.
        phone_number_id: Option<String>,
        /// The device that will sign.
        trusted_device_id: Option<String>,
        /// The wallet that will sign.
        web3_wallet_id: Option<String>,
        /// Where a link or a provider leads back to.
        redirect_url: Option<String>,
        /// Where the browser goes when all is done at once.
        action_complete_redirect_url: Option<String>,
        /// The `prompt` of OpenID Connect.
        oidc_prompt: Option<String>,
        /// The `login_hint` of OpenID Connect.
        oidc_login_hint: Option<String>,
        /// `sms` or `whatsapp`.
        channel: Option<String>,
    } => SignIn; Frontend POST "/v1/client/sign_ins/{sign_in_id}/prepare_first_factor" "prepareSignInFactorOne";
    "Sign Ins", Client, Send, WithClient; "Prepare the first factor, for example by sending a code."
}
request! {
    /// Proves the first factor.
    AttemptFirstFactor {
        /// The attempt.
        sign_in_id: SignInId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The code that was sent.
        code: Option<String>,
        /// The password; with a reset strategy, the new one.
        password: Option<String>,
        /// The signature of a wallet or a trusted device.
        signature: Option<String>,
        /// The device that signed.
        trusted_device_id: Option<String>,
        /// What the device signed.
        client_data: Option<String>,
        /// How: `ES256`.
        algorithm: Option<String>,
        /// A passkey's answer, as a JSON text.
        public_key_credential: Option<String>,
    } => SignIn; Frontend POST "/v1/client/sign_ins/{sign_in_id}/attempt_first_factor" "attemptSignInFactorOne";
    "Sign Ins", Client, Attempt, WithClient; "Prove the first factor."
}
request! {
    /// Sends a code for the second factor.
    PrepareSecondFactor {
        /// The attempt.
        sign_in_id: SignInId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The address to send to.
        email_address_id: Option<String>,
        /// The number to send to.
        phone_number_id: Option<String>,
        /// The wallet that will sign.
        web3_wallet_id: Option<String>,
        /// Where a link or a provider leads back to.
        redirect_url: Option<String>,
        /// `sms` or `whatsapp`.
        channel: Option<String>,
    } => SignIn; Frontend POST "/v1/client/sign_ins/{sign_in_id}/prepare_second_factor" "prepareSignInFactorTwo";
    "Sign Ins", Client, Send, WithClient; "Prepare the second factor."
}
request! {
    /// Proves the second factor.
    AttemptSecondFactor {
        /// The attempt.
        sign_in_id: SignInId,
        /// The strategy's name.
        strategy: Option<String>,
        /// The code.
        code: Option<String>,
        /// A passkey's answer, as a JSON text.
        public_key_credential: Option<String>,
    } => SignIn; Frontend POST "/v1/client/sign_ins/{sign_in_id}/attempt_second_factor" "attemptSignInFactorTwo";
    "Sign Ins", Client, Attempt, WithClient; "Prove the second factor."
}
request! {
    /// Sets the new password.
    ResetPassword {
        /// The attempt.
        sign_in_id: SignInId,
        /// The new password.
        password: Option<String>,
        /// Whether all other sessions of the user end; they do unless this is false.
        sign_out_of_other_sessions: Option<bool>,
    } => SignIn; Frontend POST "/v1/client/sign_ins/{sign_in_id}/reset_password" "resetPassword";
    "Sign Ins", Client, Attempt, WithClient; "Set a new password after its reset was proven."
}
request! {
    /// Opens a ticket.
    AcceptTicket {
        /// The ticket.
        ticket: Option<String>,
    } => Raw; Frontend GET "/v1/tickets/accept" "acceptTicket";
    "Sign Ins", Client, Arrive, Raw; "Go to the page that a ticket is for."
}
