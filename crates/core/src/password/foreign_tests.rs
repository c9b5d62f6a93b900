use super::*;

const PASSWORD: &str = "correct horse";

/// One digest of each form. Where nothing else is said the password is [`PASSWORD`] and the digest was made with Python's
/// hashlib.
const KNOWN: &[(&str, &str, &str)] = &[
    // From the reference implementation's own tests.
    ("argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA", "password"),
    ("argon2id", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"),
    ("argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"),
    // From the tests of crypt_blowfish.
    ("bcrypt", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    ("bcrypt", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"),
    // The same, with its last character as the pepper.
    ("bcrypt_peppered", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW$U", "U*"),
    // With Python's bcrypt over the hexadecimal digits that hashlib gives.
    ("bcrypt_sha256_django", "bcrypt_sha256$$2b$04$U94NnPgpUx.mh317aSg1BO/4VbzQAKTVrnqLCqBou7mW8lZ7qtQO2", PASSWORD),
    // With Python's hmac over `PASSWORD.encode("utf-16-le")`; the key in base64, as UTF-8, as UTF-16.
    ("hmac_sha256_utf16_b64", "hmac_sha256_utf16_b64$aUpj0I2nYKSwXmAbHXYqYo8LBU0jdnbue6+RlVaKTX8=$c2FsdHkgc2FsdHkgc2FsdA==", PASSWORD),
    ("hmac_sha256_utf16_b64", "hmac_sha256_utf16_b64$USTZuqS/QSOXOIFuwHT7/T41WIYyWemASsXoNXpnymA=$peppe-r", PASSWORD),
    ("hmac_sha256_utf16_b64", "hmac_sha256_utf16_b64$QjeIr99t/KZnwLcK3NpJVtNME5s/DQZQSehKL+sQnEs=$peppe-r", PASSWORD),
    ("ldap_ssha", "{SSHA}awc/Cj0kafyFd5d8fGn07xoHBJJzYWx0c2FsdA==", PASSWORD),
    ("md5", "3cb4e732631f47e6eb961f34554b7cde", PASSWORD),
    ("md5", "3CB4E732631F47E6EB961F34554B7CDE", PASSWORD),
    ("md5_salted", "pepper$52f36768c11844771e5f7ff576e2dba2", PASSWORD),
    ("md5_salted", "pepper$edf3863f78323b0ef4b0a008412eab5e", PASSWORD),
    // From the tests of phpass.
    ("phpass", "$P$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345"),
    ("phpass", "$H$9IQRaTwmfeRo7ud9Fh4E2PdI0S3r.L0", "test12345"),
    ("phpass", "$P$7saltsalt5SNqRssyrNAyP.gdwP.Yy.", PASSWORD),
    ("md5_phpass", "$P$7saltsaltgprZ407.kEi28mIav8d.u/", PASSWORD),
    ("pbkdf2_sha1", "pbkdf2_sha1$1000$salty$4392010ba0d85b84238eb9bd274439cb17c556c7f943d7651d428722d4134e86", PASSWORD),
    ("pbkdf2_sha1", "pbkdf2_sha1$1000$00ff10$08ee53cf3ae2bc40280d9f8a888a28f6146dfde5$20", PASSWORD),
    // RFC 6070.
    ("pbkdf2_sha1", "pbkdf2_sha1$4096$73616c74$4b007901b765489abead49d926f721d065a429c1", "password"),
    ("pbkdf2_sha256", "pbkdf2_sha256$1000$c2FsdHk=$DzvaoPDWHNlO+0p5E04mScIUiNVjJ8YpgYitYTNqHo8=", PASSWORD),
    ("pbkdf2_sha256", "pbkdf2_sha256$1000$c2FsdHk$DzvaoPDWHNlO+0p5E04mScIUiNVjJ8YpgYitYTNqHo8", PASSWORD),
    ("pbkdf2_sha256_django", "pbkdf2_sha256$1000$salty$DzvaoPDWHNlO+0p5E04mScIUiNVjJ8YpgYitYTNqHo8=", PASSWORD),
    (
        "pbkdf2_sha512",
        "pbkdf2_sha512$1000$salty$ccdc5ddffc6aba203c708544ae842cbad110e7fc98a1a45d82431eba29cf7378bd871e71e801bef54b3623f4cca752cdfe4cc102ed4b1f97c97168913f13689a",
        PASSWORD,
    ),
    (
        "pbkdf2_sha512_hex",
        "pbkdf2_sha512_hex$1000$00ff10$059400e19ef157a05d5e8563e8e945b4b73dbadd0af3cd99f9d0c7987b07fc9e9aefb44161b4e2dc8c5884b5c725e4e506a06ae17772c3600d8aa39e24d2a975",
        PASSWORD,
    ),
    // From the documents of Firebase's scrypt.
    (
        "scrypt_firebase",
        "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==$42xEC+ixf3L2lw==$jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$Bw==$8$14",
        "user1password",
    ),
    (
        "scrypt_werkzeug",
        "scrypt:1024:8:1$salty$9276976979127bc9b3f9daf87d643f9e61e4b4b6ae06e5b47b1eee7a497690ae50b51d9fbcb7aa26e1847f2a72c7418c0fd58674fb6746b5b0717a6c6be6fcbe",
        PASSWORD,
    ),
    ("sha256", "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631", PASSWORD),
    ("sha256_salted", "pepper$869a1fa0609a1d15a5c3eb891428b7a6c8395b2ee10c4762e97ffca0ebe8c0b5", PASSWORD),
    ("sha256_salted", "pepper$8a20677826351fcddb2a88d0c11867b9791797798e648b89ac09630c1802cb90", PASSWORD),
    (
        "sha512_symfony",
        "sha512_symfony$50$salty$+IGodmP+RldIUclsTwqwZMOmljBnXUosYl6qOJr/gNm727AfoZzdlFb2GXUQySyHKYllOd/DZRSEybJqsdx/iQ==",
        PASSWORD,
    ),
];

fn matches(kept: &str, password: &str) -> bool {
    read(kept).is_some_and(|kept| kept.matches(password.as_bytes()))
}

fn refusal(hasher: &str, digest: &str) -> Option<(&'static str, Option<String>)> {
    import(hasher, digest).err().map(|e| (e.code().code, e.meta().param_name.clone()))
}

const INVALID: &str = "form_password_digest_invalid_code";

#[test]
fn known_digests_fit_their_passwords_and_no_others() {
    for (hasher, digest, password) in KNOWN {
        let kept = import(hasher, digest).unwrap();
        assert!(matches(&kept, password), "{hasher} {digest}");
        for wrong in [format!("{password}x"), password[1..].to_owned(), password.to_uppercase() + " ", String::new()] {
            assert!(!matches(&kept, &wrong), "{hasher} {digest} {wrong:?}");
        }
    }
}

#[test]
fn a_digest_of_django_s_bcrypt_sha256_is_one_of_the_hexadecimal_sha256() {
    // bcrypt of 4104d36f..7b5631, which hashlib gives for the password.
    let hexed = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
    let kept = import("bcrypt_sha256_django", &format!("bcrypt_sha256${}", bcrypt::hash_with_salt(hexed, 4, [7; 16]).unwrap())).unwrap();
    assert!(matches(&kept, PASSWORD));
    assert!(!matches(&kept, hexed));
}

#[test]
fn every_hasher_is_tested_and_the_rest_are_refused_by_name() {
    for (name, hasher) in NAMES {
        assert_eq!(Hasher::parse(name), Some(*hasher));
        assert!(KNOWN.iter().any(|(known, ..)| known == name), "{name}");
    }
    for name in ["awscognito", "rot13", "", "MD5"] {
        assert_eq!(refusal(name, "x"), Some(("form_param_value_invalid", Some("password_hasher".to_owned()))), "{name}");
    }
}

#[test]
fn argon2id_is_kept_as_it_is_and_everything_else_under_its_name() {
    for (hasher, digest, _) in KNOWN {
        let kept = if *hasher == "argon2id" { (*digest).to_owned() } else { format!("{hasher}:{digest}") };
        assert_eq!(import(hasher, digest).unwrap(), kept);
    }
}

#[test]
fn fault_127_a_digest_that_costs_too_much_is_refused_at_import_and_at_verification() {
    let (salt, hash) = ("c29tZXNhbHRzb21l", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let (zeros, bcrypt) = ("00".repeat(32), "abcdefghijklmnopqrstuuabcdefghijklmnopqrstuabcdefghii");
    for (hasher, good, bad) in [
        ("argon2id", format!("$argon2id$v=19$m=131072,t=2,p=1${salt}${hash}"), format!("$argon2id$v=19$m=4194304,t=2,p=1${salt}${hash}")),
        ("argon2id", format!("$argon2id$v=19$m=19456,t=10,p=1${salt}${hash}"), format!("$argon2id$v=19$m=19456,t=11,p=1${salt}${hash}")),
        ("argon2i", format!("$argon2i$v=19$m=19456,t=2,p=16${salt}${hash}"), format!("$argon2i$v=19$m=19456,t=2,p=17${salt}${hash}")),
        ("bcrypt", format!("$2b$14${bcrypt}"), format!("$2b$15${bcrypt}")),
        ("bcrypt", format!("$2b$04${bcrypt}"), format!("$2b$31${bcrypt}")),
        ("bcrypt", format!("$2b$04${bcrypt}"), format!("$2b$03${bcrypt}")),
        ("bcrypt_sha256_django", format!("bcrypt_sha256$$2b$14${bcrypt}"), format!("bcrypt_sha256$$2b$31${bcrypt}")),
        ("pbkdf2_sha512_hex", format!("pbkdf2_sha512_hex$1000000$00${zeros}"), format!("pbkdf2_sha512_hex$1000001$00${zeros}")),
        ("pbkdf2_sha256_django", format!("pbkdf2_sha256$1000000$s${hash}"), format!("pbkdf2_sha256$1000000000$s${hash}")),
        ("pbkdf2_sha1", format!("pbkdf2_sha1$500000$00${zeros}"), format!("pbkdf2_sha1$1000000$00${zeros}")),
        ("scrypt_werkzeug", format!("scrypt:131072:8:1$s${zeros}"), format!("scrypt:262144:8:1$s${zeros}")),
        ("scrypt_werkzeug", format!("scrypt:131072:8:2$s${zeros}"), format!("scrypt:131072:8:3$s${zeros}")),
        ("scrypt_firebase", format!("{hash}${salt}${hash}$Bw==$8$17"), format!("{hash}${salt}${hash}$Bw==$8$18")),
        ("scrypt_firebase", format!("{hash}${salt}${hash}$Bw==$8$14"), format!("{hash}${salt}${hash}$Bw==$4294967295$14")),
        ("phpass", "$P$Fsaltsalt5SNqRssyrNAyP.gdwP.Yy.".to_owned(), "$P$Gsaltsalt5SNqRssyrNAyP.gdwP.Yy.".to_owned()),
        ("sha512_symfony", format!("sha512_symfony$100000$s${}", "A".repeat(86)), format!("sha512_symfony$100001$s${}", "A".repeat(86))),
    ] {
        assert_eq!(refusal(hasher, &good), None, "{good}");
        assert_eq!(refusal(hasher, &bad), Some((INVALID, Some("password_digest".to_owned()))), "{bad}");
        assert!(read(&format!("{hasher}:{bad}")).is_none(), "{bad}");
        assert!(hasher != "argon2id" || read(&bad).is_none(), "{bad}");
    }
}

#[test]
fn fault_128_passwords_of_which_bcrypt_would_see_a_part_do_not_match() {
    for hasher in ["bcrypt", "bcrypt_peppered"] {
        let full = "x".repeat(72);
        let digest = bcrypt::hash_with_salt(&full, 4, [7; 16]).unwrap().to_string() + if hasher == "bcrypt" { "" } else { "$pepper" };
        let kept = import(hasher, &digest).unwrap();
        assert!(matches(&kept, &full));
        assert!(!matches(&kept, &format!("{full}y")));
        assert!(!matches(&kept, &"x".repeat(4096)));
    }
    let kept = import("bcrypt", &bcrypt::hash_with_salt("abc", 4, [7; 16]).unwrap().to_string()).unwrap();
    assert!(matches(&kept, "abc"));
    assert!(!matches(&kept, "abc\0") && !matches(&kept, "abc\0abc") && !matches(&kept, "abc\0xyz"));
}

#[test]
fn fault_129_empty_digests_and_salts_are_refused() {
    let zeros = "00".repeat(64);
    for (name, _) in NAMES {
        for digest in ["", "$", "$$", "$$$", "$$$$", ":", " ", "\0", &"a".repeat(MAX_DIGEST_BYTES + 1)] {
            assert_eq!(refusal(name, digest), Some((INVALID, Some("password_digest".to_owned()))), "{name} {digest:?}");
        }
    }
    for (hasher, digest) in [
        ("argon2id", "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned()),
        ("argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$".to_owned()),
        ("argon2id", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$AAAA".to_owned()),
        ("argon2id", "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned()),
        ("argon2i", "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4".to_owned()),
        ("bcrypt", "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW".to_owned()),
        ("bcrypt_peppered", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW$".to_owned()),
        ("bcrypt_sha256_django", "bcrypt_sha256$".to_owned()),
        ("hmac_sha256_utf16_b64", "hmac_sha256_utf16_b64$$a2V5".to_owned()),
        ("hmac_sha256_utf16_b64", "hmac_sha256_utf16_b64$AAAA$a2V5".to_owned()),
        ("hmac_sha256_utf16_b64", format!("hmac_sha256_utf16_b64${}=$", "A".repeat(43))),
        ("ldap_ssha", "{SSHA}".to_owned()),
        ("ldap_ssha", "{SSHA}awc/Cj0kafyFd5d8fGn07xoHBJI=".to_owned()),
        ("md5_salted", "$52f36768c11844771e5f7ff576e2dba2".to_owned()),
        ("sha256_salted", "pepper$".to_owned()),
        ("pbkdf2_sha1", format!("pbkdf2_sha1$1000$${zeros}")),
        ("pbkdf2_sha1", format!("pbkdf2_sha1$0$00${zeros}")),
        ("pbkdf2_sha1", format!("pbkdf2_sha1$1000$00${zeros}$32")),
        ("pbkdf2_sha256", "pbkdf2_sha256$1000$c2FsdHk=$".to_owned()),
        ("pbkdf2_sha256_django", "pbkdf2_sha256$1000$$DzvaoPDWHNlO+0p5E04mScIUiNVjJ8YpgYitYTNqHo8=".to_owned()),
        ("pbkdf2_sha256_django", "pbkdf2_sha256$1000$salty$AAAA".to_owned()),
        ("pbkdf2_sha512", format!("pbkdf2_sha512$1000$${zeros}")),
        ("scrypt_werkzeug", format!("scrypt:1024:8:1$${zeros}")),
        ("scrypt_werkzeug", format!("scrypt:1023:8:1$salty${zeros}")),
        ("scrypt_werkzeug", "scrypt:1024:8:1$salty$".to_owned()),
        ("scrypt_firebase", "$42xEC+ixf3L2lw==$$Bw==$8$14".to_owned()),
        ("sha512_symfony", format!("sha512_symfony$50$${}", "A".repeat(86))),
        ("sha512_symfony", format!("sha512_symfony$0$s${}", "A".repeat(86))),
    ] {
        assert_eq!(refusal(hasher, &digest), Some((INVALID, Some("password_digest".to_owned()))), "{hasher} {digest}");
    }
}

#[test]
fn fault_055_digests_cheaper_than_ours_are_known_to_be() {
    let cheap = |hasher: &str, digest: &str| read(&import(hasher, digest).unwrap()).unwrap().is_cheap();
    for (hasher, digest, _) in KNOWN {
        let slow = digest.contains("m=65536") || *hasher == "scrypt_firebase";
        assert_eq!(cheap(hasher, digest), !slow, "{hasher} {digest}");
    }
    assert!(!cheap("bcrypt", "$2b$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}
