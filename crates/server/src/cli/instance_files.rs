//! A whole instance in from a file and out into one.

use super::at::Which;
use super::progress::Progress;
use super::user_files::writer;
use super::{Place, out};
use clap::Args;
use doorward_core::moving::{self, Import as Moving};
use serde_json::json;
use std::io::{BufRead, Read as _, Write};
use std::path::PathBuf;

/// The longest line, in bytes: a picture in base64 and the rest of its row.
const MAX_LINE: u64 = 64 * 1024 * 1024;
/// After how many lines progress is told, at least.
const PROGRESS: u64 = 10_000;

/// Example: doorward instance export --config doorward.toml shop.instance
///
/// The file has everything that lasts: settings, keys, users with passwords and second factors. SECRET KEYS ARE OPEN IN IT:
/// whoever has it has the instance. It is made with mode 0600; delete it after the move. Stop the servers first: what is
/// written meanwhile may come along by half. Sessions, attempts and undelivered messages stay behind.
#[derive(Args)]
pub(super) struct Export {
    #[command(flatten)]
    which: Which,
    /// The file, which must not be there yet; `-` for standard output.
    file: PathBuf,
}

/// Example: doorward instance import --config other.toml shop.instance
///
/// All ids and keys stay the same. Secrets are sealed anew under this server's master key; backup codes work on only if it
/// is the key they were made under. Both servers must have the same version. The instance can be reached when all of it is
/// there; an import that was cut off is begun again.
#[derive(Args)]
pub(super) struct Import {
    #[command(flatten)]
    place: Place,
    /// The file; `-` for standard input.
    file: PathBuf,
    /// Answer in JSON.
    #[arg(long)]
    json: bool,
}

impl Export {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (app, instance) = self.which.open().await?;
        let (out, file) = writer(&self.file)?;
        let mut out = Told { out, lines: 0, progress: Progress::new(None, PROGRESS) };
        let rows = moving::export(&app, &instance.id, &mut out).await.map_err(anyhow::Error::msg)?;
        drop(out);
        if let Some(file) = file {
            file.sync_all()?;
        }
        out::note(&format!("{} with {} rows written", instance.id, rows.values().sum::<u64>()));
        Ok(())
    }
}

/// A file that is written, and how far it is.
struct Told<W> {
    out: W,
    lines: u64,
    progress: Progress,
}

impl<W: Write> Write for Told<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.lines += bytes[..written].iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.progress.tell(self.lines, || format!("{} lines written", self.lines));
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Import {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let app = self.place.open().await?;
        let (mut reader, mut progress) = Progress::reading(&self.file, PROGRESS)?;
        let (mut number, mut line) = (1_u64, String::new());
        read(&mut reader, &mut line)?;
        let mut moving = Moving::begin(&app, &line).await.map_err(anyhow::Error::msg)?;
        while read(&mut reader, &mut line)? {
            number += 1;
            moving.line(&line).await.map_err(|error| anyhow::anyhow!("line {number}: {error}"))?;
            progress.tell(number, || format!("{number} lines read"));
        }
        drop(progress);
        let done = moving.finish().await.map_err(anyhow::Error::msg)?;
        if done.backup_codes_lost > 0 {
            let text = "backup codes were left behind: they work under the other server's master key only";
            out::note(&format!("{} {text}", done.backup_codes_lost));
        }
        if self.json {
            return out::json(&json!({"id": done.instance, "rows": done.rows, "backup_codes_lost": done.backup_codes_lost}));
        }
        out::line(&format!("{} is here, with {} rows", done.instance, done.rows.values().sum::<u64>()))
    }
}

/// The next line in place of the one before; false at the end.
fn read(reader: &mut impl BufRead, line: &mut String) -> anyhow::Result<bool> {
    line.clear();
    if reader.take(MAX_LINE).read_line(line)? as u64 == MAX_LINE {
        anyhow::bail!("a line is longer than {MAX_LINE} bytes");
    }
    Ok(!line.is_empty())
}
