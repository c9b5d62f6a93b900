use crate::Raw;
use crate::endpoint::request;
use crate::resource::{Token, resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

resource! {
    /// What Android may do for an app (Digital Asset Links).
    AssetLink {
        /// `delegate_permission/common.handle_all_urls` and `delegate_permission/common.get_login_creds`.
        relation: Vec<String>,
        /// The app.
        target: AssetLinkTarget,
    }

    /// An Android app.
    AssetLinkTarget {
        /// `android_app`.
        namespace: String,
        /// The package.
        package_name: String,
        /// Of the certificates that sign it.
        sha256_cert_fingerprints: Vec<String>,
    }

    /// What Apple's systems may do for an app.
    AppleAppSiteAssociation {
        /// Passkeys and passwords.
        webcredentials: WebCredentials,
    }

    /// Apps that share passkeys and passwords with the site.
    WebCredentials {
        /// Their ids: team, a dot and the bundle.
        apps: Vec<String>,
    }

    /// Sites on which the same passkeys work (WebAuthn level 3, section 5.11).
    RelatedOrigins {
        /// Their origins.
        origins: Vec<String>,
    }
}

request! {
    /// No parameters.
    GetAssetLinks {} => Vec<AssetLink>; Frontend GET "/.well-known/assetlinks.json" "getAndroidAssetLinks";
    "Well Known", Public, Unlimited, Bare; "Which Android apps belong to the instance."
}
request! {
    /// No parameters.
    GetAppleAppSiteAssociation {} => AppleAppSiteAssociation;
    Frontend GET "/.well-known/apple-app-site-association" "getAppleAppSiteAssociation";
    "Well Known", Public, Unlimited, Bare; "Which apps of Apple's systems belong to the instance."
}
request! {
    /// No parameters.
    GetRelatedOrigins {} => RelatedOrigins; Frontend GET "/.well-known/webauthn" "getWebAuthnRelatedOrigins";
    "Well Known", Public, Unlimited, Bare; "On which sites the same passkeys work."
}
request! {
    /// Where to go.
    RedirectToUrl {
        /// Must lie on an allowed origin; the app's own page when there is none.
        redirect_url: Option<String>,
    } => Raw; Frontend GET "/v1/redirect" "redirectToUrl";
    "Redirect", Public, Frontend, Raw; "Go to a page of the app."
}
request! {
    /// Names a service.
    CreateServiceToken {
        /// The name of a template of tokens.
        service: Option<String>,
    } => Token; Frontend POST "/v1/me/tokens" "createServiceToken";
    "User", Session, Frontend, Bare; "Make a token for another service, by a template of the instance's settings."
}
