//! JSON Web Tokens (RFC 7519) in compact form, RS256 only. A library would parse the key anew for every signature,
//! which costs more than the signature itself: see docs/adr.

use crate::keys::{KeyError, SigningKey};
use crate::template_keys::TemplateKey;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde::Serialize;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What kind of token it is: the header `cat`, by which the official SDKs and we tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A session token.
    Session,
    /// A token of a template.
    Template,
    /// The payload of a handshake.
    Handshake,
}

impl Category {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Session => Some("cl_B7d4PD111AAA"),
            Self::Template => Some("cl_B7d4PD222AAA"),
            Self::Handshake => None,
        }
    }

    fn header(self, kid: &str) -> String {
        match self.code() {
            Some(cat) => format!(r#"{{"alg":"RS256","cat":"{cat}","kid":"{kid}","typ":"JWT"}}"#),
            None => format!(r#"{{"alg":"RS256","kid":"{kid}","typ":"JWT"}}"#),
        }
    }
}

/// Signs claims.
///
/// # Errors
/// When the library cannot sign.
pub fn sign(key: &SigningKey, category: Category, claims: &impl Serialize) -> Result<String, KeyError> {
    join(&category.header(&key.kid), claims, |message| key.sign(message))
}

/// Signs claims with a template's own key. Whoever verifies them has that one key, so none is named.
///
/// # Errors
/// When the library cannot sign.
pub fn sign_template(key: &TemplateKey, claims: &impl Serialize) -> Result<String, KeyError> {
    let cat = Category::Template.code().unwrap_or_default();
    let header = format!(r#"{{"alg":"{}","cat":"{cat}","typ":"JWT"}}"#, key.algorithm());
    join(&header, claims, |message| key.sign(message))
}

fn join(header: &str, claims: &impl Serialize, sign: impl Fn(&[u8]) -> Result<Vec<u8>, KeyError>) -> Result<String, KeyError> {
    let mut token = B64.encode(header);
    token.push('.');
    B64.encode_string(serde_json::to_vec(claims).map_err(|_| KeyError)?, &mut token);
    let signature = sign(token.as_bytes())?;
    token.push('.');
    B64.encode_string(signature, &mut token);
    Ok(token)
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwtError {
    /// It is not a token of this kind, or its signature does not fit.
    #[error("not a token of this instance")]
    Invalid,
    /// It was good once.
    #[error("the token has expired")]
    Expired,
}

/// The claims that every token of ours has, and the rest.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Subject.
    pub sub: String,
    /// Issued at, in seconds.
    pub iat: i64,
    /// Expiry, in seconds.
    pub exp: i64,
    /// All claims.
    pub claims: Map<String, Value>,
}

impl Verified {
    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name)?.as_str()
    }
}

/// Checks a token of `category` with an instance's own keys: algorithm, kind, key, signature, and the types and values
/// of `sub`, `iat`, `nbf` and `exp`, all of which must be there. `leeway_expired` seconds after its end a token still
/// passes, for refreshes.
///
/// # Errors
/// [`JwtError`], which says no more than a caller may know.
pub fn verify(
    keys: &[Arc<SigningKey>],
    category: Category,
    token: &str,
    now_seconds: i64,
    leeway_expired: i64,
) -> Result<Verified, JwtError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(JwtError::Invalid);
    };
    let object = |part: &str| -> Option<Map<String, Value>> { serde_json::from_slice(&B64.decode(part).ok()?).ok() };
    let head = object(header).ok_or(JwtError::Invalid)?;
    let text = |name: &str| head.get(name).and_then(Value::as_str);
    // No header of ours says where keys are or what else has to be understood (`jku`, `x5u`, `jwk`, `crit`).
    if head.keys().any(|name| !matches!(name.as_str(), "alg" | "typ" | "cat" | "kid")) {
        return Err(JwtError::Invalid);
    }
    if text("alg") != Some("RS256") || text("typ") != Some("JWT") || text("cat") != category.code() {
        return Err(JwtError::Invalid);
    }
    let key = keys.iter().find(|key| Some(key.kid.as_str()) == text("kid")).ok_or(JwtError::Invalid)?;
    let signature = B64.decode(signature).map_err(|_| JwtError::Invalid)?;
    if !key.verify(&token.as_bytes()[..header.len() + 1 + payload.len()], &signature) {
        return Err(JwtError::Invalid);
    }
    let claims = object(payload).ok_or(JwtError::Invalid)?;
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).filter(|n| *n >= 0).ok_or(JwtError::Invalid);
    let (iat, nbf, exp) = (number("iat")?, number("nbf")?, number("exp")?);
    let sub = claims.get("sub").and_then(Value::as_str).ok_or(JwtError::Invalid)?.to_owned();
    // Another node's clock may be a little ahead.
    const SKEW: i64 = 5;
    if nbf > now_seconds + SKEW || iat > now_seconds + SKEW || exp < iat {
        return Err(JwtError::Invalid);
    }
    if now_seconds > exp.saturating_add(leeway_expired) {
        return Err(JwtError::Expired);
    }
    Ok(Verified { sub, iat, exp, claims })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::generate_signing_key;
    use serde_json::json;

    fn key(kid: &str) -> Arc<SigningKey> {
        Arc::new(SigningKey::from_pkcs8(kid.to_owned(), &generate_signing_key().unwrap()).unwrap())
    }

    fn good() -> Value {
        json!({"sub": "user_1", "sid": "sess_1", "iat": 1000, "nbf": 990, "exp": 1060})
    }

    fn check(key: &Arc<SigningKey>, token: &str) -> Result<Verified, JwtError> {
        verify(std::slice::from_ref(key), Category::Session, token, 1010, 0)
    }

    #[test]
    fn a_good_token_passes_until_it_ends() {
        let key = key("k");
        let token = sign(&key, Category::Session, &good()).unwrap();
        assert_eq!(check(&key, &token).unwrap().sub, "user_1");
        assert_eq!(verify(std::slice::from_ref(&key), Category::Session, &token, 1061, 0).unwrap_err(), JwtError::Expired);
        assert!(verify(std::slice::from_ref(&key), Category::Session, &token, 1061, 60).is_ok());
    }

    #[test]
    fn fault_001_claims_of_a_wrong_type_are_refused() {
        let key = key("k");
        for name in ["exp", "nbf", "iat"] {
            for bad in [json!("9999"), json!(9999.5), json!(-1), json!(null), json!(1e300), json!([1]), json!({})] {
                let mut claims = good();
                claims[name] = bad.clone();
                let token = sign(&key, Category::Session, &claims).unwrap();
                assert_eq!(check(&key, &token).unwrap_err(), JwtError::Invalid, "{name} = {bad}");
            }
        }
    }

    #[test]
    fn fault_002_missing_claims_are_refused() {
        let key = key("k");
        for name in ["exp", "nbf", "iat", "sub"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(name);
            let token = sign(&key, Category::Session, &claims).unwrap();
            assert_eq!(check(&key, &token).unwrap_err(), JwtError::Invalid, "without {name}");
        }
    }

    #[test]
    fn fault_003_other_algorithms_keys_and_headers_are_refused() {
        use aws_lc_rs::hmac;
        let (key, other) = (key("k"), key("k"));
        let head = |more: Value| {
            let mut head = json!({"alg": "RS256", "typ": "JWT", "kid": "k", "cat": "cl_B7d4PD111AAA"});
            head.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            head.to_string()
        };
        let by = |signer: &SigningKey, more: Value| join(&head(more), &good(), |message| signer.sign(message)).unwrap();
        assert!(check(&key, &by(&key, json!({}))).is_ok(), "what is refused below differs from this in one thing each");

        // Unsigned, by every spelling of the algorithm; and signed all the same.
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let unsigned = join(&head(json!({"alg": alg})), &good(), |_| Ok(Vec::new())).unwrap();
            for token in [unsigned, by(&key, json!({"alg": alg}))] {
                assert_eq!(check(&key, &token).unwrap_err(), JwtError::Invalid, "{token}");
            }
        }
        assert!(check(&key, &join(&head(json!({})), &good(), |_| Ok(Vec::new())).unwrap()).is_err(), "no signature at all");

        // The public key as the secret of a MAC, in every form in which it can be had.
        let pem = key.public_pem().unwrap();
        let jwk = serde_json::to_string(&key.jwk()).unwrap();
        let forms = [pem.clone(), pem.trim_end().to_owned(), pem.replace('\n', ""), jwk, key.jwk().n];
        for (alg, kind) in
            [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512), ("RS256", hmac::HMAC_SHA256)]
        {
            for secret in &forms {
                let mac = |message: &[u8]| Ok(hmac::sign(&hmac::Key::new(kind, secret.as_bytes()), message).as_ref().to_vec());
                let token = join(&head(json!({"alg": alg})), &good(), mac).unwrap();
                assert_eq!(check(&key, &token).unwrap_err(), JwtError::Invalid, "{alg} under {secret}");
            }
        }

        // Rightly signed, and with a header that we never write.
        let (ours, theirs) = (json!(key.jwk()), json!(other.jwk()));
        for more in [
            json!({"alg": "RS384"}),
            json!({"alg": "PS256"}),
            json!({"alg": ["RS256"]}),
            json!({"typ": "at+jwt"}),
            json!({"kid": "other"}),
            json!({"kid": "../../k"}),
            json!({"kid": "k' OR '1'='1"}),
            json!({"kid": null}),
            json!({"kid": ["k"]}),
            json!({"jku": "http://127.0.0.1/jwks"}),
            json!({"x5u": "http://127.0.0.1/cert"}),
            json!({"x5c": ["MIIB"]}),
            json!({"jwk": ours}),
            json!({"crit": ["exp"]}),
            json!({"b64": false}),
            json!({"zip": "DEF"}),
        ] {
            assert_eq!(check(&key, &by(&key, more.clone())).unwrap_err(), JwtError::Invalid, "{more}");
        }
        // Signed by a key that the token brings along.
        for more in [json!({"jwk": theirs}), json!({"jku": "https://evil.test/jwks"}), json!({"kid": other.jwk().n})] {
            assert_eq!(check(&key, &by(&other, more.clone())).unwrap_err(), JwtError::Invalid, "{more}");
        }
    }

    #[test]
    fn fault_005_a_token_of_another_kind_is_refused() {
        let key = key("k");
        for kind in [Category::Template, Category::Handshake] {
            let token = sign(&key, kind, &good()).unwrap();
            assert_eq!(check(&key, &token).unwrap_err(), JwtError::Invalid);
        }
    }

    #[test]
    fn fault_007_a_key_of_the_same_name_is_not_the_same_key() {
        let (ours, theirs) = (key("k"), key("k"));
        let token = sign(&theirs, Category::Session, &good()).unwrap();
        assert_eq!(check(&ours, &token).unwrap_err(), JwtError::Invalid);
    }

    #[test]
    fn fault_008_a_truncated_token_is_refused_at_every_length() {
        let key = key("k");
        let token = sign(&key, Category::Session, &good()).unwrap();
        for cut in 0..token.len() {
            assert!(check(&key, &token[..cut]).is_err(), "cut at {cut}");
        }
    }
}
