//! ID tokens (OpenID Connect Core, section 3.1.3.7): the signature is checked with the provider's own keys, and every claim
//! that says for whom, by whom and until when. Nothing in the token's header chooses more than one of those keys.

use aws_lc_rs::{hmac, signature};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Map, Value};

/// How far clocks may be apart, in seconds.
const SKEW: i64 = 60;
/// How old a token may be, in seconds: a day.
const OLDEST: i64 = 86_400;
/// The longest token.
const MAX_BYTES: usize = 16 * 1024;

/// What a token has to say.
pub(super) struct Expected<'a> {
    /// Whether it may have been issued by this issuer, whose tenant the claims name.
    pub issuer: &'a (dyn Fn(&str, &Map<String, Value>) -> bool + Sync),
    /// For one of these clients.
    pub clients: &'a [&'a str],
    /// In answer to this.
    pub nonce: Option<&'a str>,
    /// The client's secret, where tokens may be signed with it.
    pub secret: Option<&'a str>,
    /// Now, in seconds.
    pub now: i64,
}

/// Why a token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("the ID token is not one")]
    Malformed,
    /// Newer keys may have it.
    #[error("the ID token's key is not one of the provider's")]
    UnknownKey,
    #[error("the ID token's signature does not fit")]
    Signature,
    #[error("the ID token was issued by somebody else")]
    Issuer,
    #[error("the ID token was issued for somebody else")]
    Audience,
    #[error("the ID token answers another request")]
    Nonce,
    #[error("the ID token is not good now")]
    Time,
}

/// Checks a token and answers its claims.
pub(super) fn verify(token: &str, keys: &Value, expected: &Expected<'_>) -> Result<Map<String, Value>, Refused> {
    let mut parts = token.split('.');
    let (Some(head), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(Refused::Malformed);
    };
    if token.len() > MAX_BYTES {
        return Err(Refused::Malformed);
    }
    let object = |part: &str| -> Option<Map<String, Value>> { serde_json::from_slice(&B64.decode(part).ok()?).ok() };
    let header = object(head).ok_or(Refused::Malformed)?;
    if header.contains_key("crit") {
        return Err(Refused::Malformed);
    }
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let algorithm = text("alg").ok_or(Refused::Malformed)?;
    let message = &token.as_bytes()[..head.len() + 1 + payload.len()];
    let signed = B64.decode(signature).map_err(|_| Refused::Malformed)?;
    match (algorithm, expected.secret) {
        ("HS256", Some(secret)) => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            hmac::verify(&key, message, &signed).map_err(|_| Refused::Signature)?;
        }
        _ => {
            let key = choose(keys, algorithm, text("kid")).ok_or(Refused::UnknownKey)?;
            if !fits(key, algorithm, message, &signed) {
                return Err(Refused::Signature);
            }
        }
    }
    let claims = object(payload).ok_or(Refused::Malformed)?;
    check(&claims, expected)?;
    Ok(claims)
}

/// The key that a header names; without a name the only one that could have signed.
fn choose<'a>(keys: &'a Value, algorithm: &str, kid: Option<&str>) -> Option<&'a Value> {
    let family = match algorithm.get(..2)? {
        "RS" | "PS" => "RSA",
        "ES" => "EC",
        "Ed" => "OKP",
        _ => return None,
    };
    let is = |key: &Value, name: &str, wanted: &str| key[name].as_str().is_none_or(|it| it == wanted);
    let usable = |key: &&Value| key["kty"] == family && is(key, "use", "sig") && is(key, "alg", algorithm);
    let mut all = keys["keys"].as_array()?.iter().filter(usable).filter(|key| kid.is_none() || key["kid"].as_str() == kid);
    let first = all.next()?;
    all.next().is_none().then_some(first)
}

fn fits(key: &Value, algorithm: &str, message: &[u8], signed: &[u8]) -> bool {
    let part = |name: &str| key[name].as_str().and_then(|text| B64.decode(text.trim_end_matches('=')).ok());
    let rsa = |how: &'static signature::RsaParameters| match (part("n"), part("e")) {
        (Some(n), Some(e)) => signature::RsaPublicKeyComponents { n, e }.verify(how, message, signed).is_ok(),
        _ => false,
    };
    let point = |how: &'static signature::EcdsaVerificationAlgorithm, curve: &str| match (part("x"), part("y")) {
        (Some(x), Some(y)) if key["crv"] == curve => {
            signature::UnparsedPublicKey::new(how, [&[4], x.as_slice(), &y].concat()).verify(message, signed).is_ok()
        }
        _ => false,
    };
    match algorithm {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        "ES256" => point(&signature::ECDSA_P256_SHA256_FIXED, "P-256"),
        "ES384" => point(&signature::ECDSA_P384_SHA384_FIXED, "P-384"),
        "EdDSA" => part("x").is_some_and(|x| {
            key["crv"] == "Ed25519" && signature::UnparsedPublicKey::new(&signature::ED25519, x).verify(message, signed).is_ok()
        }),
        _ => false,
    }
}

fn check(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), Refused> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let issuer = text("iss").ok_or(Refused::Issuer)?;
    if !(expected.issuer)(issuer, claims) {
        return Err(Refused::Issuer);
    }
    let ours = |it: &str| !it.is_empty() && expected.clients.contains(&it);
    let audiences: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().map(Value::as_str).collect::<Option<_>>().ok_or(Refused::Audience)?,
        _ => return Err(Refused::Audience),
    };
    // A token for several has to say which of them asked for it.
    let party = match (claims.get("azp"), audiences.len()) {
        (None, 1) => None,
        (Some(Value::String(party)), _) => Some(party.as_str()),
        _ => return Err(Refused::Audience),
    };
    if !audiences.iter().any(|it| ours(it)) || party.is_some_and(|it| !ours(it)) {
        return Err(Refused::Audience);
    }
    if let Some(nonce) = expected.nonce
        && !text("nonce").is_some_and(|it| crate::crypto::equal(it.as_bytes(), nonce.as_bytes()))
    {
        return Err(Refused::Nonce);
    }
    let number = |name: &str| claims.get(name).and_then(Value::as_i64).filter(|n| *n >= 0);
    let (exp, iat) = (number("exp").ok_or(Refused::Time)?, number("iat").ok_or(Refused::Time)?);
    let before = if claims.contains_key("nbf") { number("nbf").unwrap_or(i64::MAX) } else { 0 };
    if exp + SKEW <= expected.now || iat > expected.now + SKEW || before > expected.now + SKEW || iat < expected.now - OLDEST {
        return Err(Refused::Time);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{SigningKey, generate_signing_key};
    use serde_json::json;

    const NOW: i64 = 1_767_225_600;

    fn key() -> SigningKey {
        SigningKey::from_pkcs8("k1".to_owned(), &generate_signing_key().unwrap()).unwrap()
    }

    fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
        let body = format!("{}.{}", B64.encode(header.to_string()), B64.encode(claims.to_string()));
        format!("{body}.{}", B64.encode(key.sign(body.as_bytes()).unwrap()))
    }

    fn header() -> Value {
        json!({"alg": "RS256", "kid": "k1"})
    }

    fn good() -> Value {
        json!({"iss": "https://idp.example", "aud": "us", "sub": "1", "nonce": "n", "iat": NOW, "exp": NOW + 300})
    }

    fn judge(keys: &Value, token: &str) -> Result<(), Refused> {
        let issuer = |it: &str, _: &Map<String, Value>| it == "https://idp.example";
        let expected = Expected { issuer: &issuer, clients: &["us", "our-app"], nonce: Some("n"), secret: None, now: NOW };
        verify(token, keys, &expected).map(|_| ())
    }

    #[test]
    fn fault_060_and_061_a_token_of_another_issuer_or_for_another_client_is_refused() {
        let key = key();
        let keys = json!({"keys": [key.jwk()]});
        assert_eq!(judge(&keys, &sign(&key, &header(), &good())), Ok(()));
        let with = |change: &[(&str, Value)]| {
            let mut claims = good();
            for (name, value) in change {
                claims[*name] = value.clone();
            }
            judge(&keys, &sign(&key, &header(), &claims))
        };
        for issuer in [json!("https://idp.example/"), json!("https://evil.example"), json!(""), json!(null), json!(["https://idp.example"])]
        {
            assert_eq!(with(&[("iss", issuer.clone())]), Err(Refused::Issuer), "{issuer}");
        }
        for audience in
            [json!("them"), json!(["them"]), json!([]), json!(null), json!(""), json!({"us": 1}), json!([1, "us"]), json!(["us", "them"])]
        {
            assert_eq!(with(&[("aud", audience.clone())]), Err(Refused::Audience), "{audience}");
        }
        assert_eq!(with(&[("azp", json!("them"))]), Err(Refused::Audience));
        assert_eq!(with(&[("azp", json!(7))]), Err(Refused::Audience));
        assert_eq!(with(&[("aud", json!(["us", "them"])), ("azp", json!("us"))]), Ok(()));
        assert_eq!(with(&[("azp", json!("our-app"))]), Ok(()));
        for nonce in [json!("other"), json!(null), json!(""), json!(1)] {
            assert_eq!(with(&[("nonce", nonce.clone())]), Err(Refused::Nonce), "{nonce}");
        }
        for (name, bad) in [
            ("exp", json!(NOW - 61)),
            ("exp", json!((NOW + 300).to_string())),
            ("exp", json!(null)),
            ("iat", json!(NOW + 61)),
            ("iat", json!(NOW - 86_401)),
            ("iat", json!(null)),
            ("nbf", json!(NOW + 61)),
            ("nbf", json!("soon")),
        ] {
            assert_eq!(with(&[(name, bad.clone())]), Err(Refused::Time), "{name} = {bad}");
        }
    }

    #[test]
    fn fault_062_a_token_that_was_changed_or_signed_by_others_is_refused() {
        let (ours, theirs) = (key(), key());
        let keys = json!({"keys": [ours.jwk()]});
        let token = sign(&ours, &header(), &good());
        assert_eq!(judge(&keys, &sign(&theirs, &header(), &good())), Err(Refused::Signature));
        let start = token.find('.').unwrap() + 1;
        for at in (start..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bytes).unwrap();
            assert!(bent == token || judge(&keys, &bent).is_err(), "bit flip at {at}");
        }
        for cut in 0..token.len() {
            assert!(judge(&keys, &token[..cut]).is_err(), "cut at {cut}");
        }
        let jwk = serde_json::to_value(theirs.jwk()).unwrap();
        for bad in [
            json!({"alg": "none", "kid": "k1"}),
            json!({"alg": "HS256", "kid": "k1"}),
            json!({"alg": "RS512", "kid": "k1"}),
            json!({"alg": "RS256", "kid": "k2"}),
            json!({"alg": "RS256", "kid": "k1", "crit": ["x"]}),
            json!({"kid": "k1"}),
        ] {
            assert!(judge(&keys, &sign(&ours, &bad, &good())).is_err(), "{bad}");
        }
        // A key that the token brings along is nobody's.
        let brought = json!({"alg": "RS256", "kid": "k1", "jwk": jwk, "jku": "https://evil.example/jwks"});
        assert_eq!(judge(&keys, &sign(&theirs, &brought, &good())), Err(Refused::Signature));
        // The public key is no shared secret.
        let modulus = ours.jwk().n;
        let body = format!("{}.{}", B64.encode(json!({"alg": "HS256", "kid": "k1"}).to_string()), B64.encode(good().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, modulus.as_bytes()), body.as_bytes());
        assert_eq!(judge(&keys, &format!("{body}.{}", B64.encode(tag))), Err(Refused::UnknownKey));
    }

    #[test]
    fn a_key_is_chosen_by_name_or_by_being_the_only_one() {
        let key = key();
        let nameless = sign(&key, &json!({"alg": "RS256"}), &good());
        let jwk = serde_json::to_value(key.jwk()).unwrap();
        let mut other = jwk.clone();
        other["kid"] = json!("k2");
        assert_eq!(judge(&json!({"keys": [jwk]}), &nameless), Ok(()));
        assert_eq!(judge(&json!({"keys": [jwk, other]}), &nameless), Err(Refused::UnknownKey));
        let mut encrypting = jwk.clone();
        encrypting["use"] = json!("enc");
        assert_eq!(judge(&json!({"keys": [encrypting]}), &nameless), Err(Refused::UnknownKey));
        for broken in [json!({}), json!({"keys": {}}), json!([]), json!({"keys": [1, null, {"kty": "RSA"}]})] {
            assert!(judge(&broken, &nameless).is_err(), "{broken}");
        }
    }
}
