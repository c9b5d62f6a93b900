//! What is kept in the repository: no keys.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Files that are in the repository or would be with the next commit; what is ignored (builds, a developer's own keys) is not.
fn files(root: &Path) -> Vec<PathBuf> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let done = Command::new("git").args(list).current_dir(root).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap().split_terminator('\0').map(|path| root.join(path)).collect()
}

/// Of no server: the example in the specification of Standard Webhooks, and what a test of the client tells from a key.
const EXAMPLES: [&str; 2] = ["whsec_MfKQ9r", "sk_test_MTI3"];

/// How many characters that may stand in a key follow.
fn run(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_alphanumeric).count()
}

/// The keys in a text, by what they begin with and how long they are. Written in two parts, this file holds none.
fn keys(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let begins = [("sk_live", "_", 20), ("sk_test", "_", 20), ("AK", "IA", 16), ("gh", "p_", 36), ("whs", "ec_", 24), ("xox", "b-", 10)];
    for (a, b, least) in begins {
        for (at, _) in text.match_indices(&format!("{a}{b}")) {
            let body = &text[at + a.len() + b.len()..];
            let body = &body[..run(body)];
            // A key is not one character over and over, nor one letter after the other.
            let varied = body.bytes().collect::<std::collections::BTreeSet<_>>().len() > 10;
            if body.len() >= least && varied {
                found.push(&text[at..at + 12]);
            }
        }
    }
    let block = format!("-----BEGIN {}", "");
    for (at, _) in text.match_indices(&block) {
        let line = text[at..].lines().next().unwrap();
        if line.contains("PRIVATE KEY-----") && text[at..].lines().nth(1).is_some_and(|it| run(it) > 40) {
            found.push(line);
        }
    }
    found
}

#[test]
fn fault_133_no_key_is_in_the_repository() {
    let all = files(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")));
    let (mut read, mut found) = (0, Vec::new());
    for path in all {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        read += 1;
        found.extend(keys(&text).into_iter().filter(|it| !EXAMPLES.contains(it)).map(|it| format!("{}: {it}", path.display())));
        assert_ne!(path.file_name().unwrap(), "master.key", "{}", path.display());
    }
    assert!(read > 300, "{read}");
    assert!(found.is_empty(), "{found:#?}");
    let made = format!("key = \"sk_live{}AbCdEfGhIjKlMnOpQrSt\"", "_");
    assert_eq!(keys(&made).len(), 1, "such a key would be found");
}

/// The packages of a lock file.
fn locked(text: &str) -> Vec<&str> {
    text.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).collect()
}

#[test]
fn fault_132_nothing_but_aws_lc_computes_with_private_keys() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let locks: Vec<PathBuf> = files(root).into_iter().filter(|path| path.ends_with("Cargo.lock") && path.exists()).collect();
    assert!(locks.len() > 1, "the server's, and those beside it");
    for path in locks {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!locked(&text).contains(&"rsa"), "{}", path.display());
    }
    let own = std::fs::read_to_string(root.join("Cargo.lock")).unwrap();
    assert!(locked(&own).contains(&"aws-lc-rs"));
    let rules = std::fs::read_to_string(root.join("deny.toml")).unwrap();
    assert!(rules.contains("{ crate = \"rsa\""), "and none comes back unnoticed");
}

/// A test: its name, and the path of its file without `.rs`.
struct Named {
    name: String,
    at: String,
}

/// All tests of the workspace.
fn tests(root: &Path) -> Vec<Named> {
    let mut found = Vec::new();
    for path in files(root) {
        let own = path.strip_prefix(root).unwrap().with_extension("");
        if path.extension().is_none_or(|it| it != "rs") || !own.starts_with("crates") {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            marked |= line == "#[test]" || line.starts_with("#[tokio::test");
            let line = line.strip_prefix("async ").unwrap_or(line);
            if let Some(name) = line.strip_prefix("fn ").filter(|_| marked) {
                found.push(Named { name: name[..name.find('(').unwrap()].to_owned(), at: own.display().to_string() });
                marked = false;
            }
        }
    }
    found
}

/// The tests that a text names, in backquotes: `a::b_c`, `fault_001_...`.
fn named(text: &str) -> Vec<&str> {
    let is_test = |it: &&str| {
        let plain = it.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b':' | b'.'));
        plain && (it.contains("::") || it.starts_with("fault_") || it.starts_with("pitfall_"))
    };
    text.split('`').skip(1).step_by(2).filter(is_test).collect()
}

/// The numbers at the beginning of a row of a table.
fn numbers(row: &str) -> Vec<usize> {
    let first = row.split('|').nth(1).unwrap_or_default();
    let all: Option<Vec<usize>> = first.split(',').map(|it| it.trim().parse().ok()).collect();
    all.unwrap_or_default()
}

#[test]
fn the_list_of_faults_names_tests_that_are_there_and_each_fault_once() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let list = std::fs::read_to_string(root.join("docs/FAULTS.md")).unwrap();
    let tests = tests(root);
    assert!(tests.len() > 500);
    let is_there = |name: &str| {
        let (ways, last) = name.rsplit_once("::").map_or((Vec::new(), name), |(ways, last)| (ways.split("::").collect(), last));
        tests.iter().any(|it| {
            let by_name =
                if last == "..." { true } else { last.strip_suffix("...").map_or(it.name == last, |start| it.name.starts_with(start)) };
            by_name && ways.iter().all(|way| it.at.split('/').any(|part| part == *way))
        })
    };
    let lost: Vec<&str> = named(&list).into_iter().filter(|name| !is_there(name)).collect();
    assert!(lost.is_empty(), "no such test: {lost:#?}");

    let (faults, pitfalls) = list.split_once("## Protocol pitfalls").unwrap();
    for (text, most, elsewhere) in [(faults, 153, 71..=94), (pitfalls, 38, 0..=0)] {
        let mut listed: Vec<usize> = text.lines().filter(|line| line.starts_with('|')).flat_map(numbers).collect();
        listed.sort_unstable();
        let expected: Vec<usize> = (1..=most).filter(|it| !elsewhere.contains(it)).collect();
        assert_eq!(listed, expected);
    }
}
