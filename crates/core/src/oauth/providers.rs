//! The social providers, as data: one row each. What a row says is public knowledge about the provider; whether an
//! instance uses it, and as which client, is in its settings.

/// How a client shows the token endpoint who it is (RFC 6749, section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// In the form.
    Form,
    /// HTTP Basic.
    Basic,
    /// HTTP Basic, and the request is JSON.
    BasicJson,
    /// In the form; the secret is a token that is signed with the client's own key (Apple).
    SignedSecret,
}

/// Where the account is described.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// In the ID token alone.
    IdToken,
    /// At an address, asked with the access token.
    Get(&'static str),
    /// The same, asked with an empty POST.
    Post(&'static str),
    /// At an address that answers a GraphQL query.
    Graphql(&'static str, &'static str),
    /// At an address that is asked about the access token (RFC 7662).
    Introspect(&'static str),
    /// In the answer that brings the tokens.
    TokenAnswer,
    /// Where the provider's own document says: OpenID Connect Discovery.
    Discovered,
}

/// Who may have issued an ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Issuer {
    /// One of these, to the letter.
    OneOf(&'static [&'static str]),
    /// The Microsoft tenant that the token names, which is the one of the settings where they name one.
    MicrosoftTenant,
}

/// The ID tokens of a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IdTokens {
    pub issuer: Issuer,
    /// Where the keys are.
    pub keys: &'static str,
    /// Whether they repeat the nonce that was asked for.
    pub nonce: bool,
    /// Whether they may be signed with the client secret (HS256).
    pub by_secret: bool,
}

/// Whether the provider vouches for the address that it names. What is not listed here as true is not vouched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It does not say.
    Unknown,
    /// Where this claim is the JSON value true.
    Claim(&'static str),
    /// The same, or the text `true`: documented for this provider.
    ClaimOrText(&'static str),
    /// Microsoft names addresses that a tenant's administrator typed: only those of consumer accounts and of domains that
    /// the tenant has proven (`xms_edov`) count.
    Microsoft,
}

/// A second address that lists the account's e-mail addresses, with the paths in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EmailList {
    pub url: &'static str,
    /// The list; empty where the answer is the list.
    pub list: &'static str,
    pub email: &'static str,
    /// A flag; empty where the first entry is the primary one.
    pub primary: &'static str,
    /// A flag; empty where the provider does not say.
    pub verified: &'static str,
}

/// The paths at which the description has what, with dots between names. Empty for nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    pub subject: &'static str,
    pub email: &'static str,
    pub verified: Verified,
    pub name: &'static str,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub username: &'static str,
    pub picture: &'static str,
}

/// A provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    /// What its strategy is named by: `oauth_<key>`.
    pub key: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Where the browser goes. Empty where the settings or the provider's own document say.
    pub authorize: &'static str,
    /// Where codes become tokens. Empty as well.
    pub token: &'static str,
    /// Where tokens are given up (RFC 7009); empty where they cannot be.
    pub revoke: &'static str,
    /// The issuer whose document says the rest; empty where the rest is here.
    pub discovery: &'static str,
    /// Where the account is described.
    pub source: Source,
    /// Its ID tokens, if any.
    pub id_tokens: Option<IdTokens>,
    /// What is asked for by default.
    pub scopes: &'static [&'static str],
    /// What stands between scopes.
    pub separator: &'static str,
    /// Whether it checks proof keys (RFC 7636).
    pub pkce: bool,
    /// How the client shows who it is.
    pub auth: ClientAuth,
    /// What it calls the client's id.
    pub client_param: &'static str,
    /// What it wants to hear at the beginning, too.
    pub extra: &'static [(&'static str, &'static str)],
    /// Whether the answer comes as a form that the provider's page sends.
    pub form_post: bool,
    /// How the description reads.
    pub claims: Claims,
    /// Where the addresses are, if not in the description.
    pub emails: Option<EmailList>,
}

/// The claims of OpenID Connect Core, section 5.1.
const STANDARD: Claims = Claims {
    subject: "sub",
    email: "email",
    verified: Verified::Claim("email_verified"),
    name: "name",
    first_name: "given_name",
    last_name: "family_name",
    username: "preferred_username",
    picture: "picture",
};

/// A description that has its own names for everything.
const NOTHING: Claims =
    Claims { subject: "id", email: "", verified: Verified::Unknown, name: "", first_name: "", last_name: "", username: "", picture: "" };

const OPENID: &[&str] = &["openid", "profile", "email"];

/// OAuth 2.0 with its own description of accounts.
const OAUTH: Provider = Provider {
    key: "",
    name: "",
    authorize: "",
    token: "",
    revoke: "",
    discovery: "",
    source: Source::IdToken,
    id_tokens: None,
    scopes: &[],
    separator: " ",
    pkce: false,
    auth: ClientAuth::Form,
    client_param: "client_id",
    extra: &[],
    form_post: false,
    claims: NOTHING,
    emails: None,
};

/// OpenID Connect.
const OIDC: Provider = Provider { scopes: OPENID, claims: STANDARD, pkce: true, ..OAUTH };

const fn tokens_of(issuer: &'static [&'static str], keys: &'static str) -> Option<IdTokens> {
    Some(IdTokens { issuer: Issuer::OneOf(issuer), keys, nonce: true, by_secret: false })
}

/// A provider that is described in the settings alone: `oauth_custom_<key>`.
pub(crate) const CUSTOM: Provider = Provider { source: Source::Discovered, auth: ClientAuth::Basic, ..OIDC };

const X: Provider = Provider {
    authorize: "https://x.com/i/oauth2/authorize",
    token: "https://api.x.com/2/oauth2/token",
    revoke: "https://api.x.com/2/oauth2/revoke",
    source: Source::Get("https://api.x.com/2/users/me?user.fields=profile_image_url"),
    scopes: &["users.read", "tweet.read", "offline.access"],
    pkce: true,
    auth: ClientAuth::Basic,
    claims: Claims { subject: "data.id", name: "data.name", username: "data.username", picture: "data.profile_image_url", ..NOTHING },
    ..OAUTH
};

const LINKEDIN: Provider = Provider {
    authorize: "https://www.linkedin.com/oauth/v2/authorization",
    token: "https://www.linkedin.com/oauth/v2/accessToken",
    ..OAUTH
};

/// All of them, by key.
pub(crate) static PROVIDERS: &[Provider] = &[
    Provider {
        key: "apple",
        name: "Apple",
        authorize: "https://appleid.apple.com/auth/authorize",
        token: "https://appleid.apple.com/auth/token",
        revoke: "https://appleid.apple.com/auth/revoke",
        id_tokens: tokens_of(&["https://appleid.apple.com"], "https://appleid.apple.com/auth/keys"),
        scopes: &["name", "email"],
        pkce: false,
        auth: ClientAuth::SignedSecret,
        // Apple sends scopes to forms only.
        extra: &[("response_mode", "form_post")],
        form_post: true,
        claims: Claims { verified: Verified::ClaimOrText("email_verified"), ..STANDARD },
        ..OIDC
    },
    Provider {
        key: "atlassian",
        name: "Atlassian",
        authorize: "https://auth.atlassian.com/authorize",
        token: "https://auth.atlassian.com/oauth/token",
        source: Source::Get("https://api.atlassian.com/me"),
        scopes: &["read:me", "offline_access"],
        extra: &[("audience", "api.atlassian.com"), ("prompt", "consent")],
        claims: Claims { subject: "account_id", email: "email", name: "name", username: "nickname", picture: "picture", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "bitbucket",
        name: "Bitbucket",
        authorize: "https://bitbucket.org/site/oauth2/authorize",
        token: "https://bitbucket.org/site/oauth2/access_token",
        source: Source::Get("https://api.bitbucket.org/2.0/user"),
        scopes: &["account", "email"],
        auth: ClientAuth::Basic,
        claims: Claims { subject: "uuid", name: "display_name", username: "username", picture: "links.avatar.href", ..NOTHING },
        emails: Some(EmailList {
            url: "https://api.bitbucket.org/2.0/user/emails",
            list: "values",
            email: "email",
            primary: "is_primary",
            verified: "is_confirmed",
        }),
        ..OAUTH
    },
    Provider {
        key: "box",
        name: "Box",
        authorize: "https://account.box.com/api/oauth2/authorize",
        token: "https://api.box.com/oauth2/token",
        revoke: "https://api.box.com/oauth2/revoke",
        source: Source::Get("https://api.box.com/2.0/users/me"),
        claims: Claims { email: "login", name: "name", picture: "avatar_url", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "coinbase",
        name: "Coinbase",
        authorize: "https://login.coinbase.com/oauth2/auth",
        token: "https://login.coinbase.com/oauth2/token",
        source: Source::Get("https://api.coinbase.com/v2/user"),
        scopes: &["wallet:user:read", "wallet:user:email"],
        claims: Claims {
            subject: "data.id",
            email: "data.email",
            name: "data.name",
            username: "data.username",
            picture: "data.avatar_url",
            ..NOTHING
        },
        ..OAUTH
    },
    Provider {
        key: "discord",
        name: "Discord",
        authorize: "https://discord.com/oauth2/authorize",
        token: "https://discord.com/api/oauth2/token",
        revoke: "https://discord.com/api/oauth2/token/revoke",
        source: Source::Get("https://discord.com/api/users/@me"),
        scopes: &["identify", "email"],
        pkce: true,
        claims: Claims { email: "email", verified: Verified::Claim("verified"), name: "global_name", username: "username", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "dropbox",
        name: "Dropbox",
        authorize: "https://www.dropbox.com/oauth2/authorize",
        token: "https://api.dropboxapi.com/oauth2/token",
        source: Source::Post("https://api.dropboxapi.com/2/users/get_current_account"),
        scopes: &["account_info.read"],
        pkce: true,
        extra: &[("token_access_type", "offline")],
        claims: Claims {
            subject: "account_id",
            email: "email",
            verified: Verified::Claim("email_verified"),
            name: "name.display_name",
            first_name: "name.given_name",
            last_name: "name.surname",
            picture: "profile_photo_url",
            ..NOTHING
        },
        ..OAUTH
    },
    // It publishes no addresses: the settings say them.
    Provider { key: "enstall", name: "Enstall", source: Source::Discovered, ..OIDC },
    Provider {
        key: "facebook",
        name: "Facebook",
        authorize: "https://www.facebook.com/v23.0/dialog/oauth",
        token: "https://graph.facebook.com/v23.0/oauth/access_token",
        source: Source::Get("https://graph.facebook.com/v23.0/me?fields=id,name,first_name,last_name,email,picture.type(large)"),
        scopes: &["public_profile", "email"],
        separator: ",",
        claims: Claims {
            email: "email",
            name: "name",
            first_name: "first_name",
            last_name: "last_name",
            picture: "picture.data.url",
            ..NOTHING
        },
        ..OAUTH
    },
    Provider {
        key: "github",
        name: "GitHub",
        authorize: "https://github.com/login/oauth/authorize",
        token: "https://github.com/login/oauth/access_token",
        source: Source::Get("https://api.github.com/user"),
        scopes: &["read:user", "user:email"],
        pkce: true,
        claims: Claims { name: "name", username: "login", picture: "avatar_url", ..NOTHING },
        emails: Some(EmailList {
            url: "https://api.github.com/user/emails",
            list: "",
            email: "email",
            primary: "primary",
            verified: "verified",
        }),
        ..OAUTH
    },
    Provider {
        key: "gitlab",
        name: "GitLab",
        authorize: "https://gitlab.com/oauth/authorize",
        token: "https://gitlab.com/oauth/token",
        revoke: "https://gitlab.com/oauth/revoke",
        source: Source::Get("https://gitlab.com/oauth/userinfo"),
        id_tokens: tokens_of(&["https://gitlab.com"], "https://gitlab.com/oauth/discovery/keys"),
        claims: Claims { username: "nickname", ..STANDARD },
        ..OIDC
    },
    Provider {
        key: "google",
        name: "Google",
        authorize: "https://accounts.google.com/o/oauth2/v2/auth",
        token: "https://oauth2.googleapis.com/token",
        revoke: "https://oauth2.googleapis.com/revoke",
        id_tokens: tokens_of(&["https://accounts.google.com", "accounts.google.com"], "https://www.googleapis.com/oauth2/v3/certs"),
        extra: &[("access_type", "offline")],
        ..OIDC
    },
    Provider {
        key: "hubspot",
        name: "HubSpot",
        authorize: "https://app.hubspot.com/oauth/authorize",
        token: "https://api.hubapi.com/oauth/2026-03/token",
        revoke: "https://api.hubapi.com/oauth/2026-03/token/revoke",
        source: Source::Introspect("https://api.hubapi.com/oauth/2026-03/token/introspect"),
        scopes: &["oauth"],
        claims: Claims { subject: "user_id", email: "user", ..NOTHING },
        ..OAUTH
    },
    Provider { key: "huggingface", name: "Hugging Face", discovery: "https://huggingface.co", source: Source::Discovered, ..OIDC },
    Provider {
        key: "instagram",
        name: "Instagram",
        authorize: "https://www.instagram.com/oauth/authorize",
        token: "https://api.instagram.com/oauth/access_token",
        source: Source::Get("https://graph.instagram.com/v23.0/me?fields=user_id,username,name,profile_picture_url"),
        scopes: &["instagram_business_basic"],
        separator: ",",
        claims: Claims { subject: "user_id", name: "name", username: "username", picture: "profile_picture_url", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "line",
        name: "LINE",
        authorize: "https://access.line.me/oauth2/v2.1/authorize",
        token: "https://api.line.me/oauth2/v2.1/token",
        revoke: "https://api.line.me/oauth2/v2.1/revoke",
        id_tokens: Some(IdTokens {
            issuer: Issuer::OneOf(&["https://access.line.me"]),
            keys: "https://api.line.me/oauth2/v2.1/certs",
            nonce: true,
            by_secret: true,
        }),
        claims: Claims { verified: Verified::Unknown, ..STANDARD },
        ..OIDC
    },
    Provider {
        key: "linear",
        name: "Linear",
        authorize: "https://linear.app/oauth/authorize",
        token: "https://api.linear.app/oauth/token",
        revoke: "https://api.linear.app/oauth/revoke",
        source: Source::Graphql("https://api.linear.app/graphql", "{ viewer { id name email displayName avatarUrl } }"),
        scopes: &["read"],
        separator: ",",
        pkce: true,
        claims: Claims {
            subject: "data.viewer.id",
            email: "data.viewer.email",
            name: "data.viewer.name",
            username: "data.viewer.displayName",
            picture: "data.viewer.avatarUrl",
            ..NOTHING
        },
        ..OAUTH
    },
    Provider {
        key: "linkedin",
        name: "LinkedIn",
        source: Source::Get("https://api.linkedin.com/v2/me"),
        scopes: &["r_liteprofile", "r_emailaddress"],
        claims: Claims { first_name: "localizedFirstName", last_name: "localizedLastName", ..NOTHING },
        emails: Some(EmailList {
            url: "https://api.linkedin.com/v2/emailAddress?q=members&projection=(elements*(handle~))",
            list: "elements",
            email: "handle~.emailAddress",
            primary: "",
            verified: "",
        }),
        ..LINKEDIN
    },
    Provider {
        key: "linkedin_oidc",
        name: "LinkedIn",
        source: Source::Get("https://api.linkedin.com/v2/userinfo"),
        id_tokens: Some(IdTokens {
            issuer: Issuer::OneOf(&["https://www.linkedin.com", "https://www.linkedin.com/oauth"]),
            keys: "https://www.linkedin.com/oauth/openid/jwks",
            nonce: false,
            by_secret: false,
        }),
        scopes: OPENID,
        // In the description a JSON value, in the ID token a text.
        claims: Claims { verified: Verified::ClaimOrText("email_verified"), ..STANDARD },
        ..LINKEDIN
    },
    Provider {
        key: "microsoft",
        name: "Microsoft",
        authorize: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        token: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        id_tokens: Some(IdTokens {
            issuer: Issuer::MicrosoftTenant,
            keys: "https://login.microsoftonline.com/{tenant}/discovery/v2.0/keys",
            nonce: true,
            by_secret: false,
        }),
        scopes: &["openid", "profile", "email", "offline_access"],
        claims: Claims { verified: Verified::Microsoft, ..STANDARD },
        ..OIDC
    },
    Provider {
        key: "notion",
        name: "Notion",
        authorize: "https://api.notion.com/v1/oauth/authorize",
        token: "https://api.notion.com/v1/oauth/token",
        source: Source::TokenAnswer,
        auth: ClientAuth::BasicJson,
        extra: &[("owner", "user")],
        claims: Claims {
            subject: "owner.user.id",
            email: "owner.user.person.email",
            name: "owner.user.name",
            picture: "owner.user.avatar_url",
            ..NOTHING
        },
        ..OAUTH
    },
    Provider {
        key: "slack",
        name: "Slack",
        authorize: "https://slack.com/openid/connect/authorize",
        token: "https://slack.com/api/openid.connect.token",
        source: Source::Get("https://slack.com/api/openid.connect.userInfo"),
        id_tokens: tokens_of(&["https://slack.com"], "https://slack.com/openid/connect/keys"),
        pkce: false,
        ..OIDC
    },
    Provider {
        key: "spotify",
        name: "Spotify",
        authorize: "https://accounts.spotify.com/authorize",
        token: "https://accounts.spotify.com/api/token",
        source: Source::Get("https://api.spotify.com/v1/me"),
        scopes: &["user-read-email", "user-read-private"],
        pkce: true,
        auth: ClientAuth::Basic,
        claims: Claims { email: "email", name: "display_name", picture: "images.0.url", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "tiktok",
        name: "TikTok",
        authorize: "https://www.tiktok.com/v2/auth/authorize/",
        token: "https://open.tiktokapis.com/v2/oauth/token/",
        source: Source::Get("https://open.tiktokapis.com/v2/user/info/?fields=open_id,avatar_url,display_name"),
        scopes: &["user.info.basic"],
        separator: ",",
        client_param: "client_key",
        claims: Claims { subject: "data.user.open_id", name: "data.user.display_name", picture: "data.user.avatar_url", ..NOTHING },
        ..OAUTH
    },
    Provider {
        key: "twitch",
        name: "Twitch",
        authorize: "https://id.twitch.tv/oauth2/authorize",
        token: "https://id.twitch.tv/oauth2/token",
        revoke: "https://id.twitch.tv/oauth2/revoke",
        source: Source::Get("https://id.twitch.tv/oauth2/userinfo"),
        id_tokens: tokens_of(&["https://id.twitch.tv/oauth2"], "https://id.twitch.tv/oauth2/keys"),
        scopes: &["openid", "user:read:email"],
        pkce: false,
        extra: &[("claims", r#"{"userinfo":{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}"#)],
        ..OIDC
    },
    // The older name of X; its OAuth 1.0a is not spoken.
    Provider { key: "twitter", name: "Twitter", ..X },
    Provider { key: "vercel", name: "Vercel", discovery: "https://vercel.com", source: Source::Discovered, ..OIDC },
    Provider { key: "x", name: "X / Twitter", ..X },
    Provider {
        key: "xero",
        name: "Xero",
        authorize: "https://login.xero.com/identity/connect/authorize",
        token: "https://identity.xero.com/connect/token",
        revoke: "https://identity.xero.com/connect/revocation",
        id_tokens: tokens_of(&["https://identity.xero.com"], "https://identity.xero.com/.well-known/openid-configuration/jwks"),
        auth: ClientAuth::Basic,
        claims: Claims { verified: Verified::Unknown, ..STANDARD },
        ..OIDC
    },
];

/// The row of a key: one of the table, or the one for `custom_<name>`.
pub(crate) fn provider(key: &str) -> Option<&'static Provider> {
    static OF_SETTINGS: Provider = CUSTOM;
    if let Some(name) = key.strip_prefix("custom_") {
        let named = !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        return named.then_some(&OF_SETTINGS);
    }
    PROVIDERS.iter().find(|it| it.key == key)
}

/// The key that a strategy names: `oauth_google` names `google`.
pub(crate) fn key_of(strategy: &str) -> Option<&str> {
    strategy.strip_prefix("oauth_").filter(|key| !key.starts_with("token_"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn is_https(text: &str) -> bool {
        url::Url::parse(&text.replace("{tenant}", "common")).is_ok_and(|url| url.scheme() == "https")
    }

    #[test]
    fn every_row_is_whole_and_its_key_is_its_own() {
        let keys: HashSet<_> = PROVIDERS.iter().map(|it| it.key).collect();
        assert_eq!((keys.len(), PROVIDERS.len()), (29, 29));
        assert!(PROVIDERS.is_sorted_by_key(|it| it.key));
        for it in PROVIDERS {
            let key = it.key;
            assert!(key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !it.name.is_empty(), "{key}");
            assert!(!it.claims.subject.is_empty() && !it.client_param.is_empty() && !it.separator.is_empty(), "{key}");
            assert_eq!(it.form_post, it.extra.contains(&("response_mode", "form_post")), "{key}");
            let described = match it.source {
                Source::Get(url) | Source::Post(url) | Source::Graphql(url, _) | Source::Introspect(url) => is_https(url),
                Source::IdToken => it.id_tokens.is_some(),
                Source::TokenAnswer => true,
                Source::Discovered => it.authorize.is_empty() && it.token.is_empty() && it.id_tokens.is_none(),
            };
            assert!(described, "{key}: nothing describes the account");
            if it.source != Source::Discovered {
                assert!(is_https(it.authorize) && is_https(it.token), "{key}");
            }
            for url in [it.revoke, it.discovery].into_iter().filter(|url| !url.is_empty()) {
                assert!(is_https(url), "{key}: {url}");
            }
            if let Some(tokens) = it.id_tokens {
                assert!(is_https(tokens.keys) && it.scopes.contains(&"openid") || key == "apple", "{key}");
                assert!(!matches!(tokens.issuer, Issuer::OneOf([])), "{key}");
                // Without either, a code of another browser could be put in place of one's own.
                assert!(tokens.nonce || it.pkce || key == "linkedin_oidc", "{key}");
            }
            if let Some(list) = it.emails {
                assert!(is_https(list.url) && !list.email.is_empty() && it.claims.email.is_empty(), "{key}");
            }
        }
    }

    #[test]
    fn fault_060_no_two_providers_share_an_issuer_but_by_name() {
        let mut seen = HashSet::new();
        for it in PROVIDERS {
            if let Some(IdTokens { issuer: Issuer::OneOf(all), .. }) = it.id_tokens {
                for issuer in all {
                    assert!(seen.insert(*issuer), "{}: {issuer}", it.key);
                }
            }
        }
    }

    #[test]
    fn keys_of_one_s_own_have_a_shape() {
        for good in ["google", "custom_acme", "custom_a_1"] {
            assert!(provider(good).is_some(), "{good}");
        }
        for bad in ["", "nobody", "custom_", "custom_A", "custom_a-b", "custom_a.b", "Google"] {
            assert!(provider(bad).is_none(), "{bad}");
        }
        assert_eq!((key_of("oauth_google"), key_of("oauth_token_apple"), key_of("password")), (Some("google"), None, None));
    }
}
