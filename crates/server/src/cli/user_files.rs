//! Users in from a file and out into one.

use super::at::At;
use super::out;
use super::progress::Progress;
use super::rows::{self, COLUMNS, Format, OWN_COLUMNS, RESERVED_COLUMNS, Rows};
use clap::{Args, ValueEnum};
use doorward_base::{ApiError, UserId};
use doorward_core::Scope;
use doorward_core::users::{self, ImportedUser, Outcome, PassedOver};
use doorward_wire::bapi::UserFilter;
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Users in one transaction.
const BATCH: usize = 100;
/// Users in a page of an export.
const PAGE: i64 = 200;
/// After how many users progress is told, at least.
const PROGRESS: u64 = 1000;

/// Example: doorward user import --config doorward.toml users.csv
///
/// Users who are there already, by id or external id, or where a row has neither by an identifier, are skipped: a run that
/// was cut off is simply repeated. A row that cannot be taken is told on standard error by its line, with the parameter
/// that is wrong, and nothing of it is written; the exit code is 1 then, after all other rows were taken. The summary on
/// standard output says how many users were added, were there already, and were refused. What cannot be taken of those who were
/// added, such as passkeys, is counted on standard error, and in `passed_over` of the JSON.
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
    /// The columns of the hosted service's export, and behind them our own. Accounts at providers, wallets and ids of
    /// addresses stay behind.
    Csv,
}

/// Example: doorward user export --config doorward.toml users.jsonl
///
/// The file has the hashes of all passwords: keep it as you keep a backup. It is made with mode 0600 and never replaced.
/// Pictures, passkeys, tokens of providers and backup codes made here stay behind, and are counted at the end: `doorward instance
/// export` takes everything.
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
    passed_over: PassedOver,
}

impl Counts {
    fn words(&self) -> String {
        let Self { read, added, present, refused, .. } = self;
        format!("{read} read: {added} added, {present} there already, {refused} refused")
    }

    fn refuse(&mut self, line: u64, error: &ApiError, progress: &Progress) {
        self.refused += 1;
        let param = error.meta().param_name.as_deref().map(|param| format!("{param}: ")).unwrap_or_default();
        progress.note(&format!("line {line}: {param}{} ({})", error.long_message(), error.code().code));
    }
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (reader, mut progress) = Progress::reading(&self.file, PROGRESS)?;
        let mut rows = Rows::new(reader, self.format)?;
        let scope = self.at.scope().await?;
        let mut counts = Counts::default();
        let done = import(&scope, &mut rows, &mut counts, &mut progress).await;
        drop(progress);
        note_passed_over(&counts.passed_over);
        if self.at.json {
            let Counts { read, added, present, refused, passed_over } = &counts;
            let complete = done.is_ok();
            out::json(&json!({
                "read": read, "added": added, "present": present, "refused": refused, "passed_over": passed_over, "complete": complete,
            }))?;
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

/// Says what could not be taken along.
fn note_passed_over(passed_over: &PassedOver) {
    if let Some(words) = passed_over.words() {
        out::note(&format!("left behind: {words}"));
    }
}

async fn import(scope: &Scope, rows: &mut Rows<Box<dyn BufRead>>, counts: &mut Counts, progress: &mut Progress) -> anyhow::Result<()> {
    let mut batch: Vec<(u64, ImportedUser)> = Vec::with_capacity(BATCH);
    loop {
        // What was read before the file broke is taken.
        let next = rows.next();
        match &next {
            Ok(Some(_)) => counts.read += 1,
            Ok(None) | Err(_) => {
                write(scope, &mut batch, counts, progress).await?;
                return next.map(drop);
            }
        }
        match next? {
            Some((line, Ok(user))) => batch.push((line, user)),
            Some((line, Err(error))) => counts.refuse(line, &error, progress),
            None => {}
        }
        if batch.len() == BATCH {
            write(scope, &mut batch, counts, progress).await?;
        }
        progress.tell(counts.read, || counts.words());
    }
}

async fn write(scope: &Scope, batch: &mut Vec<(u64, ImportedUser)>, counts: &mut Counts, progress: &Progress) -> anyhow::Result<()> {
    let scope = Scope { now: scope.app.clock.now(), ..scope.clone() };
    let (lines, rows): (Vec<u64>, Vec<ImportedUser>) = std::mem::take(batch).into_iter().unzip();
    for (line, outcome) in lines.into_iter().zip(users::import(&scope, &rows).await?) {
        match outcome {
            Outcome::Added(left) => {
                counts.added += 1;
                counts.passed_over.merge(&left);
            }
            Outcome::Present => counts.present += 1,
            Outcome::Refused(error) => counts.refuse(line, &error, progress),
        }
    }
    Ok(())
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let scope = self.at.scope().await?;
        let (mut out, file) = writer(&self.file)?;
        let done = match self.format {
            ExportFormat::Jsonl => {
                let line = |user: &Map<String, Value>, _: &mut PassedOver| {
                    serde_json::to_writer(&mut out, user)?;
                    Ok(out.write_all(b"\n")?)
                };
                let done = export(&scope, self.with_totp_secrets, line).await?;
                out.flush()?;
                done
            }
            ExportFormat::Csv => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(COLUMNS.iter().chain(&OWN_COLUMNS).chain(&RESERVED_COLUMNS))?;
                let line = |user: &Map<String, Value>, left: &mut PassedOver| {
                    rows::count_without_columns(user, left);
                    Ok(csv.write_record(rows::to_csv(user))?)
                };
                let done = export(&scope, self.with_totp_secrets, line).await?;
                csv.flush()?;
                done
            }
        };
        if let Some(file) = file {
            file.sync_all()?;
        }
        self.tell(done)
    }

    /// Standard output may be the file.
    fn tell(&self, (count, left): (u64, PassedOver)) -> anyhow::Result<()> {
        out::note(&format!("{count} users written"));
        note_passed_over(&left);
        if self.at.json && self.file.as_os_str() != "-" {
            out::json(&json!({"written": count, "passed_over": left}))?;
        }
        Ok(())
    }
}

async fn export(
    scope: &Scope,
    secrets: bool,
    mut line: impl FnMut(&Map<String, Value>, &mut PassedOver) -> anyhow::Result<()>,
) -> anyhow::Result<(u64, PassedOver)> {
    let total = users::count(scope, &UserFilter::default()).await?;
    let mut progress = Progress::new(u64::try_from(total).ok(), PROGRESS);
    let (mut after, mut count, mut left): (Option<UserId>, u64, PassedOver) = (None, 0, PassedOver::default());
    loop {
        let (page, behind) = users::export_page(scope, after.as_ref(), PAGE, secrets).await?;
        left.merge(&behind);
        for user in &page {
            line(user, &mut left)?;
            count += 1;
        }
        progress.done(count);
        progress.tell(count, || format!("{count} written"));
        let Some(last) = page.last() else { return Ok((count, left)) };
        after = Some(last.get("id").and_then(Value::as_str).unwrap_or_default().into());
    }
}
