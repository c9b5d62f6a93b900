//! A program under measurement: a process of its own, so that its processor time and memory are its own.

use crate::load::{self, Call};
use anyhow::{Context as _, bail};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running program, ended when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program.
    pub(crate) fn spawn(mut command: Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Self(child.with_context(|| format!("{name} cannot be started: is it built, or installed?"))?))
    }

    /// Waits until it answers a request.
    pub(crate) async fn answers(&mut self, host: &str, call: &Call) -> anyhow::Result<()> {
        let began = Instant::now();
        while load::once(host, call.clone()).await.is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("it ended by itself: {status}");
            }
            anyhow::ensure!(began.elapsed() < Duration::from_secs(30), "it did not answer within 30 s");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Whether it has not ended yet.
    pub(crate) fn runs(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.try_wait()?.is_none())
    }

    /// Whether it ended well.
    pub(crate) fn succeeded(&mut self) -> anyhow::Result<bool> {
        Ok(self.0.wait()?.success())
    }

    /// Processor time so far, all threads, in microseconds.
    pub(crate) fn cpu_us(&self) -> anyhow::Result<f64> {
        cpu_us(self.0.id())
    }

    /// Resident memory, in MiB.
    pub(crate) fn rss_mib(&self) -> anyhow::Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// The most resident memory so far, in MiB.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, field: &'static str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(field)).context(field)?;
        let kib: f64 = line.split_whitespace().next().and_then(|n| n.parse().ok()).context(field)?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Processor time of a process so far, all threads, in microseconds.
pub(crate) fn cpu_us(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |n: usize| fields.get(n).and_then(|t| t.parse::<f64>().ok()).context("/proc/pid/stat");
    // The kernel counts in hundredths of a second here, whatever its own tick.
    Ok((ticks(11)? + ticks(12)?) * 10_000.0)
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
