use super::authenticator_data::AuthenticatorData;
use super::challenge::is_within;
use super::key::PublicKey;
use ciborium::{Value, cbor};
use proptest::prelude::*;

fn encode(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

fn rsa(bits: usize, e: &[u8]) -> Vec<u8> {
    let mut n = vec![0xff; bits / 8];
    n.insert(0, 0);
    encode(&cbor!({1 => 3, 3 => -257, -1 => Value::Bytes(n), -2 => Value::Bytes(e.to_vec())}).unwrap())
}

#[test]
fn fault_097_weak_and_strange_keys_are_none() {
    let bytes = |n: usize| Value::Bytes(vec![1; n]);
    assert!(PublicKey::parse(&rsa(2048, &[1, 0, 1])).is_some());
    for (what, key) in [
        ("short modulus", rsa(1024, &[1, 0, 1])),
        ("2047 bits", {
            let mut key = rsa(2048, &[1, 0, 1]);
            let at = key.windows(2).position(|w| w == [0, 0xff]).unwrap();
            key[at + 1] = 0x7f;
            key
        }),
        ("exponent of one", rsa(2048, &[1])),
        ("even exponent", rsa(2048, &[4])),
        ("no exponent", rsa(2048, &[])),
        ("point on no curve", encode(&cbor!({1 => 2, 3 => -7, -1 => 1, -2 => bytes(32), -3 => bytes(32)}).unwrap())),
        ("halves of other lengths", encode(&cbor!({1 => 2, 3 => -7, -1 => 1, -2 => bytes(31), -3 => bytes(33)}).unwrap())),
        ("compressed point", encode(&cbor!({1 => 2, 3 => -7, -1 => 1, -2 => bytes(32), -3 => true}).unwrap())),
        ("short Ed25519 key", encode(&cbor!({1 => 1, 3 => -8, -1 => 6, -2 => bytes(31)}).unwrap())),
        ("another curve", encode(&cbor!({1 => 1, 3 => -8, -1 => 4, -2 => bytes(32)}).unwrap())),
        ("an algorithm of another kind of key", encode(&cbor!({1 => 1, 3 => -7, -1 => 6, -2 => bytes(32)}).unwrap())),
        ("a secret key", encode(&cbor!({1 => 4, 3 => 5, -1 => bytes(32)}).unwrap())),
        ("no algorithm", encode(&cbor!({1 => 1, -1 => 6, -2 => bytes(32)}).unwrap())),
        ("something behind it", [rsa(2048, &[1, 0, 1]), vec![0]].concat()),
        ("nothing", Vec::new()),
        ("nested too deep", vec![0x81; 10_000]),
    ] {
        assert!(PublicKey::parse(&key).is_none(), "{what}");
    }
}

#[test]
fn fault_095_a_domain_holds_its_own_hosts_only() {
    for (host, within) in [("example.com", true), ("a.b.example.com", true), ("badexample.com", false), ("example.com.evil.test", false)] {
        assert_eq!(is_within(host, "example.com"), within, "{host}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), flags in any::<u8>()) {
        let _ = PublicKey::parse(&bytes);
        let mut data = vec![0; 32];
        data.push(flags);
        data.extend(&bytes);
        if let Some(read) = AuthenticatorData::parse(&data) {
            prop_assert_eq!(read.attested.is_some(), flags & 0x40 != 0);
        }
    }
}
