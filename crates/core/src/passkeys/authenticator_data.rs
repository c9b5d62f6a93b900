const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const BACKUP_ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
const ATTESTED: u8 = 0x40;
const EXTENSIONS: u8 = 0x80;

/// What an authenticator says and signs (WebAuthn, section 6.1).
#[derive(Debug)]
pub(super) struct AuthenticatorData<'a> {
    /// SHA-256 of the relying party's id.
    pub rp_id_hash: &'a [u8],
    flags: u8,
    /// Grows with each signature; 0 where the authenticator does not count.
    pub sign_count: u32,
    /// The credential that was made, at registration.
    pub attested: Option<Attested<'a>>,
}

/// A credential that was made (WebAuthn, section 6.5.1).
#[derive(Debug)]
pub(super) struct Attested<'a> {
    /// Its id: 1023 bytes at most.
    pub credential_id: &'a [u8],
    /// Its public key, COSE.
    pub public_key: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    /// Reads all bytes; one too few or too many is an error.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (rp_id_hash, rest) = bytes.split_at_checked(32)?;
        let (flags, rest) = rest.split_first()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        let attested = if flags & ATTESTED == 0 { None } else { Some(Attested::take(&mut rest)?) };
        if flags & EXTENSIONS != 0 {
            cbor_item(&mut rest)?;
        }
        rest.is_empty().then_some(Self { rp_id_hash, flags: *flags, sign_count: u32::from_be_bytes(*count), attested })
    }

    /// Whether somebody was there.
    pub(super) fn user_present(&self) -> bool {
        self.flags & USER_PRESENT != 0
    }

    /// Whether the authenticator checked who it was.
    pub(super) fn user_verified(&self) -> bool {
        self.flags & USER_VERIFIED != 0
    }

    /// Whether the credential may be copied to other devices.
    pub(super) fn backup_eligible(&self) -> bool {
        self.flags & BACKUP_ELIGIBLE != 0
    }

    /// Whether it was.
    pub(super) fn backed_up(&self) -> bool {
        self.flags & BACKED_UP != 0
    }
}

impl<'a> Attested<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        // The model of the authenticator comes first; without attestation it proves nothing.
        let (_aaguid, after) = rest.split_at_checked(16)?;
        let (length, after) = after.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (credential_id, after) = after.split_at_checked(length).filter(|_| (1..=1023).contains(&length))?;
        *rest = after;
        let public_key = cbor_item(rest)?;
        Some(Self { credential_id, public_key })
    }
}

/// The bytes of the CBOR item that `rest` begins with; it is behind them afterwards.
fn cbor_item<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let before = *rest;
    let _: ciborium::Value = ciborium::de::from_reader_with_recursion_limit(&mut *rest, 8).ok()?;
    before.get(..before.len() - rest.len())
}
