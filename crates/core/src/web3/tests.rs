use super::*;
use base64::Engine as _;
use k256::ecdsa::SigningKey;
use proptest::prelude::*;
use sha3::{Digest as _, Keccak256};

/// Signs as wallets do (ERC-191), with the key whose 32 bytes are all `byte`.
fn signed(byte: u8, message: &str) -> (Address, String) {
    let key = SigningKey::from_slice(&[byte; 32]).unwrap();
    let hash = Keccak256::digest(format!("\x19Ethereum Signed Message:\n{}{message}", message.len()));
    let (signature, recovery) = key.sign_prehash_recoverable(&hash);
    let bytes = [signature.to_bytes().as_slice(), &[recovery.to_byte() + 27]].concat();
    let point = key.verifying_key().to_sec1_point(false);
    let address = format!("0x{}", hex::encode(&Keccak256::digest(&point.as_bytes()[1..])[12..]));
    (Address::parse(&address).unwrap(), format!("0x{}", hex::encode(bytes)))
}

#[test]
fn addresses_have_one_form_and_a_checksum_that_is_right_where_there_is_one() {
    // The examples of ERC-55.
    for shown in [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0xde709f2102306220921060314715629080e2fb77",
    ] {
        let address = Address::parse(shown).unwrap();
        assert_eq!((address.as_str(), address.shown()), (shown.to_ascii_lowercase().as_str(), shown.to_owned()));
        assert_eq!(Address::parse(&shown.to_ascii_lowercase()), Some(address));
    }
    let solana = "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv";
    assert_eq!(Address::parse(solana).map(|it| (it.chain(), it.shown())), Some((Chain::Solana, solana.to_owned())));
    for bad in [
        "",
        "0x",
        "0x0",
        "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaeg",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaedd",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaé",
        "7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaK0",
        "11111111111111111111111111111111\0",
        "1111111111111111111111111111111111111111111",
        "ada",
        "ada@example.com",
        "+12024560143",
    ] {
        assert_eq!(Address::parse(bad), None, "{bad:?}");
    }
}

#[test]
fn a_signature_is_its_signer_s_only_and_of_its_message_only() {
    let (address, signature) = signed(7, "a text");
    let bare = &signature[2..];
    assert_eq!(address.signed("a text", &signature), Some(true));
    assert_eq!(address.signed("a text", bare), Some(true));
    assert_eq!(address.signed("another text", &signature), Some(false));
    assert_eq!(signed(8, "a text").0.signed("a text", &signature), Some(false));
    // A ledger counts the recovery from 0.
    let last = u8::from_str_radix(&signature[130..], 16).unwrap() - 27;
    assert_eq!(address.signed("a text", &format!("{}{last:02x}", &signature[..130])), Some(true));
    assert_eq!(address.signed("a text", &format!("{}{:02x}", &signature[..130], 28 - last)), Some(false), "the other key");
}

/// A vector of `ethers`: the key `0x0123456789012345678901234567890123456789012345678901234567890123` signs "Hello World".
#[test]
fn a_signature_of_another_implementation_is_right() {
    let address = Address::parse("0x14791697260E4c9A71f18484C9f997B308e59325").unwrap();
    let signature = "0xe0ed34fbbe927a58267ce2e8067a611c69869e20e731bc99187a8bc97058664c16de07f7660f06ce0985d1d8e063726783033fda59b307897f2\
        6a21392d62b3a1c";
    assert_eq!(address.signed("Hello World", signature), Some(true));
    assert_eq!(address.signed("Hello World!", signature), Some(false));
    let signature = "0x96388634892807a35747cb423f92d7724616b2976c9cbb9cea41283a20a338261f6b4c6eb0a630f1f34c59e420c3d1c8ff07f35a7725901f87f\
        99dc2fbaad02e1b";
    assert_eq!(address.signed("Zwölf\nBoxkämpfer", signature), Some(true), "the length is that of the bytes");
}

#[test]
fn solana_s_signatures_are_read_in_both_alphabets() {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let address = Address::parse(&bs58::encode(key.public_key().as_ref()).into_string()).unwrap();
    let signature = key.sign(b"a text");
    for text in [base64::engine::general_purpose::STANDARD.encode(signature), bs58::encode(signature).into_string()] {
        assert_eq!(address.signed("a text", &text), Some(true), "{text}");
        assert_eq!(address.signed("another text", &text), Some(false));
    }
}

#[test]
fn the_text_to_sign_is_that_of_erc_4361() {
    let address = Address::parse("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed").unwrap();
    let text = message::write(&address, "http://localhost:3000", "abcdefgh12345678", 1_700_000_000_000).unwrap();
    assert_eq!(
        text,
        "localhost:3000 wants you to sign in with your Ethereum account:\n0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n\n\
         Signing proves that this wallet is yours. It moves nothing and costs nothing.\n\nURI: http://localhost:3000\nVersion: 1\n\
         Chain ID: 1\nNonce: abcdefgh12345678\nIssued At: 2023-11-14T22:13:20Z\nExpiration Time: 2023-11-14T22:23:20Z"
    );
    assert!(message::write(&address, "not a page", "abcdefgh", 0).is_err());
}

#[test]
fn fault_119_malformed_signatures_are_refused_and_break_nothing() {
    let ethereum = signed(7, "").0;
    let solana = Address::parse("7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv").unwrap();
    let of = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let mut bad: Vec<String> = (0..200).map(|length| of(&vec![1; length])).filter(|text| text.len() != 132).collect();
    bad.extend(["", "0x", "0", "0x0", "zz", "\0", "0xé", "🦀"].map(str::to_owned));
    bad.push(of(&[0; 65]));
    bad.push(of(&[0xff; 65]));
    for recovery in (4..27).chain(31..=255) {
        let mut bytes = [1; 65];
        bytes[64] = recovery;
        bad.push(of(&bytes));
    }
    for text in bad {
        assert_eq!(ethereum.signed("a text", &text), None, "{text}");
        assert_eq!(solana.signed("a text", &text), None, "{text}");
    }
    assert_eq!(solana.signed("a text", &base64::engine::general_purpose::STANDARD.encode([0; 64])), Some(false));
    assert_eq!(solana.signed("a text", &"A".repeat(100_000)), None);
}

proptest! {
    #[test]
    fn fault_119_no_bytes_make_a_panic_or_a_signature(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in ".{0,100}") {
        let (address, _) = signed(7, "");
        let solana = Address::parse("7S3P4HxJpyyigGzodYwHtCxZyUQe9JiBMHyRWXArAaKv").unwrap();
        for signature in [hex::encode(&bytes), bs58::encode(&bytes).into_string(), text.clone()] {
            prop_assert_ne!(address.signed(&text, &signature), Some(true));
            prop_assert_ne!(solana.signed(&text, &signature), Some(true));
        }
        prop_assert!(Address::parse(&text).is_none_or(|it| Address::parse(it.as_str()).as_ref() == Some(&it)));
    }
}
