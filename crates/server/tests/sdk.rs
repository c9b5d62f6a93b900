//! `doorward sdk install`, with an npm that brings what a test tells it to.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A directory to run in, with a development server's place in it and an npm of our own.
struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    /// `files` makes the package's `dist`, in shell.
    fn new(name: &str, versions: &[&str], files: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let bin = dir.path().join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::create_dir_all(dir.path().join(".doorward")).unwrap();
        let packed = name.trim_start_matches('@').replace('/', "-");
        let mut script = format!("#!/bin/sh\nset -e\necho \"$@\" >>{}\n", dir.path().join("asked").display());
        for version in versions {
            script.push_str(&format!(
                "mkdir -p t/package/dist && cd t/package\nprintf '{{\"name\":\"{name}\",\"version\":\"{version}\"}}' >package.json\n\
                 (cd dist && printf {version} >a.js && {files})\ncd .. && tar -czf ../{packed}-{version}.tgz package && cd .. && rm -r t\n"
            ));
        }
        let npm = bin.join("npm");
        std::fs::write(&npm, script).unwrap();
        std::fs::set_permissions(&npm, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn path(&self, rest: &str) -> PathBuf {
        self.dir.path().join(rest)
    }

    fn install(&self, package: &str) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        // The suite's own variables are none of the server's, and it says so.
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("DOORWARD_")) {
            command.env_remove(name);
        }
        command
            .args(["sdk", "install", package])
            .current_dir(self.dir.path())
            .env("PATH", path)
            .env("DOORWARD_MASTER_KEY", "00".repeat(32))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn installed(&self, package: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(&format!(".doorward/sdk/{package}"))).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn a_range_becomes_the_newest_version_that_npm_brings_readable_for_the_server() {
    let desk = Desk::new("@clerk/clerk-js", &["5.9.0", "5.127.1"], "mkdir chunks && printf x >chunks/b.js && chmod 600 a.js");
    let done = desk.install("@clerk/clerk-js@5");
    assert!(done.status.success(), "{}", said(&done));
    assert_eq!(said(&done).trim(), "@clerk/clerk-js@5.127.1 is installed");
    assert_eq!(desk.installed("@clerk/clerk-js"), ["5.127.1"], "and nothing else is left behind");
    let dist = desk.path(".doorward/sdk/@clerk/clerk-js/5.127.1/dist");
    assert_eq!((mode(&dist), mode(&dist.join("a.js")), mode(&dist.join("chunks/b.js"))), (0o755, 0o644, 0o644));
    assert!(desk.install("@clerk/clerk-js@5").status.success(), "a second time changes nothing");
    let asked = std::fs::read_to_string(desk.path("asked")).unwrap();
    assert!(asked.contains("--ignore-scripts") && asked.contains("@clerk/clerk-js@5\n"), "{asked}");
}

#[test]
fn a_package_with_a_link_in_it_is_refused() {
    let desk = Desk::new("@clerk/ui", &["1.0.0"], "ln -s /etc/passwd b.js");
    let done = desk.install("@clerk/ui@1");
    assert!(!done.status.success() && said(&done).contains("neither a file nor a directory"), "{}", said(&done));
    assert!(desk.installed("@clerk/ui").is_empty());
}

#[test]
fn what_is_no_such_package_never_reaches_npm() {
    let desk = Desk::new("@clerk/ui", &["1.0.0"], "true");
    for bad in
        ["left-pad@1", "@clerk/ui@--registry=http://evil.example", "@clerk/ui@../..", "@clerk/ui@", "@clerk/ui@1 2", "@clerk/ui@file:/x"]
    {
        assert!(!desk.install(bad).status.success(), "{bad}");
    }
    assert!(!desk.path("asked").exists());
}

#[test]
fn another_package_than_the_one_asked_for_is_refused() {
    let desk = Desk::new("@clerk/clerk-js", &["1.0.0"], "true");
    let done = desk.install("@clerk/ui@1");
    assert!(!done.status.success() && said(&done).contains("something else"), "{}", said(&done));
}
