//! Who somebody is at a provider: read from what the provider says, with nothing guessed.

use super::connection::Connection;
use super::providers::{EmailList, Verified};
use doorward_base::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The tenant of Microsoft's consumer accounts, whose addresses Microsoft itself has proven.
pub(super) const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
/// The most characters of anything that a provider says.
const MAX_CHARS: usize = 256;

/// Somebody at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// The strategy that it was proven by.
    pub strategy: String,
    /// Who vouches for the subject.
    pub issuer: String,
    /// The provider's own id of the account.
    pub subject: String,
    /// The address.
    pub email: Option<String>,
    /// Whether the provider vouches for it; none where it does not say.
    pub email_verified: Option<bool>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub username: Option<String>,
    pub image_url: Option<String>,
    /// What was granted, with spaces between.
    pub scopes: String,
    pub tokens: Tokens,
}

/// A provider's tokens. They may be used in the user's name: sealed wherever they are kept.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tokens {
    pub access: Option<String>,
    pub refresh: Option<String>,
    pub id: Option<String>,
    /// When the access token ends; none when nobody said.
    pub expire_at: Option<Timestamp>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

impl Identity {
    /// Takes the name that Apple's page sends beside the code, once. Nobody signs it, so nothing but a name is read.
    pub(super) fn read_names(&mut self, json: Option<&str>) {
        let Some(Ok(sent)) = json.map(serde_json::from_str::<Value>) else { return };
        self.first_name = text(at(&sent, "name.firstName")).or(self.first_name.take());
        self.last_name = text(at(&sent, "name.lastName")).or(self.last_name.take());
    }
}

/// What stands at a path with dots.
fn at<'a>(description: &'a Value, path: &str) -> &'a Value {
    if path.is_empty() {
        return &Value::Null;
    }
    path.split('.').fold(description, |value, name| match value {
        Value::Array(all) => name.parse::<usize>().ok().and_then(|n| all.get(n)).unwrap_or(&Value::Null),
        other => &other[name],
    })
}

/// A text that people may see, without what is invisible and cut where it is too long.
fn text(value: &Value) -> Option<String> {
    let text: String = value.as_str()?.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The id of an account. What programs write that meant to write none is none: it would be everybody's.
pub(crate) fn subject(value: &Value) -> Option<String> {
    let id = match value {
        Value::String(id) => id.clone(),
        Value::Number(id) if id.is_u64() || id.is_i64() => id.to_string(),
        _ => return None,
    };
    let nobody = ["", "0", "null", "undefined", "none", "nan", "[object object]"].contains(&id.trim().to_ascii_lowercase().as_str());
    (!nobody && id.len() <= 255 && id.trim() == id && !id.chars().any(char::is_control)).then_some(id)
}

/// Whether a provider vouches for an address: only a plain true counts, and the text where that is documented.
fn vouched(rule: Verified, claim: &Value, description: &Value) -> Option<bool> {
    match rule {
        Verified::Unknown => None,
        Verified::Claim(_) => Some(claim == &Value::Bool(true)),
        Verified::ClaimOrText(_) => Some(claim == &Value::Bool(true) || claim.as_str() == Some("true")),
        Verified::Microsoft => {
            let owned = &description["xms_edov"];
            let owned = owned == &Value::Bool(true) || owned == &Value::from(1) || owned == "1" || owned == "true";
            Some(owned || description["tid"] == CONSUMERS)
        }
    }
}

/// Reads a description. None when it does not say whose it is.
pub(super) fn read(connection: &Connection<'_>, strategy: &str, issuer: String, description: &Value) -> Option<Identity> {
    let claims = &connection.row.claims;
    let path = |name: &str, row: &'static str| connection.path(name, row);
    let of = |name: &str, row: &'static str| text(at(description, &path(name, row)));
    let verified_at = match claims.verified {
        Verified::Claim(row) | Verified::ClaimOrText(row) => path("email_verified", row),
        _ => String::new(),
    };
    let email = of("email", claims.email);
    let email_verified = email.as_ref().and_then(|_| vouched(claims.verified, at(description, &verified_at), description));
    let (mut first_name, mut last_name) = (of("first_name", claims.first_name), of("last_name", claims.last_name));
    if first_name.is_none()
        && last_name.is_none()
        && let Some(name) = of("name", claims.name)
    {
        let (first, last) = name.split_once(' ').map_or((name.as_str(), ""), |(first, last)| (first, last.trim()));
        (first_name, last_name) = (Some(first.to_owned()), Some(last.to_owned()).filter(|last| !last.is_empty()));
    }
    let picture = at(description, &path("picture", claims.picture)).as_str();
    let picture = picture.filter(|url| url.len() <= 2048 && url::Url::parse(url).is_ok_and(|url| url.scheme() == "https"));
    Some(Identity {
        strategy: strategy.to_owned(),
        issuer,
        subject: subject(at(description, &path("subject", claims.subject)))?,
        email,
        email_verified,
        first_name,
        last_name,
        username: of("username", claims.username),
        image_url: picture.map(str::to_owned),
        scopes: String::new(),
        tokens: Tokens::default(),
    })
}

/// The primary address of a list, and whether the provider vouches for it.
pub(super) fn primary_email(rule: &EmailList, answer: &Value) -> Option<(String, Option<bool>)> {
    let list = if rule.list.is_empty() { answer } else { at(answer, rule.list) };
    let mut all = list.as_array()?.iter();
    let chosen = if rule.primary.is_empty() { all.next() } else { all.find(|it| at(it, rule.primary) == &Value::Bool(true)) }?;
    let verified = (!rule.verified.is_empty()).then(|| at(chosen, rule.verified) == &Value::Bool(true));
    Some((text(at(chosen, rule.email))?, verified))
}

/// The claims of an ID token under those of the description, which is newer and says more.
pub(super) fn merged(claims: Map<String, Value>, description: Option<Value>) -> Value {
    let mut out = claims;
    if let Some(Value::Object(more)) = description {
        out.extend(more);
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::providers::{self, PROVIDERS};
    use crate::oauth::settings::OAuthConnection;
    use serde_json::json;

    fn read_as(key: &str, description: &Value) -> Option<Identity> {
        let settings = OAuthConnection::default();
        let connection = Connection { key, row: providers::provider(key).unwrap(), settings: &settings, client_id: "" };
        read(&connection, &format!("oauth_{key}"), "issuer".to_owned(), description)
    }

    #[test]
    fn fault_046_only_a_plain_true_vouches_for_an_address() {
        let said = |key: &str, value: Value| {
            read_as(key, &json!({"sub": "1", "email": "a@b.co", "email_verified": value})).unwrap().email_verified
        };
        for doubtful in [
            json!("false"),
            json!("true"),
            json!("TRUE"),
            json!(1),
            json!(0),
            json!(null),
            json!([true]),
            json!({}),
            json!("yes"),
            json!(false),
        ] {
            assert_eq!(said("google", doubtful.clone()), Some(false), "{doubtful}");
        }
        assert_eq!(said("google", json!(true)), Some(true));
        // Documented for these two, and still nothing but that text.
        for key in ["apple", "linkedin_oidc"] {
            assert_eq!((said(key, json!("true")), said(key, json!(true))), (Some(true), Some(true)), "{key}");
            for doubtful in [json!("false"), json!("True"), json!("1"), json!(1), json!(null)] {
                assert_eq!(said(key, doubtful.clone()), Some(false), "{key} {doubtful}");
            }
        }
        assert_eq!(read_as("google", &json!({"sub": "1", "email": "a@b.co"})).unwrap().email_verified, Some(false));
        assert_eq!(read_as("facebook", &json!({"id": "1", "email": "a@b.co", "email_verified": true})).unwrap().email_verified, None);
        let tenant = |more: Value| {
            read_as("microsoft", &merged(more.as_object().unwrap().clone(), Some(json!({"sub": "1", "email": "a@b.co"})))).unwrap()
        };
        assert_eq!(tenant(json!({"email_verified": true})).email_verified, Some(false), "a tenant's administrator types what he likes");
        assert_eq!(tenant(json!({"xms_edov": true})).email_verified, Some(true));
        assert_eq!(tenant(json!({"tid": CONSUMERS})).email_verified, Some(true));
    }

    #[test]
    fn fault_064_an_account_without_an_id_is_nobody_s() {
        for nobody in [
            json!(null),
            json!(""),
            json!(" "),
            json!("undefined"),
            json!("null"),
            json!("None"),
            json!("NaN"),
            json!(0),
            json!("0"),
            json!(1.5),
            json!(true),
            json!({}),
            json!(["1"]),
            json!(" 1"),
            json!("a\u{0}b"),
            json!("x".repeat(256)),
        ] {
            assert_eq!(subject(&nobody), None, "{nobody}");
        }
        assert_eq!((subject(&json!(42)), subject(&json!("a-1"))), (Some("42".to_owned()), Some("a-1".to_owned())));
        for row in PROVIDERS {
            assert_eq!(read_as(row.key, &json!({})), None, "{}", row.key);
            assert_eq!(read_as(row.key, &Value::Null), None, "{}", row.key);
        }
    }

    #[test]
    fn descriptions_are_read_as_their_rows_say() {
        let github =
            read_as("github", &json!({"id": 7, "login": "ada", "name": "Ada King Lovelace", "avatar_url": "https://a.example/x"})).unwrap();
        assert_eq!((github.subject.as_str(), github.username.as_deref()), ("7", Some("ada")));
        assert_eq!((github.first_name.as_deref(), github.last_name.as_deref()), (Some("Ada"), Some("King Lovelace")));
        let tiktok = read_as("tiktok", &json!({"data": {"user": {"open_id": "o", "display_name": "Ada"}}})).unwrap();
        assert_eq!((tiktok.subject.as_str(), tiktok.last_name), ("o", None));
        let spotify = read_as("spotify", &json!({"id": "s", "images": [{"url": "javascript:alert(1)"}]})).unwrap();
        assert_eq!(spotify.image_url, None);
        let list = providers::provider("github").unwrap().emails.unwrap();
        let answer =
            json!([{"email": "b@x.co", "primary": false, "verified": true}, {"email": "a@x.co", "primary": true, "verified": false}]);
        assert_eq!(primary_email(&list, &answer), Some(("a@x.co".to_owned(), Some(false))));
        let list = providers::provider("linkedin").unwrap().emails.unwrap();
        assert_eq!(
            primary_email(&list, &json!({"elements": [{"handle~": {"emailAddress": "a@x.co"}}]})),
            Some(("a@x.co".to_owned(), None))
        );
    }
}
