//! How far a long command is: a bar on a terminal, a line now and then elsewhere.

use super::out;
use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal as _, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a bar is told, in what the command counts.
const BAR_STEP: u64 = 100;

/// How far it is: of so many bytes or users where that is known, in what the command counts where it is not.
pub(super) struct Progress {
    /// None where nobody looks.
    bar: Option<ProgressBar>,
    total: Option<u64>,
    done: Arc<AtomicU64>,
    step: u64,
    next: u64,
    told: Option<u64>,
}

impl Progress {
    /// Of `total`; lines come after `step` more at least.
    pub(super) fn new(total: Option<u64>, step: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| bar(total));
        let step = if bar.is_some() { step.min(BAR_STEP) } else { step };
        Self { bar, total, done: Arc::default(), step, next: step, told: None }
    }

    /// A file to read, or standard input, and how far it is read.
    pub(super) fn reading(file: &Path, step: u64) -> anyhow::Result<(Box<dyn BufRead>, Self)> {
        if file.as_os_str() == "-" {
            return Ok((Box::new(BufReader::new(std::io::stdin())), Self::new(None, step)));
        }
        let opened = File::open(file).with_context(|| file.display().to_string())?;
        let about = opened.metadata()?;
        let progress = Self::new(about.is_file().then_some(about.len()), step);
        let metered = Metered { file: opened, read: progress.done.clone() };
        Ok((Box::new(BufReader::with_capacity(64 * 1024, metered)), progress))
    }

    /// Says that so many of the total are done, where that is not what is read.
    pub(super) fn done(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// Tells how far it is, if it is time to; `count` is what the words are about.
    pub(super) fn tell(&mut self, count: u64, words: impl FnOnce() -> String) {
        if count < self.next {
            return;
        }
        self.next = count + self.step;
        let percent = self.percent();
        if let Some(bar) = &self.bar {
            let rate = count as f64 / bar.elapsed().as_secs_f64().max(0.001);
            bar.set_position(self.done.load(Ordering::Relaxed));
            bar.set_message(format!("{rate:.0}/s · {}", words()));
        } else if let Some(percent) = percent {
            if self.told.replace(percent) != Some(percent) {
                out::note(&format!("{percent} % · {}", words()));
            }
        } else {
            out::note(&words());
        }
    }

    fn percent(&self) -> Option<u64> {
        let total = self.total.filter(|total| *total > 0)?;
        Some((self.done.load(Ordering::Relaxed).saturating_mul(100) / total).min(100))
    }

    /// Says something else beside it.
    pub(super) fn note(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| out::note(text)),
            None => out::note(text),
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (ProgressBar::new(total), "{bar:20} {percent:>3} % · {wide_msg}"),
        None => (ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
    };
    // A template that it does not understand is one of the two above.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}

/// A file that counts what is read of it.
struct Metered {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Metered {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(into)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
