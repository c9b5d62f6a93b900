//! Files and directories, most of which only their owner may read.

use anyhow::Context as _;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// Makes a directory with those above it, if it is not there.
pub(crate) fn make_dir(path: &Path) -> anyhow::Result<()> {
    make(path, 0o700)
}

/// Makes a directory that everybody may read: whoever installs a script need not be who serves it.
pub(crate) fn make_public_dir(path: &Path) -> anyhow::Result<()> {
    make(path, 0o755)
}

fn make(path: &Path, mode: u32) -> anyhow::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(path).with_context(|| format!("{} cannot be made", path.display()))
}

/// Takes everybody else's rights to a file away.
pub(crate) fn owner_only(path: &Path) -> anyhow::Result<()> {
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).with_context(|| format!("{} cannot be made private", path.display()))
}

/// Makes a file that must not be there yet.
pub(crate) fn new_file(path: &Path) -> anyhow::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("{} cannot be made", path.display()))
}

/// Writes a file that must not be there yet.
pub(crate) fn create(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = new_file(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all().with_context(|| format!("{} cannot be written", path.display()))
}

/// Writes a file in place of the one that is there, as a whole or not at all.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let new = path.with_extension(format!("new{}", std::process::id()));
    let _ = std::fs::remove_file(&new);
    create(&new, text)?;
    std::fs::rename(&new, path).with_context(|| format!("{} cannot be replaced", path.display()))
}
