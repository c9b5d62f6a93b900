//! Files with users: read a row at a time, so that their size does not matter.

use csv::StringRecord;
use doorward_base::{ApiError, codes};
use doorward_core::users::{ImportedIdentifier, ImportedProof, ImportedUser, PassedOver};
use serde::Deserialize as _;
use serde_json::{Map, Value};
use std::io::{BufRead, Read};

/// The most that one user may take up in a file, in bytes.
const MAX_ROW: u64 = 1024 * 1024;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// By the first character: `[` begins JSON, `{` JSONL, anything else CSV.
    Auto,
    /// The hosted service's export of users.
    ClerkCsv,
    /// An array of user objects, as the Backend API answers them.
    ClerkJson,
    /// A user object on each line, as `doorward user export` writes them.
    Jsonl,
}

/// A row: where it begins, and what it says or what is wrong with it.
pub(super) type Row = (u64, Result<ImportedUser, ApiError>);

/// The rows of a file.
pub(super) enum Rows<R> {
    Csv { reader: csv::Reader<Counted<R>>, columns: StringRecord },
    Json { reader: Counted<R>, begun: bool },
    Jsonl { reader: R, line: u64 },
}

fn unreadable(what: impl Into<String>) -> ApiError {
    ApiError::new(codes::FORM_PARAM_FORMAT_INVALID).long(what)
}

/// A user from JSON. What the parser says quotes the value: only the place and the name are told.
fn user(value: Value) -> Result<ImportedUser, ApiError> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { "the user".to_owned() } else { path };
        unreadable(format!("{path} has the wrong type.")).param(path)
    })
}

impl<R: BufRead> Rows<R> {
    /// Begins to read. CSV has its column names in the first row.
    pub(super) fn new(mut reader: R, format: Format) -> anyhow::Result<Self> {
        let format = match format {
            Format::Auto => guess(&mut reader)?,
            given => given,
        };
        Ok(match format {
            Format::ClerkJson => Self::Json { reader: Counted::new(reader), begun: false },
            Format::Jsonl => Self::Jsonl { reader, line: 0 },
            Format::ClerkCsv | Format::Auto => {
                let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(Counted::new(reader));
                let columns = reader.headers()?.clone();
                if !columns.iter().any(|name| COLUMNS.contains(&name)) {
                    anyhow::bail!("the first row names none of the columns {}", COLUMNS.join(", "));
                }
                Self::Csv { reader, columns }
            }
        })
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// When nothing after this can be made sense of.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        match self {
            Self::Csv { reader, columns } => {
                let mut record = StringRecord::new();
                reader.get_mut().left = MAX_ROW;
                let line = reader.position().line();
                match reader.read_record(&mut record) {
                    Ok(false) => Ok(None),
                    Ok(true) => Ok(Some((record.position().map_or(line, csv::Position::line), from_csv(columns, &record)))),
                    Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => {
                        Ok(Some((line, Err(unreadable("The row is not UTF-8.")))))
                    }
                    Err(error) => Err(error.into()),
                }
            }
            Self::Jsonl { reader, line } => jsonl(reader, line),
            Self::Json { reader, begun } => json(reader, begun),
        }
    }
}

/// By the first character that is no white space. Nothing is consumed, so that lines are counted from the first one.
fn guess(reader: &mut impl BufRead) -> anyhow::Result<Format> {
    Ok(match reader.fill_buf()?.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => Format::ClerkJson,
        Some(b'{') | None => Format::Jsonl,
        Some(_) => Format::ClerkCsv,
    })
}

fn jsonl(reader: &mut impl BufRead, line: &mut u64) -> anyhow::Result<Option<Row>> {
    loop {
        let mut text = Vec::new();
        *line += 1;
        if reader.take(MAX_ROW).read_until(b'\n', &mut text)? == 0 {
            return Ok(None);
        }
        if text.len() as u64 == MAX_ROW && !text.ends_with(b"\n") {
            anyhow::bail!("line {line}: a user may take up {MAX_ROW} bytes at most");
        }
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let value = serde_json::from_slice(&text).map_err(|error| unreadable(format!("Not JSON (column {}).", error.column())));
        return Ok(Some((*line, value.and_then(user))));
    }
}

/// The next element of an array. JSON that is broken has no next element.
fn json(reader: &mut Counted<impl BufRead>, begun: &mut bool) -> anyhow::Result<Option<Row>> {
    let broken = |line: u64| anyhow::anyhow!("line {line}: not a JSON array of users");
    let expected = if *begun { b',' } else { b'[' };
    match reader.peek()? {
        Some(b']') if *begun => return Ok(None),
        Some(byte) if byte == expected => reader.skip(),
        _ => return Err(broken(reader.line)),
    }
    if reader.peek()? == Some(b']') && !*begun {
        return Ok(None);
    }
    *begun = true;
    let line = match reader.peek()? {
        Some(b'{') => reader.line,
        _ => return Err(broken(reader.line)),
    };
    reader.left = MAX_ROW;
    let value = Value::deserialize(&mut serde_json::Deserializer::from_reader(&mut *reader)).map_err(|_| match reader.left {
        0 => anyhow::anyhow!("line {line}: a user may take up {MAX_ROW} bytes at most"),
        _ => broken(reader.line),
    })?;
    Ok(Some((line, user(value))))
}

/// A reader that knows its line and gives no more than a row may have.
pub(super) struct Counted<R> {
    reader: R,
    line: u64,
    left: u64,
}

impl<R: BufRead> Counted<R> {
    fn new(reader: R) -> Self {
        Self { reader, line: 1, left: MAX_ROW }
    }

    /// The next byte that is no white space, left where it is.
    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        loop {
            match self.reader.fill_buf()?.first().copied() {
                Some(byte) if byte.is_ascii_whitespace() => self.skip(),
                other => return Ok(other),
            }
        }
    }

    fn skip(&mut self) {
        if let Ok(&[byte, ..]) = self.reader.fill_buf() {
            self.line += u64::from(byte == b'\n');
        }
        self.reader.consume(1);
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            return Err(std::io::Error::other(format!("line {}: a user may take up {MAX_ROW} bytes at most", self.line)));
        }
        let most = into.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let read = self.reader.read(&mut into[..most])?;
        self.left -= read as u64;
        self.line += into[..read].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        Ok(read)
    }
}

/// The hosted service's columns, in its order.
pub(super) const COLUMNS: [&str; 13] = [
    "id",
    "first_name",
    "last_name",
    "username",
    "primary_email_address",
    "primary_phone_number",
    "verified_email_addresses",
    "unverified_email_addresses",
    "verified_phone_numbers",
    "unverified_phone_numbers",
    "totp_secret",
    "password_digest",
    "password_hasher",
];

/// Ours, behind them: a text, or else JSON. Others are passed over and counted.
pub(super) const OWN_COLUMNS: [&str; 18] = [
    "external_id",
    "locale",
    "public_metadata",
    "private_metadata",
    "unsafe_metadata",
    "banned",
    "locked",
    "bypass_client_trust",
    "delete_self_enabled",
    "create_organization_enabled",
    "create_organizations_limit",
    "password_compromised",
    "password_last_updated_at",
    "legal_accepted_at",
    "last_sign_in_at",
    "last_active_at",
    "created_at",
    "updated_at",
];
/// Which identifiers are reserved, of those that are not verified.
pub(super) const RESERVED_COLUMNS: [&str; 2] = ["reserved_email_addresses", "reserved_phone_numbers"];
/// Which of ours are texts.
const TEXTS: [&str; 2] = ["external_id", "locale"];

fn from_csv(columns: &StringRecord, record: &StringRecord) -> Result<ImportedUser, ApiError> {
    if record.len() != columns.len() {
        return Err(unreadable(format!("The row has {} columns, the first row has {}.", record.len(), columns.len())));
    }
    let of = |name: &str| {
        let at = columns.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
        at.and_then(|at| record.get(at)).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let identifiers = |kind: &str, kinds: &str| {
        let (primary, verified, unverified) =
            (of(&format!("primary_{kind}")), of(&format!("verified_{kinds}")), of(&format!("unverified_{kinds}")));
        listed(primary.as_deref(), verified.as_deref(), unverified.as_deref(), of(&format!("reserved_{kinds}")).as_deref())
    };
    let own = OWN_COLUMNS.iter().filter_map(|name| Some((*name, of(name)?)));
    let own = own.map(|(name, text)| Ok((name.to_owned(), own_value(name, text)?))).collect::<Result<Map<_, _>, ApiError>>()?;
    let names = columns.iter().map(|name| name.trim_start_matches('\u{feff}'));
    let unknown = names.filter(|name| !COLUMNS.contains(name) && !OWN_COLUMNS.contains(name) && !RESERVED_COLUMNS.contains(name));
    let other = unknown.filter_map(|name| Some((name.to_owned(), of(name)?.into()))).collect();
    Ok(ImportedUser {
        id: of("id"),
        first_name: of("first_name"),
        last_name: of("last_name"),
        username: of("username"),
        email_addresses: Some(identifiers("email_address", "email_addresses")),
        phone_numbers: Some(identifiers("phone_number", "phone_numbers")),
        totp_secret: of("totp_secret"),
        password_digest: of("password_digest"),
        password_hasher: of("password_hasher"),
        other,
        ..user(own.into())?
    })
}

fn own_value(name: &str, text: String) -> Result<Value, ApiError> {
    if TEXTS.contains(&name) {
        return Ok(text.into());
    }
    serde_json::from_str(&text).map_err(|_| unreadable(format!("{name} is not JSON.")).param(name))
}

/// A user in the columns of the hosted service's export, and ours.
pub(super) fn to_csv(user: &Map<String, Value>) -> Vec<String> {
    let hosted = COLUMNS.iter().map(|column| hosted_value(user, column));
    let own = OWN_COLUMNS.iter().map(|column| match user.get(*column) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => String::new(),
        Some(Value::Object(metadata)) if metadata.is_empty() => String::new(),
        Some(other) => other.to_string(),
    });
    let reserved = RESERVED_COLUMNS.iter().map(|column| hosted_value(user, column));
    hosted.chain(own).chain(reserved).collect()
}

fn hosted_value(user: &Map<String, Value>, column: &str) -> String {
    let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let value = |it: &Value, kind: &str| it[kind].as_str().unwrap_or_default().to_owned();
    match column.split_once('_') {
        Some(("primary", kind)) => {
            let (list, id) = if kind == "email_address" {
                ("email_addresses", "primary_email_address_id")
            } else {
                ("phone_numbers", "primary_phone_number_id")
            };
            let id = text(id);
            all(user, list).iter().find(|it| it["id"] == id.as_str()).map(|it| value(it, kind)).unwrap_or_default()
        }
        Some((state @ ("verified" | "unverified" | "reserved"), kinds)) => {
            let kind = if kinds == "email_addresses" { "email_address" } else { "phone_number" };
            let wanted = |it: &&Value| match state {
                "reserved" => it["reserved"] == true,
                _ => (it["verification"]["status"] == "verified") == (state == "verified"),
            };
            all(user, kinds).iter().filter(wanted).map(|it| value(it, kind)).collect::<Vec<_>>().join("|")
        }
        _ => text(column),
    }
}

fn all<'u>(user: &'u Map<String, Value>, kinds: &str) -> &'u [Value] {
    user.get(kinds).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Counts what of a user there is no column for.
pub(super) fn count_without_columns(user: &Map<String, Value>, left: &mut PassedOver) {
    for kinds in ["external_accounts", "web3_wallets"] {
        left.add(kinds, all(user, kinds).len() as u64);
    }
    left.add("backup_codes", u64::from(!all(user, "backup_codes").is_empty()));
    let kept = all(user, "phone_numbers").iter().filter(|it| it["reserved_for_second_factor"] == true);
    left.add("second_factor_numbers", kept.count() as u64);
}

/// The identifiers of a row, the primary one first. It is among the proven ones or among the others; where it is in neither
/// list it counts as proven, as the service has no other primary ones.
fn listed(primary: Option<&str>, verified: Option<&str>, unverified: Option<&str>, reserved: Option<&str>) -> Vec<ImportedIdentifier> {
    let split = |text: Option<&str>| -> Vec<String> {
        let parts = text.unwrap_or_default().split(|c: char| matches!(c, '|' | ',' | ';') || c.is_whitespace());
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let (mut proven, open, reserved) = (split(verified), split(unverified), split(reserved));
    if let Some(primary) = primary.filter(|it| !open.iter().any(|other| other == it)) {
        proven.retain(|other| other != primary);
        proven.insert(0, primary.to_owned());
    }
    let status = |proven: bool| Some(ImportedProof { status: proven.then(|| "verified".to_owned()), ..ImportedProof::default() });
    let identifier = |value: String, proven: bool| ImportedIdentifier {
        reserved: Some(reserved.contains(&value)),
        value,
        verification: status(proven),
        ..ImportedIdentifier::default()
    };
    let open = open.into_iter().filter(|other| !proven.contains(other)).map(|value| identifier(value, false)).collect::<Vec<_>>();
    proven.into_iter().map(|value| identifier(value, true)).chain(open).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, format: Format) -> Vec<(u64, Result<ImportedUser, String>)> {
        let mut rows = Rows::new(text.as_bytes(), format).unwrap();
        let next = || rows.next().unwrap().map(|(line, row)| (line, row.map_err(|e| e.meta().param_name.clone().unwrap_or_default())));
        std::iter::from_fn(next).collect()
    }

    fn seen(user: &ImportedUser) -> Vec<(&str, bool)> {
        let proven = |it: &ImportedIdentifier| it.verification.as_ref().is_some_and(|it| it.status.as_deref() == Some("verified"));
        user.email_addresses.iter().flatten().map(|it| (it.value.as_str(), proven(it))).collect()
    }

    #[test]
    fn the_hosted_service_s_csv_is_read() {
        let text = format!(
            "\u{feff}{}\nuser_1,Ada,\"Love, lace\",ada,b@example.com,+12015550123,a@example.com|b@example.com,c@example.com,,+12015550124,,$2a$10$x,bcrypt\n\
             user_2,,,,d@example.com,,,\"d@example.com\",,,,,\nuser_3,too,few\n",
            COLUMNS.join(",")
        );
        let rows = read(&text, Format::Auto);
        let ada = rows[0].1.as_ref().unwrap();
        assert_eq!((rows[0].0, ada.id.as_deref(), ada.last_name.as_deref()), (2, Some("user_1"), Some("Love, lace")));
        assert_eq!(seen(ada), [("b@example.com", true), ("a@example.com", true), ("c@example.com", false)]);
        assert_eq!((ada.password_digest.as_deref(), ada.password_hasher.as_deref()), (Some("$2a$10$x"), Some("bcrypt")));
        assert_eq!(ada.phone_numbers.as_ref().unwrap().len(), 2);
        let other = rows[1].1.as_ref().unwrap();
        assert_eq!((seen(other), other.password_digest.as_deref()), (vec![("d@example.com", false)], None));
        assert!(rows[2].0 == 4 && rows[2].1.is_err() && rows.len() == 3);
        assert!(Rows::new("name,age\nAda,36\n".as_bytes(), Format::Auto).is_err());
    }

    #[test]
    fn json_and_jsonl_are_read_with_their_lines() {
        let one = r#"{"id":"user_1","email_addresses":[{"id":"idn_1","email_address":"a@example.com","verification":{"status":"verified"}}],"object":"user"}"#;
        let rows = read(&format!("\n[\n  {one} ,\n\n {{\"id\":7}},{one}]\n"), Format::Auto);
        assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [3, 5, 5]);
        assert_eq!(seen(rows[0].1.as_ref().unwrap()), [("a@example.com", true)]);
        assert_eq!(rows[1].1.as_ref().unwrap_err(), "id");
        let rows = read(&format!("{one}\n\n{{nonsense\n{{\"email_addresses\":[{{\"id\":true}}]}}\n{one}"), Format::Auto);
        assert_eq!(rows.iter().map(|row| row.0).collect::<Vec<_>>(), [1, 3, 4, 5]);
        assert!(rows[1].1.is_err() && rows[3].1.is_ok());
        assert_eq!(rows[2].1.as_ref().unwrap_err(), "email_addresses[0].id");
        assert!(read("[]", Format::Auto).is_empty() && read("", Format::Auto).is_empty());
    }

    #[test]
    fn what_is_broken_or_endless_ends_the_reading() {
        let first = |text: &str| Rows::new(text.as_bytes(), Format::Auto).unwrap().next().map(drop);
        let long = "x".repeat(2 * 1024 * 1024);
        let quoted = format!("id,username\nuser_1,\"{long}");
        for bad in [
            quoted,
            format!("[{{\"id\":\"{long}\"}}]"),
            format!("{{\"id\":\"{long}\"}}"),
            "[{\"id\":\"user_1\"".to_owned(),
            "[7]".to_owned(),
        ] {
            assert!(first(&bad).is_err(), "{:.20}", bad);
        }
    }
}
