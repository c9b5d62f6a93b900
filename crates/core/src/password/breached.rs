//! Passwords that were in somebody's breach. Two sources: a range server (the first five digits of the SHA-1 go out, all
//! hashes that begin so come back, so that nobody learns the password), or a sorted file of hashes on this machine.

use crate::app::Scope;
use crate::outbound::{self, Method, OutboundRequest};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use doorward_base::*;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;
use url::Url;

/// How long the range server may take unless the configuration says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
/// The range server that everybody may use.
pub const DEFAULT_URL: &str = "https://api.pwnedpasswords.com/";
/// The most bytes of a line of the file, its end included.
const MAX_LINE: usize = 128;
/// Digits of a SHA-1 in hexadecimal.
const DIGITS: usize = 40;

/// Where breached passwords are looked up.
#[derive(Clone, Debug)]
pub enum Source {
    /// At a range server: `<url>range/<five digits>`.
    Server {
        /// Its address; ends with a slash.
        url: Url,
        /// How long it may take.
        timeout: Duration,
    },
    /// In a file with one SHA-1 a line, in hexadecimal, sorted; `:` and a count may follow.
    File(PathBuf),
}

impl Source {
    /// A range server.
    ///
    /// # Errors
    /// When the address is no http or https address.
    pub fn server(url: &str, timeout: Duration) -> Result<Self, String> {
        let slashed = if url.ends_with('/') { url.to_owned() } else { format!("{url}/") };
        let url: Url = slashed.parse().map_err(|error| format!("{error}"))?;
        let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        if plain { Ok(Self::Server { url, timeout }) } else { Err("must be an http or https address without a query".to_owned()) }
    }
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Yes,
    No,
    /// Nobody could say; it was logged and counted.
    Unknown,
}

/// Looks a password up. Never call it inside a transaction.
pub(crate) async fn look_up(scope: &Scope, password: &Secret) -> Found {
    let hash = hex::encode_upper(digest(&SHA1_FOR_LEGACY_USE_ONLY, password.expose().as_bytes()));
    let answer = match scope.app.passwords.breached() {
        None => Err("no source is configured".to_owned()),
        Some(Source::Server { url, timeout }) => ask(scope, url, *timeout, &hash).await,
        Some(Source::File(path)) => {
            let path = path.clone();
            let found = tokio::task::spawn_blocking(move || contains(&path, &hash)).await;
            found.map_err(|error| error.to_string()).and_then(|found| found.map_err(|error| error.to_string()))
        }
    };
    match answer {
        Ok(true) => Found::Yes,
        Ok(false) => Found::No,
        Err(error) => {
            tracing::warn!(%error, "a password could not be held against the breached ones");
            metrics::counter!("doorward_breached_check_failures_total").increment(1);
            Found::Unknown
        }
    }
}

async fn ask(scope: &Scope, server: &Url, timeout: Duration, hash: &str) -> Result<bool, String> {
    let (prefix, rest) = hash.split_at(5);
    let url = server.join(&format!("range/{prefix}")).map_err(|error| error.to_string())?;
    // Padding hides from who sees the length of the answer which range it is.
    let request = OutboundRequest { timeout, ..OutboundRequest::new(Method::Get, url) }.header("add-padding", "true");
    let answer = outbound::send(scope, request).await.map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(format!("the range server answered {}", answer.status));
    }
    in_range(&String::from_utf8_lossy(&answer.body), rest)
}

/// Finds a hash among `<rest of the hash>:<count>`. A count of zero is padding.
fn in_range(text: &str, rest: &str) -> Result<bool, String> {
    let mut found = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (suffix, count) = line.trim().split_once(':').ok_or("the range server answered something else than a range")?;
        let count: u64 = count.parse().map_err(|_| "the range server answered something else than a range")?;
        found |= count > 0 && suffix.eq_ignore_ascii_case(rest);
    }
    Ok(found)
}

/// Looks a hash (upper case) up in a sorted file by halving it: about thirty reads of a few bytes, whatever its size.
pub(super) fn contains(path: &Path, hash: &str) -> io::Result<bool> {
    let mut file = File::open(path)?;
    // A line that begins with the hash begins in low..high, if there is one.
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0))?);
    while low < high {
        let middle = low + (high - low) / 2;
        let Some(start) = line_from(&mut file, middle)?.filter(|start| *start < high) else {
            high = middle;
            continue;
        };
        match hash_at(&mut file, start)?.as_str().cmp(hash) {
            std::cmp::Ordering::Equal => return Ok(true),
            std::cmp::Ordering::Less => low = start + DIGITS as u64,
            std::cmp::Ordering::Greater => high = middle,
        }
    }
    Ok(false)
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the list of breached passwords is not one SHA-1 a line")
}

/// Where the first line begins that begins at `at` or later.
fn line_from(file: &mut File, at: u64) -> io::Result<Option<u64>> {
    let Some(before) = at.checked_sub(1) else { return Ok(Some(0)) };
    let bytes = read(file, before, MAX_LINE)?;
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => Ok(Some(before + end as u64 + 1)),
        None if bytes.len() < MAX_LINE => Ok(None),
        None => Err(malformed()),
    }
}

fn hash_at(file: &mut File, at: u64) -> io::Result<String> {
    let bytes = read(file, at, DIGITS)?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?.to_ascii_uppercase();
    if text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) { Ok(text) } else { Err(malformed()) }
}

fn read(file: &mut File, at: u64, most: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut out = Vec::with_capacity(most);
    file.take(most as u64).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
#[path = "breached_tests.rs"]
mod tests;
