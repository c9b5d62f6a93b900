//! The text that a wallet signs: that of ERC-4361, which Solana's wallets know in the same form.

use super::{Address, Chain};
use crate::rfc3339;
use crate::verification::LIFETIME_MS;
use doorward_base::*;

/// Writes the text. `uri` is the page that asks. All of it is ASCII: wallets and SDKs encode anything else in more than one way.
///
/// # Errors
/// `origin_invalid` for a page whose address cannot be read.
pub(super) fn write(address: &Address, uri: &str, nonce: &str, now: Timestamp) -> Result<String, ApiError> {
    let page = url::Url::parse(uri).map_err(|_| codes::ORIGIN_INVALID)?;
    let host = page.host_str().ok_or(codes::ORIGIN_INVALID)?;
    let domain = page.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let (kind, chain_id) = match address.chain() {
        Chain::Ethereum => ("Ethereum", "\nChain ID: 1"),
        Chain::Solana => ("Solana", ""),
    };
    let (issued, expires) = (rfc3339(now)?, rfc3339(now + LIFETIME_MS)?);
    Ok(format!(
        "{domain} wants you to sign in with your {kind} account:\n{}\n\nSigning proves that this wallet is yours. It moves nothing and \
         costs nothing.\n\nURI: {}\nVersion: 1{chain_id}\nNonce: {nonce}\nIssued At: {issued}\nExpiration Time: {expires}",
        address.shown(),
        page.as_str().trim_end_matches('/'),
    ))
}
