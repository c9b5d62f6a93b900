//! Users in from a file and out into one.

use super::at::At;
use super::out;
use super::rows::{COLUMNS, Format, Rows};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use doorward_base::{ApiError, UserId};
use doorward_core::Scope;
use doorward_core::users::{self, ImportedUser, Outcome};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Users in one transaction.
const BATCH: usize = 100;
/// Users in a page of an export.
const PAGE: i64 = 200;
/// After how many users progress is told.
const PROGRESS: u64 = 1000;

/// Example: doorward user import --config doorward.toml users.csv
///
/// Users who are there already, by id or external id, or where a row has neither by an identifier, are skipped: a run that
/// was cut off is simply repeated. A row that cannot be taken is told on standard error by its line, with the parameter
/// that is wrong, and nothing of it is written; the exit code is 1 then, after all other rows were taken. The summary on
/// standard output says how many users were added, were there already, and were refused.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    at: At,
    /// How the file is written.
    #[arg(long, value_enum, default_value = "auto")]
    format: Format,
    /// The file; `-` for standard input.
    file: PathBuf,
}

/// How an export is written.
#[derive(Clone, Copy, ValueEnum)]
enum ExportFormat {
    /// A user object on each line, as the Backend API has it, with the password's hash.
    Jsonl,
    /// The columns of the hosted service's export.
    Csv,
}

/// Example: doorward user export --config doorward.toml users.jsonl
///
/// The file has the hashes of all passwords: keep it as you keep a backup. It is made with mode 0600 and never replaced.
/// Pictures, passkeys, accounts at other providers and backup codes made here stay behind: `doorward instance export` takes
/// everything.
#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    at: At,
    /// How the file is written.
    #[arg(long, value_enum, default_value = "jsonl")]
    format: ExportFormat,
    /// Write the secrets of authenticator apps too: whoever has them makes codes.
    #[arg(long)]
    with_totp_secrets: bool,
    /// The file, which must not be there yet; `-` for standard output.
    file: PathBuf,
}

/// A file to read, or standard input.
pub(super) fn reader(file: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if file.as_os_str() == "-" {
        return Ok(Box::new(BufReader::new(std::io::stdin())));
    }
    let opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    Ok(Box::new(BufReader::with_capacity(64 * 1024, opened)))
}

/// A new file for its owner only, or standard output; and the file, to bring it to the disk at the end.
pub(super) fn writer(file: &Path) -> anyhow::Result<(Box<dyn Write>, Option<std::fs::File>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(BufWriter::new(std::io::stdout())), None));
    }
    let made = crate::files::new_file(file)?;
    let again = made.try_clone()?;
    Ok((Box::new(BufWriter::with_capacity(64 * 1024, made)), Some(again)))
}

#[derive(Default)]
struct Counts {
    read: u64,
    added: u64,
    present: u64,
    refused: u64,
}

impl Counts {
    fn words(&self) -> String {
        let Self { read, added, present, refused } = self;
        format!("{read} read: {added} added, {present} there already, {refused} refused")
    }

    fn refuse(&mut self, line: u64, error: &ApiError) {
        self.refused += 1;
        let param = error.meta().param_name.as_deref().map(|param| format!("{param}: ")).unwrap_or_default();
        out::note(&format!("line {line}: {param}{} ({})", error.long_message(), error.code().code));
    }
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let mut rows = Rows::new(reader(&self.file)?, self.format)?;
        let scope = self.at.scope().await?;
        let mut counts = Counts::default();
        let done = import(&scope, &mut rows, &mut counts).await;
        if self.at.json {
            let Counts { read, added, present, refused } = counts;
            let summary = json!({"read": read, "added": added, "present": present, "refused": refused, "complete": done.is_ok()});
            out::json(&summary)?;
        } else {
            out::line(&counts.words())?;
        }
        done?;
        if counts.refused > 0 {
            anyhow::bail!("{} rows were refused", counts.refused);
        }
        Ok(())
    }
}

async fn import(scope: &Scope, rows: &mut Rows<Box<dyn BufRead>>, counts: &mut Counts) -> anyhow::Result<()> {
    let mut batch: Vec<(u64, ImportedUser)> = Vec::with_capacity(BATCH);
    loop {
        // What was read before the file broke is taken.
        let next = rows.next();
        match &next {
            Ok(Some(_)) => counts.read += 1,
            Ok(None) | Err(_) => {
                write(scope, &mut batch, counts).await?;
                return next.map(drop);
            }
        }
        match next? {
            Some((line, Ok(user))) => batch.push((line, user)),
            Some((line, Err(error))) => counts.refuse(line, &error),
            None => {}
        }
        if batch.len() == BATCH {
            write(scope, &mut batch, counts).await?;
        }
        if counts.read.is_multiple_of(PROGRESS) {
            out::note(&counts.words());
        }
    }
}

async fn write(scope: &Scope, batch: &mut Vec<(u64, ImportedUser)>, counts: &mut Counts) -> anyhow::Result<()> {
    let scope = Scope { now: scope.app.clock.now(), ..scope.clone() };
    let (lines, rows): (Vec<u64>, Vec<ImportedUser>) = std::mem::take(batch).into_iter().unzip();
    for (line, outcome) in lines.into_iter().zip(users::import(&scope, &rows).await?) {
        match outcome {
            Outcome::Added => counts.added += 1,
            Outcome::Present => counts.present += 1,
            Outcome::Refused(error) => counts.refuse(line, &error),
        }
    }
    Ok(())
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let scope = self.at.scope().await?;
        let (mut out, file) = writer(&self.file)?;
        let count = match self.format {
            ExportFormat::Jsonl => {
                let line = |user: &Map<String, Value>| {
                    serde_json::to_writer(&mut out, user)?;
                    Ok(out.write_all(b"\n")?)
                };
                let count = export(&scope, self.with_totp_secrets, line).await?;
                out.flush()?;
                count
            }
            ExportFormat::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(COLUMNS)?;
                let count = export(&scope, self.with_totp_secrets, |user| Ok(csv.write_record(record(user))?)).await?;
                csv.flush()?;
                count
            }
        };
        if let Some(file) = file {
            file.sync_all()?;
        }
        // Standard output may be the file.
        out::note(&format!("{count} users written"));
        Ok(())
    }
}

async fn export(scope: &Scope, secrets: bool, mut line: impl FnMut(&Map<String, Value>) -> anyhow::Result<()>) -> anyhow::Result<u64> {
    let (mut after, mut count): (Option<UserId>, u64) = (None, 0);
    loop {
        let page = users::export_page(scope, after.as_ref(), PAGE, secrets).await?;
        for user in &page {
            line(user)?;
            count += 1;
        }
        if count.is_multiple_of(PROGRESS) && count > 0 {
            out::note(&format!("{count} written"));
        }
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.get("id").and_then(Value::as_str).unwrap_or_default().into());
    }
}

/// A user in the columns of the hosted service's export.
fn record(user: &Map<String, Value>) -> [String; COLUMNS.len()] {
    let text = |name: &str| user.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let all = |kinds: &str| user.get(kinds).and_then(Value::as_array).cloned().unwrap_or_default();
    let value = |it: &Value, kind: &str| it[kind].as_str().unwrap_or_default().to_owned();
    COLUMNS.map(|column| match column.split_once('_') {
        Some(("primary", kind)) => {
            let (list, id) = if kind == "email_address" {
                ("email_addresses", "primary_email_address_id")
            } else {
                ("phone_numbers", "primary_phone_number_id")
            };
            let id = text(id);
            all(list).iter().find(|it| it["id"] == id.as_str()).map(|it| value(it, kind)).unwrap_or_default()
        }
        Some((state @ ("verified" | "unverified"), kinds)) => {
            let kind = if kinds == "email_addresses" { "email_address" } else { "phone_number" };
            let wanted = |it: &&Value| (it["verification"]["status"] == "verified") == (state == "verified");
            all(kinds).iter().filter(wanted).map(|it| value(it, kind)).collect::<Vec<_>>().join("|")
        }
        _ => text(column),
    })
}
