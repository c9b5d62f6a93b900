//! Every provider of the table, as its documents say that it answers: where a browser is sent, and who it comes back as.

use doorward_testkit::social::*;
use doorward_testkit::{CLIENT_ID, CLIENT_SECRET, Options, Provider, StandIn, TestServer};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const OPENID: &str = "openid profile email";

/// A provider: its key, where it sends browsers to, what it is asked for, and whether it checks proof keys.
type Row = (&'static str, &'static str, &'static str, bool);

const ROWS: [Row; 29] = [
    ("apple", "https://appleid.apple.com/auth/authorize", "name email", false),
    ("atlassian", "https://auth.atlassian.com/authorize", "read:me offline_access", false),
    ("bitbucket", "https://bitbucket.org/site/oauth2/authorize", "account email", false),
    ("box", "https://account.box.com/api/oauth2/authorize", "", false),
    ("coinbase", "https://login.coinbase.com/oauth2/auth", "wallet:user:read wallet:user:email", false),
    ("discord", "https://discord.com/oauth2/authorize", "identify email", true),
    ("dropbox", "https://www.dropbox.com/oauth2/authorize", "account_info.read", true),
    ("enstall", "{here}/authorize", OPENID, true),
    ("facebook", "https://www.facebook.com/v23.0/dialog/oauth", "public_profile,email", false),
    ("github", "https://github.com/login/oauth/authorize", "read:user user:email", true),
    ("gitlab", "https://gitlab.com/oauth/authorize", OPENID, true),
    ("google", "https://accounts.google.com/o/oauth2/v2/auth", OPENID, true),
    ("hubspot", "https://app.hubspot.com/oauth/authorize", "oauth", false),
    ("huggingface", "https://huggingface.co/authorize", OPENID, true),
    ("instagram", "https://www.instagram.com/oauth/authorize", "instagram_business_basic", false),
    ("line", "https://access.line.me/oauth2/v2.1/authorize", OPENID, true),
    ("linear", "https://linear.app/oauth/authorize", "read", true),
    ("linkedin", "https://www.linkedin.com/oauth/v2/authorization", "r_liteprofile r_emailaddress", false),
    ("linkedin_oidc", "https://www.linkedin.com/oauth/v2/authorization", OPENID, false),
    ("microsoft", "https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "openid profile email offline_access", true),
    ("notion", "https://api.notion.com/v1/oauth/authorize", "", false),
    ("slack", "https://slack.com/openid/connect/authorize", OPENID, false),
    ("spotify", "https://accounts.spotify.com/authorize", "user-read-email user-read-private", true),
    ("tiktok", "https://www.tiktok.com/v2/auth/authorize/", "user.info.basic", false),
    ("twitch", "https://id.twitch.tv/oauth2/authorize", "openid user:read:email", false),
    ("twitter", "https://x.com/i/oauth2/authorize", "users.read tweet.read offline.access", true),
    ("vercel", "https://vercel.com/authorize", OPENID, true),
    ("x", "https://x.com/i/oauth2/authorize", "users.read tweet.read offline.access", true),
    ("xero", "https://login.xero.com/identity/connect/authorize", OPENID, true),
];

/// Who issues a provider's ID tokens.
fn issuer(key: &str, here: &str) -> String {
    match key {
        "apple" => "https://appleid.apple.com".to_owned(),
        "enstall" => here.to_owned(),
        "gitlab" => "https://gitlab.com".to_owned(),
        "google" => "https://accounts.google.com".to_owned(),
        "huggingface" => "https://huggingface.co".to_owned(),
        "line" => "https://access.line.me".to_owned(),
        "linkedin_oidc" => "https://www.linkedin.com/oauth".to_owned(),
        "microsoft" => format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
        "slack" => "https://slack.com".to_owned(),
        "twitch" => "https://id.twitch.tv/oauth2".to_owned(),
        "vercel" => "https://vercel.com".to_owned(),
        "xero" => "https://identity.xero.com".to_owned(),
        _ => "https://nobody.example".to_owned(),
    }
}

/// What a provider without ID tokens says of an account.
fn description(key: &str) -> Option<Value> {
    let pic = "https://pictures.example/a";
    Some(match key {
        "atlassian" => json!({"account_id": "7", "email": "ada@example.com", "name": "Ada Lovelace", "nickname": "ada", "picture": pic}),
        "bitbucket" => json!({"uuid": "7", "display_name": "Ada Lovelace", "username": "ada", "links": {"avatar": {"href": pic}}}),
        "box" => json!({"id": "7", "login": "ada@example.com", "name": "Ada Lovelace", "avatar_url": pic}),
        "coinbase" => {
            json!({"data": {"id": "7", "email": "ada@example.com", "name": "Ada Lovelace", "username": "ada", "avatar_url": pic}})
        }
        "discord" => json!({"id": "7", "email": "ada@example.com", "verified": true, "global_name": "Ada Lovelace", "username": "ada"}),
        "dropbox" => json!({
            "account_id": "7", "email": "ada@example.com", "email_verified": true, "profile_photo_url": pic,
            "name": {"display_name": "Ada Lovelace", "given_name": "Ada", "surname": "Lovelace"},
        }),
        "facebook" => json!({
            "id": "7", "email": "ada@example.com", "name": "Ada Lovelace", "first_name": "Ada", "last_name": "Lovelace",
            "picture": {"data": {"url": pic}},
        }),
        "github" => json!({"id": 7, "login": "ada", "name": "Ada Lovelace", "avatar_url": pic, "email": "public@example.com"}),
        "hubspot" => json!({"active": true, "user_id": 7, "user": "ada@example.com", "hub_id": 1}),
        "instagram" => json!({"user_id": "7", "username": "ada", "name": "Ada Lovelace", "profile_picture_url": pic}),
        "linear" => json!({"data": {"viewer": {
            "id": "7", "email": "ada@example.com", "name": "Ada Lovelace", "displayName": "ada", "avatarUrl": pic,
        }}}),
        "linkedin" => json!({
            "id": "7", "localizedFirstName": "Ada", "localizedLastName": "Lovelace",
            "elements": [{"handle~": {"emailAddress": "ada@example.com"}}],
        }),
        "spotify" => json!({"id": "7", "email": "ada@example.com", "display_name": "Ada Lovelace", "images": [{"url": pic}]}),
        "tiktok" => json!({"data": {"user": {"open_id": "7", "display_name": "Ada Lovelace", "avatar_url": pic}}}),
        "twitter" | "x" => json!({"data": {"id": "7", "name": "Ada Lovelace", "username": "ada", "profile_image_url": pic}}),
        _ => return None,
    })
}

/// The address that is known of the account, and whether the provider vouches for it.
fn address(key: &str) -> (&'static str, Value) {
    match key {
        "instagram" | "tiktok" | "twitter" | "x" => ("", Value::Null),
        "atlassian" | "box" | "coinbase" | "facebook" | "hubspot" | "line" | "linear" | "linkedin" | "notion" | "spotify" | "xero" => {
            ("ada@example.com", Value::Null)
        }
        _ => ("ada@example.com", json!(true)),
    }
}

/// A server that uses all providers, of which one stands in for all.
async fn everywhere() -> (TestServer, Provider) {
    let provider = Provider::start(json!({})).await;
    let mut options = Options::default();
    options.outbound = Arc::new(StandIn { provider: provider.at, through: options.outbound });
    for (key, ..) in ROWS {
        let mut it = connection();
        if key == "apple" {
            (it.team_id, it.key_id) = (Some("TEAM".to_owned()), Some("KEY".to_owned()));
        }
        it.issuer = (key == "enstall").then(|| provider.url());
        options.settings.oauth.insert(key.to_owned(), it);
    }
    let server = TestServer::with(options).await;
    for (key, ..) in ROWS {
        server.provider_secret(key, CLIENT_SECRET).await;
    }
    server.provider_secret("apple", &signing_key().0).await;
    (server, provider)
}

#[tokio::test]
async fn every_provider_of_the_table_says_who_somebody_is() {
    let (server, provider) = everywhere().await;
    server.user("user@corp.example", "correct horse battery").await;
    let mut browser = server.browser();
    browser.sign_in("user@corp.example", "correct horse battery").await.expect(200);
    let standard = json!({
        "sub": "7", "email": "ada@example.com", "email_verified": true, "name": "Ada Lovelace", "given_name": "Ada",
        "family_name": "Lovelace", "preferred_username": "ada", "nickname": "ada", "picture": "https://pictures.example/a",
        "tid": TENANT, "xms_edov": true,
    });
    for (key, authorize, scope, pkce) in ROWS {
        provider.issue_as(&issuer(key, &provider.url()));
        let described = description(key);
        provider.account(standard.clone());
        provider.describe(described.clone().unwrap_or_else(|| standard.clone()));
        provider.emails(match key {
            "github" => json!([{"email": "old@example.com"}, {"email": "ada@example.com", "primary": true, "verified": true}]),
            _ => json!({"values": [{"email": "ada@example.com", "is_primary": true, "is_confirmed": true}]}),
        });
        provider.token(match key {
            "notion" => json!({"owner": {"user": {
                "id": "7", "name": "Ada Lovelace", "avatar_url": "https://pictures.example/a", "person": {"email": "ada@example.com"},
            }}}),
            "instagram" => json!({"access_token": null, "data": [{"access_token": "listed", "user_id": "7"}]}),
            "twitch" => json!({"scope": ["openid", "user:read:email"]}),
            _ => json!({}),
        });

        let strategy = format!("oauth_{key}");
        let begun = browser.post("/v1/me/external_accounts", &[("strategy", &strategy), ("redirect_url", "/user")]).await;
        let to = way(&begun);
        assert!(to.starts_with(&format!("{}?", authorize.replace("{here}", &provider.url()))), "{key}: {to}");
        let asked: HashMap<String, String> = url::Url::parse(&to).unwrap().query_pairs().into_owned().collect();
        assert_eq!(asked.get("scope").map_or("", String::as_str), scope, "{key}");
        assert_eq!(asked.contains_key("code_challenge"), pkce, "{key}");
        let client = if key == "tiktok" { "client_key" } else { "client_id" };
        assert_eq!(asked.get(client).map(String::as_str), Some(CLIENT_ID), "{key}");
        back(&mut browser, &provider.visit(&to)).await;

        let me = browser.get("/v1/me").await.response().clone();
        let it = me["external_accounts"].as_array().unwrap().iter().find(|it| it["provider"] == strategy).unwrap().clone();
        assert_eq!((&it["verification"]["status"], &it["provider_user_id"]), (&json!("verified"), &json!("7")), "{key}: {it}");
        let (email, verified) = address(key);
        assert_eq!((&it["email_address"], &it["email_address_verified"]), (&json!(email), &verified), "{key}: {it}");
        let named = key != "hubspot";
        assert_eq!((&it["first_name"] == "Ada", &it["last_name"] == "Lovelace"), (named, named), "{key}: {it}");
        let pictured = !matches!(key, "hubspot" | "discord" | "linkedin");
        assert_eq!(it["image_url"] == "https://pictures.example/a", pictured, "{key}: {it}");
        let user_name = !matches!(key, "box" | "dropbox" | "facebook" | "hubspot" | "linkedin" | "notion" | "spotify" | "tiktok");
        assert_eq!(it["username"] == "ada", user_name, "{key}: {it}");
    }
    let calls = provider.calls();
    let of = |path: &str| calls.iter().find(|it| it.path == format!("POST {path}")).unwrap_or_else(|| panic!("{path}"));
    // Who shows its secret where, and how.
    for (path, basic) in [
        ("/api.notion.com/v1/oauth/token", true),
        ("/api.x.com/2/oauth2/token", true),
        ("/accounts.spotify.com/api/token", true),
        ("/bitbucket.org/site/oauth2/access_token", true),
        ("/identity.xero.com/connect/token", true),
        ("/github.com/login/oauth/access_token", false),
        ("/oauth2.googleapis.com/token", false),
        ("/api.linear.app/oauth/token", false),
    ] {
        let call = of(path);
        assert_eq!((call.authorization.starts_with("Basic "), call.fields.contains_key("client_secret")), (basic, !basic), "{path}");
    }
    assert_eq!(of("/open.tiktokapis.com/v2/oauth/token/").fields["client_key"], CLIENT_ID);
    let asked = &of("/api.hubapi.com/oauth/2026-03/token/introspect").fields;
    assert_eq!((asked["token_type_hint"].as_str(), asked["client_id"].as_str()), ("access_token", CLIENT_ID));
    assert!(calls.iter().all(|it| !it.path.contains("access-")), "no token stands in an address");
}

#[tokio::test]
async fn fault_060_one_tenant_of_microsoft_does_not_speak_for_another() {
    let mine = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let (server, provider) = known("microsoft", &mine, |it| it.tenant = Some(TENANT.to_owned())).await;
    let account = |tenant: &str| json!({"sub": "7", "email": "ada@example.com", "tid": tenant, "xms_edov": true});
    provider.account(account(TENANT));
    assert_eq!(visit(&mut server.browser(), &provider, "sign_ups", "oauth_microsoft").await, "/done");
    let other = TENANT.replace('1', "2");
    for (issuer, tenant) in [
        (format!("https://login.microsoftonline.com/{other}/v2.0"), other.as_str()),
        (mine.clone(), other.as_str()),
        (format!("https://login.microsoftonline.com/{other}/v2.0"), TENANT),
        ("https://login.microsoftonline.com/common/v2.0".to_owned(), "common"),
        (format!("https://login.microsoftonline.com/{TENANT}/"), TENANT),
    ] {
        provider.issue_as(&issuer);
        provider.account(account(tenant));
        let mut browser = server.browser();
        assert_eq!(visit(&mut browser, &provider, "sign_ins", "oauth_microsoft").await, CALLBACK, "{issuer} {tenant}");
        let error = client(&mut browser).await["sign_in"]["first_factor_verification"]["error"].clone();
        assert_eq!(error["code"], "oauth_fetch_user_error", "{issuer} {tenant}");
    }
}
