//! The account pages' script, as far as it is part of this build.

/// What `scripts/pages.sh` made.
pub(crate) struct Built {
    /// Of its contents: addresses with it never change what they answer.
    pub(crate) version: &'static str,
    files: &'static [File],
}

/// One file, plain and packed by gzip.
pub(crate) struct File {
    name: &'static str,
    /// Its media type.
    pub(crate) kind: &'static str,
    pub(crate) plain: &'static [u8],
    pub(crate) packed: &'static [u8],
}

impl Built {
    /// The file of an address.
    pub(crate) fn file(&self, version: &str, name: &str) -> Option<&'static File> {
        self.files.iter().find(|file| file.name == name && version == self.version)
    }
}

include!(concat!(env!("OUT_DIR"), "/built.rs"));
