use serde::Serialize;

/// One entry of the list of public error codes: what a caller may learn of a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The code on the wire.
    pub code: &'static str,
    /// The HTTP status that goes with it.
    pub status: u16,
    /// A few words for a developer.
    pub message: &'static str,
    /// A sentence that an app may show to a person. `{param}` stands for the parameter's name.
    pub long_message: &'static str,
}

/// The machine-readable rest of an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ErrorMeta {
    /// The parameter at fault, in snake case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub param_name: Option<String>,
    /// The session that the caller is signed in with already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Seconds until a locked account opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockout_expires_in_seconds: Option<i64>,
    /// How to choose a stronger password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zxcvbn: Option<AdviceList>,
}

/// Advice on a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AdviceList {
    /// What would make it harder to guess.
    pub suggestions: Vec<Advice>,
}

/// One piece of advice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What the official SDKs translate it by, such as `anotherWord`.
    pub code: String,
    /// The same in English.
    pub message: String,
}

impl ErrorMeta {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A failure as the caller sees it. The cause that an operator needs stays beside it and is logged, never sent.
#[derive(Clone, Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    code: &'static Code,
    message: Option<String>,
    long_message: Option<String>,
    meta: ErrorMeta,
    retry_after: Option<u64>,
    cause: Option<String>,
}

impl ApiError {
    /// The error of `code`, with its own texts.
    pub fn new(code: &'static Code) -> Self {
        Self(Box::new(Inner { code, message: None, long_message: None, meta: ErrorMeta::default(), retry_after: None, cause: None }))
    }

    /// A failure of ours: the caller learns only that there was one.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        let mut error = Self::new(codes::INTERNAL_ERROR);
        error.0.cause = Some(cause.to_string());
        error
    }

    /// `kind` (such as "User") was not found by `id`.
    pub fn not_found(kind: &str, id: impl std::fmt::Display) -> Self {
        let mut error = Self::new(codes::RESOURCE_NOT_FOUND);
        error.0.message = Some(format!("{kind} not found"));
        error.0.long_message = Some(format!("No {} was found with id {id}", kind.to_lowercase()));
        error
    }

    /// Names the parameter at fault.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>) -> Self {
        self.0.meta.param_name = Some(name.into());
        self
    }

    /// Replaces the long message.
    #[must_use]
    pub fn long(mut self, text: impl Into<String>) -> Self {
        self.0.long_message = Some(text.into());
        self
    }

    /// Adds the session that is in the way.
    #[must_use]
    pub fn session(mut self, id: &crate::SessionId) -> Self {
        self.0.meta.session_id = Some(id.as_str().to_owned());
        self
    }

    /// Says when the account opens again.
    #[must_use]
    pub fn lockout(mut self, seconds: i64) -> Self {
        self.0.meta.lockout_expires_in_seconds = Some(seconds);
        self
    }

    /// Adds advice on the password.
    #[must_use]
    pub fn advice(mut self, list: AdviceList) -> Self {
        self.0.meta.zxcvbn = Some(list);
        self
    }

    /// Says after how many seconds to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// The entry of the list.
    pub fn code(&self) -> &'static Code {
        self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.0.code.status
    }

    /// A few words for a developer.
    pub fn message(&self) -> &str {
        self.0.message.as_deref().unwrap_or(self.0.code.message)
    }

    /// A sentence for a person.
    pub fn long_message(&self) -> String {
        match &self.0.long_message {
            Some(text) => text.clone(),
            None => self.0.code.long_message.replace("{param}", self.0.meta.param_name.as_deref().unwrap_or("parameter")),
        }
    }

    /// The machine-readable rest.
    pub fn meta(&self) -> &ErrorMeta {
        &self.0.meta
    }

    /// Seconds for the `Retry-After` header.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// What an operator needs to know; never to be sent.
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.as_deref()
    }
}

impl std::fmt::Display for ApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({}): {}", self.0.code.code, self.0.code.status, self.long_message())
    }
}

impl std::error::Error for ApiError {}

impl From<&'static Code> for ApiError {
    fn from(code: &'static Code) -> Self {
        Self::new(code)
    }
}

macro_rules! list {
    ($($name:ident = $code:literal, $status:literal, $message:literal, $long:literal;)*) => {
        /// The list of public error codes.
        pub mod codes {
            use super::Code;
            $(
                #[doc = concat!("`", $code, "`, status ", stringify!($status), ": ", $message, ".")]
                pub static $name: &Code = &Code { code: $code, status: $status, message: $message, long_message: $long };
            )*
            /// All of them.
            pub static ALL: &[&Code] = &[$(&Code { code: $code, status: $status, message: $message, long_message: $long }),*];
        }
    };
}

list! {
    // Transport.
    BAD_REQUEST = "bad_request", 400, "Bad request", "The request could not be read.";
    REQUEST_BODY_INVALID = "request_body_invalid", 400, "Request body invalid", "The request body is not valid: it does not match its content type.";
    MALFORMED_REQUEST_PARAMETERS = "malformed_request_parameters", 400, "Malformed request parameters", "The query string or the body could not be read.";
    UNSUPPORTED_CONTENT_TYPE = "unsupported_content_type", 415, "Content type not supported", "Send application/json or application/x-www-form-urlencoded.";
    REQUEST_TOO_LARGE = "request_body_too_large", 413, "Request body too large", "The request body is larger than this server accepts.";
    ROUTE_NOT_FOUND = "resource_not_found", 404, "not found", "There is no such endpoint.";
    METHOD_NOT_ALLOWED = "method_not_allowed", 405, "Method not allowed", "This endpoint does not answer that method.";
    REQUEST_TIMEOUT = "request_timeout", 408, "Request timed out", "The request took too long.";
    SERVER_BUSY = "server_busy", 503, "Server busy", "The server is too busy to take this request. Try again shortly.";
    TOO_MANY_REQUESTS = "too_many_requests", 429, "Too many requests", "Too many requests, retry later";
    INTERNAL_ERROR = "internal_clerk_error", 500, "Oops, an unexpected error occurred", "There was an internal error on the server. It has been logged under the trace id of this answer.";
    API_VERSION_INVALID = "api_version_invalid", 400, "API version invalid", "This API version is not known, or it was given both as a header and in the query.";

    // Who is asking.
    HOST_INVALID = "host_invalid", 400, "Invalid host", "We were unable to attribute this request to an instance of this server. Make sure that your publishable key and proxy URL are right.";
    ORIGIN_INVALID = "origin_invalid", 400, "Invalid HTTP Origin header", "The Origin header is not one of the origins that this instance allows.";
    ORIGIN_MISSING = "origin_missing", 400, "Origin header missing", "A request that changes something must carry the Origin header, as browsers send it, or the Authorization header of a native app.";
    ORIGIN_AND_AUTHORIZATION = "origin_authorization_headers_conflict", 400, "Setting both the 'Origin' and 'Authorization' headers is forbidden", "Send the Origin header from browsers and the Authorization header from native apps, never both.";
    MULTIPLE_ORIGINS = "multiple_origin_header_values_forbidden", 400, "Multiple 'Origin' header values", "Send one Origin header at most.";
    PROXY_SECRET_MISSING = "proxy_request_missing_secret_key", 400, "Missing secret key", "A proxied request must carry the instance's secret key in the Clerk-Secret-Key header.";
    PROXY_SECRET_INVALID = "proxy_request_invalid_secret_key", 401, "Invalid secret key", "The secret key of the proxied request is not valid for this instance.";
    AUTHENTICATION_INVALID = "authentication_invalid", 401, "Invalid authentication", "Unable to authenticate the request, you need to supply an active session";
    AUTHORIZATION_FORMAT_INVALID = "authorization_header_format_invalid", 401, "Invalid Authorization header format", "The Authorization header must have the form Bearer <secret key>.";
    SECRET_KEY_INVALID = "clerk_key_invalid", 401, "The provided secret key is invalid", "The provided secret key is invalid. Make sure that it belongs to this instance and was not revoked.";
    SIGNED_OUT = "signed_out", 401, "Signed out", "You are signed out";
    DEV_BROWSER_UNAUTHENTICATED = "dev_browser_unauthenticated", 401, "Browser unauthenticated", "Unable to authenticate this browser for your development instance.";
    REQUEST_INVALID_FOR_ENVIRONMENT = "request_invalid_for_environment", 400, "Request is invalid for the instance's environment", "This request is not possible for an instance of this environment type.";
    CLIENT_NOT_FOUND = "client_not_found", 400, "Client not found", "No client was found for this request.";
    RESOURCE_FORBIDDEN = "resource_forbidden", 403, "forbidden", "This resource does not belong to the caller, or is no longer current.";
    INVALID_HANDSHAKE = "invalid_handshake", 400, "invalid handshake", "The handshake request is not valid.";
    INVALID_REDIRECT_URL = "invalid_redirect_url", 422, "is invalid", "{param} must be an http or https URL.";
    REDIRECT_URL_MISMATCH = "redirect_url_domain_mismatch", 422, "is not allowed", "{param} does not lie on an origin that this instance allows.";

    // What was found.
    RESOURCE_NOT_FOUND = "resource_not_found", 404, "not found", "The resource was not found.";

    CONFLICT = "conflict", 409, "Conflict", "Others kept changing the same resource at the same time. Try again.";
    DUPLICATE_RECORD = "duplicate_record", 400, "duplicate record", "There is one for this {param} already.";
    BULK_SIZE_EXCEEDED = "bulk_size_exceeded", 400, "bulk size exceeded", "{param} has more entries than one request may have.";

    // Parameters.
    FORM_PARAM_MISSING = "form_param_missing", 422, "is missing", "{param} must be included.";
    IMAGE_FILE_MISSING = "form_param_missing", 400, "Image file missing", "{param} must hold a picture.";
    IMAGE_NOT_FOUND = "image_not_found", 404, "Image not found", "There is no such picture.";
    FORM_PARAM_NIL = "form_param_nil", 422, "is missing", "Enter {param}.";
    FORM_PARAM_UNKNOWN = "form_param_unknown", 422, "is unknown", "{param} is not a valid parameter for this request.";
    FORM_PARAM_TYPE_INVALID = "form_param_type_invalid", 422, "is invalid", "{param} has the wrong type.";
    FORM_PARAM_FORMAT_INVALID = "form_param_format_invalid", 422, "is invalid", "{param} has the wrong format.";
    FORM_PARAM_VALUE_INVALID = "form_param_value_invalid", 422, "is invalid", "{param} has a value that is not allowed.";
    FORM_PARAM_DUPLICATE = "form_param_duplicate", 422, "is duplicate", "{param} is included more than once.";
    FORM_PARAM_TOO_LONG = "form_param_max_length_exceeded", 422, "exceeds maximum length", "{param} is too long.";
    FORM_PARAM_TOO_LARGE = "form_param_exceeds_allowed_size", 422, "exceeds allowed size", "{param} is too large.";
    FORM_PARAM_ARRAY_TOO_LARGE = "form_param_array_size_exceeded", 422, "exceeds maximum size", "{param} has too many entries.";
    FORM_CONDITIONAL_PARAM_DISALLOWED = "form_conditional_param_disallowed", 422, "is not allowed", "{param} is not allowed here.";
    FORM_CONDITIONAL_PARAM_MISSING = "form_conditional_param_missing", 422, "is missing", "{param} is required here.";
    FORM_PARAM_INVALID_TIME = "form_param_invalid_time", 422, "invalid format", "{param} must be a time in RFC 3339 format.";
    FORM_DISALLOW_FUTURE_DATE = "form_disallow_future_date", 422, "Date values must not be in the future.", "{param} must not be in the future.";
    FORM_RESOURCE_MISSING = "form_resource_not_found", 422, "is missing", "The resource that {param} names was not found.";
    FORM_IDENTIFIER_NOT_FOUND = "form_identifier_not_found", 422, "Couldn't find your account.", "Couldn't find your account.";
    FORM_IDENTIFIER_EXISTS = "form_identifier_exists", 422, "already exists", "That {param} is taken. Please try another.";
    FORM_INVALID_ORIGIN = "form_invalid_origin", 422, "is invalid", "{param} must have the form scheme://host[:port].";
    HOME_URL_TAKEN = "home_url_taken", 422, "Domain already in use", "The domain is in use already.";
    OPERATION_NOT_ALLOWED_ON_PRIMARY_DOMAIN = "operation_not_allowed_on_primary_domain", 403, "operation not allowed", "The instance's own domain cannot be removed.";
    PRIMARY_DOMAIN_ALREADY_EXISTS = "primary_domain_already_exists", 422, "primary domain already exists", "An instance has one domain of its own; all others are satellites.";
    SYNC_NONCE_ALREADY_CONSUMED = "sync_nonce_already_consumed", 403, "sync nonce already consumed", "The link is unknown, was used before, has expired or was made for another browser.";
    DOMAIN_UPDATE_FORBIDDEN = "domain_update_forbidden", 400, "Domain update was forbidden", "Only production instances can be moved to another domain or put behind a proxy by a request.";
    INVALID_PROXY_CONFIGURATION = "invalid_proxy_configuration", 422, "Invalid proxy configuration", "The proxy does not reach the Frontend API of this instance, or says another address of itself.";
    INVALID_TEMPLATE_BODY = "invalid_template_body", 422, "Invalid template body", "{param} is not a template that works.";
    REQUIRED_VARIABLE_MISSING = "required_variable_missing", 422, "Required variable missing", "{param} does not show the value that it must.";
    TEMPLATE_TYPE_UNSUPPORTED = "template_type_unsupported", 400, "Template type not supported", "Templates are of the types email and sms.";
    TEMPLATE_REVERT_ERROR = "template_revert_error", 400, "Template revert restricted", "The template is the server's own already.";
    FORM_ALREADY_EXISTS = "form_already_exists", 422, "already exists", "{param} is taken.";
    JWT_TEMPLATE_RESERVED_CLAIM = "jwt_template_reserved_claim", 400, "reserved claim used", "{param} has a claim that is reserved.";
    FORM_PASSWORD_INCORRECT = "form_password_incorrect", 422, "Password is incorrect. Try again, or use another method.", "Password is incorrect. Try again, or use another method.";
    FORM_PASSWORD_OR_IDENTIFIER_INCORRECT = "form_password_or_identifier_incorrect", 422, "Password or identifier is incorrect", "Password or identifier is incorrect. Try again, or use another method.";
    FORM_PASSWORD_VALIDATION_FAILED = "form_password_validation_failed", 422, "Incorrect password. Please try again.", "Incorrect password. Please try again.";
    FORM_PASSWORD_TOO_SHORT = "form_password_length_too_short", 422, "Password is too short.", "Passwords must be longer.";
    FORM_PASSWORD_TOO_LONG = "form_password_length_too_long", 422, "Password is too long.", "Passwords must be shorter.";
    FORM_PASSWORD_SIZE = "form_password_size_in_bytes_exceeded", 422, "Password has too many bytes.", "Your password has more bytes than can be kept. Shorten it or use fewer special characters.";
    FORM_PASSWORD_NO_LOWERCASE = "form_password_no_lowercase", 422, "Passwords must contain at least one lowercase character.", "Passwords must contain at least one lowercase character.";
    FORM_PASSWORD_NO_UPPERCASE = "form_password_no_uppercase", 422, "Passwords must contain at least one uppercase character.", "Passwords must contain at least one uppercase character.";
    FORM_PASSWORD_NO_NUMBER = "form_password_no_number", 422, "Passwords must contain at least one number.", "Passwords must contain at least one number.";
    FORM_PASSWORD_NO_SPECIAL = "form_password_no_special_char", 422, "Passwords must contain at least one special character.", "Passwords must contain at least one special character.";
    FORM_PASSWORD_NOT_STRONG_ENOUGH = "form_password_not_strong_enough", 422, "Given password is not strong enough.", "This password is too easy to guess. Choose a longer or less common one.";
    FORM_PASSWORD_PWNED = "form_password_pwned", 422, "Password is known from a breach.", "This password was found in a breach of another service. Choose a different one.";
    FORM_PASSWORD_DIGEST_INVALID = "form_password_digest_invalid_code", 422, "is invalid", "{param} is not a digest of that hasher, or costs more to verify than this server allows.";
    FORM_NEW_PASSWORD_MATCHES = "form_new_password_matches_current", 422, "New password matches the current one", "The new password must differ from the current one.";
    FORM_CODE_INCORRECT = "form_code_incorrect", 422, "is incorrect", "Incorrect code";
    FORM_INCORRECT_SIGNATURE = "form_incorrect_signature", 422, "is incorrect", "The signature is not one of this wallet.";
    FORM_USERNAME_LENGTH = "form_username_invalid_length", 422, "is invalid", "The username has the wrong length.";
    FORM_USERNAME_CHARACTER = "form_username_invalid_character", 422, "is invalid", "Usernames contain letters, digits, underscores and hyphens only.";
    FORM_USERNAME_NEEDS_LETTER = "form_username_needs_non_number_char", 422, "is invalid", "Usernames must contain a character that is not a digit.";
    FORM_DATA_MISSING = "form_data_missing", 422, "missing data", "The request does not have all the data that this instance's settings require.";
    LEGAL_NOT_ACCEPTED = "legal_not_accepted", 422, "Legal terms not accepted", "The legal terms must be accepted.";

    // Captchas.
    CAPTCHA_INVALID = "captcha_invalid", 400, "Captcha invalid", "The captcha was not passed. Please try again.";
    CAPTCHA_MISSING_TOKEN = "captcha_missing_token", 400, "Captcha token missing", "This needs a captcha that was passed. Please try again.";
    CAPTCHA_NOT_ENABLED = "captcha_not_enabled", 400, "Captcha not enabled", "This instance asks for no captcha.";
    REQUIRES_CAPTCHA = "requires_captcha", 401, "Captcha required", "This needs a captcha to be passed first.";

    // Sign-in, sign-up and verification.
    SESSION_EXISTS = "session_exists", 400, "Session already exists", "You're already signed in.";
    IDENTIFIER_ALREADY_SIGNED_IN = "identifier_already_signed_in", 400, "You're already signed in", "You're already signed in";
    STRATEGY_FOR_USER_INVALID = "strategy_for_user_invalid", 400, "Invalid verification strategy", "The verification strategy is not valid for this account";
    CLIENT_STATE_INVALID = "client_state_invalid", 400, "Invalid action", "This attempt is not in a state that allows this action.";
    VERIFICATION_EXPIRED = "verification_expired", 400, "expired", "This verification has expired. You must create a new one.";
    VERIFICATION_FAILED = "verification_failed", 400, "failed", "Too many failed attempts. You have to try again with the same or another method.";
    VERIFICATION_ALREADY_VERIFIED = "verification_already_verified", 400, "already verified", "This verification has already been verified.";
    VERIFICATION_MISSING = "verification_missing", 400, "is missing", "There is no verification to attempt. Prepare one first.";
    VERIFICATION_NOT_SENT = "verification_not_sent", 400, "not sent", "The verification was not sent. Prepare it again.";
    VERIFICATION_STRATEGY_INVALID = "verification_strategy_invalid", 400, "has invalid strategy", "The verification does not have that strategy.";
    VERIFICATION_LINK_TOKEN_INVALID = "verification_link_token_invalid", 400, "invalid link token", "This link is not valid. Ask for another one.";
    VERIFICATION_CODE_TOO_MANY_REQUESTS = "verification_code_too_many_requests", 429, "Too many verification code requests", "Too many codes were asked for. Wait a little before you ask for another.";
    NO_PASSWORD_SET = "no_password_set", 400, "No password set", "This account has no password.";
    PASSWORD_REQUIRED = "password_required", 400, "Password required", "This account cannot be without a password.";
    INCORRECT_PASSWORD = "incorrect_password", 422, "incorrect password", "The password is not the user's.";
    NO_SECOND_FACTORS = "no_second_factors", 400, "No second factors", "This account has no second factor that could be used here.";
    SESSION_REVERIFICATION_REQUIRED = "session_reverification_required", 403, "Reverification required", "Prove once more who you are, then try again.";
    SESSION_REVERIFICATION_MISSING = "session_reverification_missing", 400, "is missing", "There is no reverification of this session. Begin one first.";
    INVALID_ACTION_FOR_SESSION_REVERIFICATION = "invalid_action_for_session_reverification", 400, "Invalid action", "The reverification is not in a state that allows this action.";
    SIGN_UP_IF_MISSING_TRANSFER = "sign_up_if_missing_transfer", 422, "Sign up to continue", "Nobody has this address or number yet, and it is proven: sign up to go on.";
    TICKET_INVALID = "ticket_invalid_code", 400, "ticket is invalid", "The ticket is unknown.";
    SIGN_IN_TOKEN_ALREADY_USED = "sign_in_token_already_used_code", 400, "sign in token has already been used", "This link was used before. Ask for a new one.";
    SIGN_IN_TOKEN_REVOKED = "sign_in_token_revoked_code", 400, "sign in token has been revoked", "This link was taken back. Ask for a new one.";
    SIGN_IN_TOKEN_CANNOT_BE_REVOKED = "sign_in_token_cannot_be_revoked_code", 400, "cannot revoke", "A sign-in token that was used or taken back cannot be revoked.";
    ACTOR_TOKEN_ALREADY_USED = "actor_token_already_used_code", 400, "actor token has already been used", "This actor token was used before.";
    ACTOR_TOKEN_REVOKED = "actor_token_revoked_code", 400, "actor token has been revoked", "This actor token was taken back.";
    ACTOR_TOKEN_CANNOT_BE_REVOKED = "actor_token_cannot_be_revoked_code", 400, "cannot revoke", "An actor token that was used or taken back cannot be revoked.";
    AGENT_TASK_ALREADY_USED = "agent_task_already_used_code", 400, "agent task has already been used", "This agent task was used before.";
    AGENT_TASK_REVOKED = "agent_task_revoked_code", 400, "agent task has been revoked", "This agent task was taken back.";
    AGENT_TASK_CANNOT_BE_REVOKED = "agent_task_cannot_be_revoked_code", 400, "cannot revoke", "An agent task that was used or taken back cannot be revoked.";
    INVITATION_ACCOUNT_EXISTS = "invitation_account_exists", 400, "account exists", "The invited address has an account already. Sign in instead.";
    INVITATION_ACCOUNT_NOT_EXISTS = "invitation_account_not_exists", 400, "identification not found", "The invited address has no account yet. Sign up instead.";
    INVITATION_ALREADY_ACCEPTED = "invitation_already_accepted", 400, "Invitation is already accepted, try signing in instead.", "This invitation was accepted already. Sign in instead.";
    INVITATION_ALREADY_REVOKED = "invitation_already_revoked", 400, "Invitation is already revoked.", "This invitation was taken back already.";
    INVITATION_REVOKED = "revoked_invitation", 400, "The invitation was revoked.", "This invitation was taken back.";
    INVITATIONS_NOT_SUPPORTED = "invitations_not_supported", 400, "Invitations are only supported on instances that accept email addresses.", "People are invited by e-mail, and this instance takes no e-mail addresses.";
    WAITLIST_CLOSED = "waitlist_not_accepting_entries", 403, "Waitlist not accepting entries", "This application has no waitlist at the moment.";
    SIGN_UP_CANNOT_BE_UPDATED = "sign_up_cannot_be_updated", 403, "Sign up cannot be updated", "A sign-up that is complete or was given up cannot be changed.";
    INVALID_URL_SCHEME = "invalid_url_scheme", 422, "Invalid URL scheme", "{param} has a scheme that is not allowed.";
    TICKET_EXPIRED = "ticket_expired_code", 400, "ticket has expired", "The ticket has expired. Ask for a new one.";
    TOO_MANY_UNVERIFIED_IDENTIFICATIONS = "too_many_unverified_identifications", 400, "too many unverified contacts", "Too many addresses wait for their proof. Prove or remove one first.";
    USER_DELETE_SELF_NOT_ENABLED = "user_delete_self_not_enabled", 403, "delete self not enabled", "This account cannot be deleted by its user.";
    TOTP_ALREADY_ENABLED = "totp_already_enabled", 400, "TOTP already enabled", "An authenticator app is enrolled already. Remove it before you enrol another.";
    TOTP_INCORRECT_CODE = "totp_incorrect_code", 422, "incorrect TOTP", "{param} is neither a code of the user's authenticator app nor a backup code.";
    TOTP_DISABLED = "totp_disabled", 400, "TOTP is disabled", "The user has neither an authenticator app nor backup codes.";
    SECOND_FACTOR_CREATE_UNVERIFIED = "identification_create_second_factor_unverified", 400, "Create failed", "A phone number that is kept for second factors must be verified.";
    SECOND_FACTOR_UPDATE_UNVERIFIED = "identification_update_second_factor_unverified", 400, "Update failed", "A phone number that is kept for second factors must be verified.";
    INVALID_TOTP_SECRET = "invalid_totp_secret_code", 422, "invalid TOTP secret", "{param} must be the secret of an authenticator app in base32.";
    BACKUP_CODES_NOT_AVAILABLE = "backup_codes_not_available", 400, "Backup codes not available", "Backup codes are for accounts with a second factor.";
    FEATURE_NOT_ENABLED = "feature_not_enabled", 403, "Feature not enabled", "This feature is not enabled on this instance.";
    SESSION_CREATION_NOT_ALLOWED = "session_creation_not_allowed", 409, "Session creation not allowed", "This account has to set up a second step first, which this version of the app cannot do. Use a newer one.";
    ACCOUNT_TRANSFER_INVALID = "account_transfer_invalid", 400, "Invalid account transfer", "There is no account to transfer";
    SIGN_IN_USER_DELETED = "sign_in_identification_or_user_deleted", 400, "Sign in no longer possible", "The account of this sign-in no longer exists.";
    UNSUPPORTED_COUNTRY_CODE = "unsupported_country_code", 403, "Unsupported country code", "Phone numbers of this country are not supported.";
    IDENTIFICATION_UPDATE_FAILED = "identification_update_failed", 400, "Update failed", "This identifier is linked to a connected account. Remove that account first.";
    IDENTIFICATION_CLAIMED = "identification_claimed", 400, "Identification claimed by another user", "Another account has verified this identifier in the meantime.";
    EXTERNAL_ACCOUNT_NOT_FOUND = "external_account_not_found", 404, "Invalid external account", "The External Account was not found.";
    EXTERNAL_ACCOUNT_EXISTS = "external_account_exists", 400, "already exists", "This account at another provider belongs to a user already.";
    EXTERNAL_ACCOUNT_EMAIL_VERIFICATION_REQUIRED = "external_account_email_address_verification_required", 400, "Email address verification required", "An account with this e-mail address exists, and the provider has not verified the address. Sign in another way, and connect the provider then.";
    OAUTH_CALLBACK_INVALID = "oauth_callback_invalid", 400, "Invalid OAuth callback", "This answer of a provider was not asked for by this browser, or too long ago. Begin again.";
    MISCONFIGURED_OAUTH_PROVIDER = "misconfigured_oauth_provider", 400, "Misconfigured OAuth provider", "This provider is not set up right. Contact the owner of the application.";
    OAUTH_NON_AUTHENTICATABLE_PROVIDER = "oauth_non_authenticatable_provider", 400, "Provider not for authentication", "This provider connects to accounts; it does not sign in or up.";
    OAUTH_ACCESS_DENIED = "oauth_access_denied", 403, "Access denied", "You did not grant access to your account at the provider, or this account is not admitted.";
    OAUTH_ACCOUNT_ALREADY_CONNECTED = "oauth_account_already_connected", 400, "Already connected", "This account at the provider is connected already.";
    OAUTH_CONFIG_MISSING = "oauth_config_missing", 400, "OAuth configuration missing", "This provider has no client secret yet. Contact the owner of the application.";
    OAUTH_FETCH_USER_ERROR = "oauth_fetch_user_error", 400, "Fetch user error", "The provider did not say, or not credibly, whose account it is.";
    OAUTH_IDENTIFICATION_CLAIMED = "oauth_identification_claimed", 400, "Identification claimed by another user", "This account at the provider is connected to another user.";
    OAUTH_MISSING_ACCESS_TOKEN = "oauth_missing_access_token", 422, "Missing OAuth access token", "There is no access token for this account.";
    OAUTH_MISSING_REFRESH_TOKEN = "oauth_missing_refresh_token", 422, "Cannot refresh OAuth access token", "The access token has ended and cannot be renewed. The user has to connect the account again.";
    OAUTH_PROVIDER_NOT_ENABLED = "oauth_provider_not_enabled", 400, "OAuth provider not enabled", "This provider is not enabled on this instance.";
    OAUTH_TOKEN_EXCHANGE_ERROR = "oauth_token_exchange_error", 400, "Token exchange error", "The provider gave no tokens.";
    OAUTH_TOKEN_PROVIDER_NOT_ENABLED = "oauth_token_provider_not_enabled", 404, "OAuth provider not enabled", "This provider is not enabled on this instance.";
    OAUTH_TOKEN_RETRIEVAL_ERROR = "oauth_token_retrieval_error", 400, "Token retrieval failed", "The provider gave no new access token.";
    OAUTH_UNSUPPORTED_PROVIDER = "oauth_unsupported_provider", 400, "Unsupported OAuth provider", "There is no such provider.";
    SIGN_UP_MODE_RESTRICTED = "sign_up_mode_restricted", 403, "Sign up is restricted", "Sign-ups are closed for this application.";
    SIGN_UP_RESTRICTED_WAITLIST = "sign_up_restricted_waitlist", 403, "Sign-ups restricted with waitlist", "Sign-ups are by invitation for now. Join the waitlist.";
    ACCESS_NOT_ALLOWED = "not_allowed_access", 403, "Access not allowed.", "You do not have access to this application.";
    EMAIL_SUBADDRESS_NOT_ALLOWED = "not_allowed_access", 403, "Email subaddress not allowed.", "Addresses with +, = or # before the @ may not be used with this application.";
    EMAIL_DISPOSABLE_NOT_ALLOWED = "not_allowed_access", 403, "Access not allowed.", "Disposable addresses may not be used with this application.";
    SVIX_APP_MISSING = "svix_app_missing", 400, "No webhooks", "This instance does not use webhooks. Create the webhook app first.";
    QUOTA_EXCEEDED = "quota_exceeded", 403, "Quota exceeded", "There are as many as there may be.";
    PASSKEY_CREDENTIAL_INVALID = "passkey_invalid_public_key_credential", 422, "is invalid", "{param} could not be read.";
    PASSKEY_VERIFICATION_INVALID = "passkey_invalid_verification", 400, "invalid verification", "This passkey could not be registered.";
    PASSKEY_AUTHENTICATION_FAILURE = "passkey_authentication_failure", 400, "authentication failed", "This passkey does not sign you in.";
    PASSKEY_NOT_REGISTERED = "passkey_not_registered", 404, "not registered", "This passkey is not registered here, or was removed.";
    USER_LOCKED = "user_locked", 403, "Account locked", "Your account is locked.";
    USER_BANNED = "user_banned", 403, "User banned", "This account has been banned.";
    INVALID_ACTION_FOR_SESSION = "invalid_action_for_session", 400, "Invalid action", "This session is not in a state that allows this action.";

    // Session refresh (Backend API).
    REFRESH_TOKEN_NOT_FOUND = "refresh_token_not_found", 401, "Refresh token not found", "The refresh token is unknown, was used before or has expired.";
    REFRESH_SID_MISMATCH = "refresh_sid_mismatch", 401, "Session ID does not match the 'sid' claim", "The expired token belongs to another session.";
    REFRESH_ORIGIN_MISMATCH = "refresh_request_origin_azp_mismatch", 401, "Request origin does not match azp claim", "The request's origin is not the one that the expired token was made for.";
    SESSION_TOKEN_INVALID = "invalid_session_token", 400, "Invalid session token", "The token is not a valid one of this session.";
    REFRESH_SESSION_NOT_FOUND = "session_refresh_session_not_found", 401, "Session not found", "The session of the expired token does not exist.";
    REFRESH_SESSION_INACTIVE = "session_refresh_inactive_session", 401, "session inactive", "The session is no longer active.";
    REFRESH_TOKEN_TOO_OLD = "session_refresh_expired_session_token_too_old", 401, "session token too old", "The expired token is too old to be refreshed.";
    EXPIRED_TOKEN_INVALID = "expired_session_token_invalid", 401, "Invalid expired_token param", "expired_token is not a session token of this instance.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_named_in_the_sentence_and_in_meta() {
        let error = ApiError::new(codes::FORM_PARAM_MISSING).param("identifier");
        assert_eq!(error.long_message(), "identifier must be included.");
        assert_eq!(error.meta().param_name.as_deref(), Some("identifier"));
    }

    #[test]
    fn the_cause_of_an_internal_error_is_kept_apart() {
        let error = ApiError::internal("connection to 10.0.0.1 refused");
        assert!(!error.to_string().contains("10.0.0.1"));
        assert_eq!(error.cause(), Some("connection to 10.0.0.1 refused"));
    }
}
