use super::{Place, environment, out};
use crate::{files, npm};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Fetch a package's published scripts with your own npm, and put them where /npm serves them from.
    ///
    /// Nothing of the package is run, and nothing that it depends on is fetched.
    Install(Install),
}

/// Example: doorward sdk install @clerk/clerk-js@5
#[derive(Args)]
pub(super) struct Install {
    #[command(flatten)]
    place: Place,
    /// The package and a version of it: @clerk/clerk-js@5, @clerk/ui@1, @clerk/clerk-js@5.127.1.
    package: String,
}

impl Command {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Self::Install(install) = self;
        let sdk = install.place.config(&environment())?.sdk_dir();
        let (name, version) = install.package.rsplit_once('@').filter(|(name, _)| !name.is_empty()).unwrap_or((&install.package, "latest"));
        let Some(name) = npm::PACKAGES.iter().find(|known| **known == name) else {
            bail!("{name} is not served from here; there are {}", npm::PACKAGES.join(" and "));
        };
        let plain = !version.is_empty() && version.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
        if !plain || version.starts_with('-') {
            bail!("{version:?} is no version: it is like 5, 5.127.1 or latest");
        }
        let home = sdk.join(name);
        files::make_public_dir(&home)?;
        // The programs below run in another directory.
        let home = home.canonicalize().with_context(|| home.display().to_string())?;
        let work = home.join(format!(".new{}", std::process::id()));
        files::make_dir(&work)?;
        let done = install_into(&home, &work, name, version);
        let _ = std::fs::remove_dir_all(&work);
        out::line(&format!("{name}@{} is installed", done?))
    }
}

fn install_into(home: &Path, work: &Path, name: &str, version: &str) -> anyhow::Result<String> {
    run(
        Process::new("npm").args(["pack", "--silent", "--ignore-scripts", "--pack-destination", "."]).arg(format!("{name}@{version}")),
        work,
    )?;
    let archive = archive(work, name)?;
    run(Process::new("tar").arg("-xzof").arg(&archive), work)?;
    let package = work.join("package");
    let manifest = std::fs::read_to_string(package.join("package.json")).context("the package has no package.json")?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).context("the package's package.json")?;
    let exact = manifest["version"].as_str().unwrap_or_default().to_owned();
    let known = npm::parse(&format!("{name}@{exact}/dist/x.js")).is_some_and(|it| it.version == exact);
    if manifest["name"] != name || !known || !package.join("dist").is_dir() {
        bail!("npm brought something else than {name}@{version} with its dist directory");
    }
    only_files(&package.join("dist"))?;
    let target = home.join(&exact);
    if !target.exists() {
        // As a whole or not at all: a server may be reading beside us.
        let whole = work.join("whole");
        files::make_public_dir(&whole)?;
        std::fs::rename(package.join("dist"), whole.join("dist"))?;
        std::fs::rename(&whole, &target).with_context(|| format!("{} cannot be made", target.display()))?;
    }
    Ok(exact)
}

/// The newest of what npm packed: a range such as `5` is every version in it to some of its releases.
fn archive(work: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let prefix = format!("{}-", name.trim_start_matches('@').replace('/', "-"));
    let version = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        Some(npm::parts(name.strip_prefix(&prefix)?.strip_suffix(".tgz")?))
    };
    let found = std::fs::read_dir(work)?.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "tgz"));
    found.max_by_key(version).context("npm brought no package")
}

/// Whatever is put down is served to everybody: a link could lead to anything on this machine. Makes the rest readable.
fn only_files(dir: &Path) -> anyhow::Result<()> {
    std::fs::set_permissions(dir, Permissions::from_mode(0o755))?;
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            only_files(&entry.path())?;
        } else if kind.is_file() {
            std::fs::set_permissions(entry.path(), Permissions::from_mode(0o644))?;
        } else {
            bail!("the package holds something that is neither a file nor a directory: {}", entry.path().display());
        }
    }
    Ok(())
}

fn run(command: &mut Process, directory: &Path) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let done = command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let done = done.with_context(|| format!("{program} cannot be started: is it installed?"))?.wait_with_output()?;
    if !done.status.success() {
        bail!("{program} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}
