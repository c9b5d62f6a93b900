//! The results: a table for people, `bench/out/latest.json` for programs.

use serde_json::{Map, Value, json};
use std::io::Write as _;
use std::process::Command;
use time::format_description::well_known::Rfc3339;

/// One line of the table.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    pub(crate) aim: Option<Aim>,
    pub(crate) details: Value,
}

/// What a value should be.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    fn text(self) -> String {
        match self {
            Self::AtLeast(limit) => format!(">= {limit}"),
            Self::AtMost(limit) => format!("<= {limit}"),
        }
    }

    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(limit) => value >= limit,
            Self::AtMost(limit) => value <= limit,
        }
    }
}

/// Prints a line.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

fn first_line(program: &str, args: &[&str]) -> Value {
    let done = Command::new(program).args(args).output().ok().filter(|done| done.status.success());
    done.and_then(|done| String::from_utf8_lossy(&done.stdout).lines().next().map(str::to_owned)).into()
}

/// The machine, and what else a reader has to know to compare.
pub(crate) fn machine() -> Value {
    let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).map(|rest| rest.trim_start_matches([' ', '\t', ':']));
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    json!({
        "cpu": model,
        "cores": std::thread::available_parallelism().map_or(0, std::num::NonZeroUsize::get),
        "kernel": kernel.trim(),
        "load_before": load_average(),
    })
}

/// Programs that wanted a processor during the last minute.
pub(crate) fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or_default()
}

/// Versions of what was measured with.
pub(crate) fn versions(doorward: &str) -> Map<String, Value> {
    let all = [("doorward", doorward.into()), ("commit", first_line("git", &["rev-parse", "--short", "HEAD"]))];
    let tools = [("rustc", first_line("rustc", &["--version"])), ("node", first_line("node", &["--version"]))];
    all.into_iter().chain(tools).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Prints the table and writes the file.
pub(crate) fn write(machine: &Value, versions: &Map<String, Value>, notes: &[String], rows: &[Row]) -> anyhow::Result<()> {
    say("\n| what | result | aim | |\n| --- | ---: | --- | --- |");
    for row in rows {
        let digits = match row.value {
            it if it < 0.1 => 5,
            it if it < 10.0 => 2,
            _ => 1,
        };
        let aim = row.aim.map(Aim::text).unwrap_or_default();
        let met = row.aim.map_or("", |aim| if aim.is_met(row.value) { "met" } else { "MISSED" });
        say(&format!("| {} | {:.digits$} {} | {aim} | {met} |", row.what, row.value, row.unit));
    }
    let date = time::OffsetDateTime::from_unix_timestamp(doorward_base::Clock::system().now() / 1000)?.format(&Rfc3339)?;
    say(&format!("\n{date}, {} cores of {}", machine["cores"], machine["cpu"].as_str().unwrap_or("an unknown kind")));
    notes.iter().for_each(|note| say(note));
    let results: Vec<Value> = rows
        .iter()
        .map(|row| {
            let met = row.aim.map(|aim| aim.is_met(row.value));
            json!({"what": row.what, "value": row.value, "unit": row.unit, "aim": row.aim.map(Aim::text), "met": met, "details": row.details})
        })
        .collect();
    let all = json!({"date": date, "machine": machine, "versions": versions, "notes": notes, "results": results});
    std::fs::create_dir_all("bench/out")?;
    std::fs::write("bench/out/latest.json", serde_json::to_string_pretty(&all)? + "\n")?;
    Ok(())
}
