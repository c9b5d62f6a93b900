use super::List;
use crate::Object;
use crate::endpoint::request;
use crate::resource::{DeletedObject, resource};
use doorward_base::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// A template of tokens for another service.
    JwtTemplate {
        /// `jwt_template`.
        object: String,
        /// Its id.
        id: String,
        /// The name by which tokens are asked for.
        name: String,
        /// The claims. Strings may hold `{{user.id}}` and the like.
        claims: Object,
        /// Lifetime in seconds.
        lifetime: i64,
        /// How far clocks may be apart, in seconds.
        allowed_clock_skew: i64,
        /// Whether the tokens are signed with a key of their own, which is never answered.
        custom_signing_key: bool,
        /// The algorithm, such as `RS256`.
        signing_algorithm: String,
        /// When it was made.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

request! {
    /// Paging of the list of templates.
    ListJwtTemplates {
        /// Whether to answer with the total.
        paginated: Option<bool>,
        /// How many at most, 1 to 500; 10 by default.
        limit: Option<i64>,
        /// How many to skip.
        offset: Option<i64>,
    } => List<JwtTemplate>; Backend GET "/v1/jwt_templates" "ListJWTTemplates";
    "JWT Templates", SecretKey, Backend, Bare; "List templates of tokens by name."
}
request! {
    /// Makes a template.
    CreateJwtTemplate {
        /// The name by which tokens are asked for.
        name: Option<String>,
        /// The claims. Strings may hold `{{user.id}}` and the like; reserved names are refused.
        claims: Option<Object>,
        /// Lifetime in seconds, 30 to 315360000; 60 by default.
        lifetime: Option<i64>,
        /// How far clocks may be apart, 0 to 300 seconds; 5 by default.
        allowed_clock_skew: Option<i64>,
        /// Whether the tokens are signed with a key of their own.
        custom_signing_key: Option<bool>,
        /// `HS256`, `HS384`, `HS512`, `RS256`, `RS384`, `RS512`, `ES256`, `ES384`, `ES512` or `EdDSA`.
        signing_algorithm: Option<String>,
        /// The secret, or a private key in PEM.
        signing_key: Option<String>,
    } => JwtTemplate; Backend POST "/v1/jwt_templates" "CreateJWTTemplate";
    "JWT Templates", SecretKey, Backend, Bare; "Make a template of tokens."
}
request! {
    /// Names a template.
    GetJwtTemplate {
        /// The template.
        template_id: String,
    } => JwtTemplate; Backend GET "/v1/jwt_templates/{template_id}" "GetJWTTemplate";
    "JWT Templates", SecretKey, Backend, Bare; "Get a template of tokens."
}
request! {
    /// Changes a template. What is left out stays.
    UpdateJwtTemplate {
        /// The template.
        template_id: String,
        /// The name by which tokens are asked for.
        name: Option<String>,
        /// The claims.
        claims: Option<Object>,
        /// Lifetime in seconds.
        lifetime: Option<i64>,
        /// How far clocks may be apart, in seconds.
        allowed_clock_skew: Option<i64>,
        /// Whether the tokens are signed with a key of their own.
        custom_signing_key: Option<bool>,
        /// The algorithm of that key.
        signing_algorithm: Option<String>,
        /// That key; the one from before when it is left out.
        signing_key: Option<String>,
    } => JwtTemplate; Backend PATCH "/v1/jwt_templates/{template_id}" "UpdateJWTTemplate";
    "JWT Templates", SecretKey, Backend, Bare; "Change a template of tokens."
}
request! {
    /// Names a template.
    DeleteJwtTemplate {
        /// The template.
        template_id: String,
    } => DeletedObject; Backend DELETE "/v1/jwt_templates/{template_id}" "DeleteJWTTemplate";
    "JWT Templates", SecretKey, Backend, Bare; "Remove a template of tokens."
}
