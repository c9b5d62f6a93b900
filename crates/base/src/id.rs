use crate::{Rng, Timestamp};

/// A fresh KSUID: 27 characters that sort by the second in which they were made.
fn ksuid(now: Timestamp, rng: &Rng) -> String {
    // The KSUID epoch, 13 May 2014, in Unix seconds.
    const EPOCH: i64 = 1_400_000_000;
    let seconds = u32::try_from((now / 1000 - EPOCH).max(0)).unwrap_or(u32::MAX);
    let mut raw = [0; 20];
    raw[..4].copy_from_slice(&seconds.to_be_bytes());
    raw[4..].copy_from_slice(&rng.bytes::<16>());
    base62(raw)
}

/// 160 bits as 27 characters, most significant first. Written here because the library for it brings the operating
/// system's randomness along, which WebAssembly does not have.
fn base62(mut number: [u8; 20]) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut out = [b'0'; 27];
    for place in out.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or(u8::MAX);
            remainder = value % 62;
        }
        *place = DIGITS[remainder as usize];
    }
    out.iter().map(|b| char::from(*b)).collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// What an id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id.
            pub fn new(now: Timestamp, rng: &Rng) -> Self {
                Self(format!(concat!($prefix, "{}"), ksuid(now, rng)))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        /// Any text: an id that was never given out is simply not found.
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// An instance: one tenant with its own keys, users and settings.
    InstanceId = "ins_";
    /// A user.
    UserId = "user_";
    /// A client: one browser or device.
    ClientId = "client_";
    /// A session of one user on one client.
    SessionId = "sess_";
    /// A sign-in attempt.
    SignInId = "sia_";
    /// A sign-up attempt.
    SignUpId = "sua_";
    /// An e-mail address or another identifier of a user.
    IdentificationId = "idn_";
    /// One proof in progress: a code that was sent and not yet entered.
    VerificationId = "ver_";
    /// A ticket with which a user signs in once.
    SignInTokenId = "sit_";
    /// A ticket with which somebody acts as a user.
    ActorTokenId = "act_";
    /// What an agent may do as a user.
    AgentTaskId = "agent_task_";
    /// An entry of the allow list or the block list.
    AccessIdentifierId = "alid_";
    /// An invitation to sign up.
    InvitationId = "inv_";
    /// An entry of the waitlist.
    WaitlistEntryId = "wle_";
    /// An address to which people may be sent back.
    RedirectUrlId = "ru_";
    /// An authenticator app's secret.
    TotpId = "totp_";
    /// A set of backup codes.
    BackupCodesId = "bkc_";
    /// A passkey.
    PasskeyId = "psk_";
    /// A device whose app holds a key for its user.
    TrustedDeviceId = "td_";
    /// An account at another provider.
    ExternalAccountId = "eac_";
    /// A development browser.
    DevBrowserId = "dvb_";
    /// A satellite: another domain of an instance.
    DomainId = "dmn_";
    /// A secret key's public handle.
    SecretKeyId = "key_";
    /// A job of the outbox.
    JobId = "job_";
    /// A picture that somebody uploaded.
    ImageId = "img_";
    /// An event that webhook endpoints are told of.
    EventId = "evt_";
    /// A webhook endpoint.
    EndpointId = "ep_";
    /// One try at delivering an event to an endpoint.
    AttemptId = "atmpt_";
    /// A message in the development inbox.
    MessageId = "msg_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_that_of_the_ksuid_library() {
        assert_eq!(base62([0; 20]), "000000000000000000000000000");
        assert_eq!(base62([255; 20]), "aWgEPTl1tmebfsQzFP4bxwgy80V");
        let mut raw = [0; 20];
        raw[19] = 62;
        assert_eq!(base62(raw), "000000000000000000000000010");
    }

    #[test]
    fn ids_carry_their_prefix_and_sort_by_second() {
        let rng = Rng::seeded(1);
        let early = UserId::new(1_700_000_000_000, &rng);
        let late = UserId::new(1_700_000_001_000, &rng);
        assert_eq!(early.as_str().len(), "user_".len() + 27);
        assert!(early.as_str().starts_with("user_"));
        assert!(early < late);
        assert_ne!(early, UserId::new(1_700_000_000_000, &rng));
    }
}
