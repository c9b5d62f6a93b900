//! The configuration: a TOML file, then the environment, key by key; unknown keys are refused by name.

mod check;
mod env;
mod types;

pub use env::{KEYS, Kind, variable};
pub use types::*;

use serde::Deserialize as _;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Where `doorward dev` keeps everything, unless it is told otherwise.
pub const DATA_DIR: &str = ".doorward";

/// What is wrong with a configuration: one sentence each, with the file and line or the variable.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ConfigError(pub Vec<String>);

impl From<String> for ConfigError {
    fn from(text: String) -> Self {
        Self(vec![text])
    }
}

/// A configuration and what an operator should know about where it came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Variables that were probably meant to be something.
    pub warnings: Vec<String>,
}

/// Reads a file, if there is one, and puts the environment over it. Relative paths are taken from the file's directory.
///
/// # Errors
/// All that is wrong with form; what is wrong with content, [`Config::check`] says.
pub fn load(file: Option<&Path>, environment: &[(String, String)]) -> Result<Loaded, ConfigError> {
    let mut table = Table::new();
    if let Some(path) = file {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        // Once as what it should be, for an error that knows the line; once as it is, to put the environment over it.
        toml::from_str::<Config>(&text).map_err(|e| located(path, &text, &e))?;
        table = toml::from_str(&text).map_err(|e| located(path, &text, &e))?;
    }
    let warnings = env::overlay(&mut table, environment)?;
    let mut config = Config::deserialize(Value::Table(table)).map_err(|e| e.message().to_owned())?;
    config.relative_to(file.and_then(Path::parent).unwrap_or(Path::new("")));
    // Its name alone: the hint is shown to whoever asks for a script, and directories are nobody's business.
    config.place = file.and_then(Path::file_name).map_or_else(String::new, |name| format!(" --config {}", name.to_string_lossy()));
    Ok(Loaded { config, warnings })
}

/// The configuration of `doorward dev`: everything in one directory, the environment over it.
///
/// # Errors
/// As [`load`].
pub fn dev(data_dir: &Path, environment: &[(String, String)]) -> Result<Loaded, ConfigError> {
    let mut loaded = load(None, environment)?;
    let config = &mut loaded.config;
    if config.database.url.is_empty() {
        config.database.url = sqlite_url(&data_dir.join("doorward.db")).into();
    }
    config.secrets.master_key_file.get_or_insert_with(|| data_dir.join("master.key"));
    config.sdk.dir.get_or_insert_with(|| data_dir.join("sdk"));
    if data_dir != Path::new(DATA_DIR) {
        config.place = format!(" --data-dir {}", data_dir.display());
    }
    Ok(loaded)
}

/// `file:line:column: what`. The line itself is not repeated: it may hold a password.
fn located(path: &Path, text: &str, error: &toml::de::Error) -> ConfigError {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    ConfigError(vec![format!("{}:{line}:{column}: {}", path.display(), error.message())])
}

/// The address of an SQLite file. What an address would read as something else is escaped.
pub fn sqlite_url(file: &Path) -> String {
    let path = file.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{path}")
}

impl Config {
    fn relative_to(&mut self, directory: &Path) {
        let absolute = |path: &mut PathBuf| *path = directory.join(&*path);
        self.secrets.master_key_file.iter_mut().for_each(absolute);
        self.mail.password_file.iter_mut().for_each(absolute);
        self.sms.secret_file.iter_mut().for_each(absolute);
        self.passwords.breached_list.iter_mut().for_each(absolute);
        self.server.geoip_database.iter_mut().for_each(absolute);
        if self.sdk.dir.is_none() && !directory.as_os_str().is_empty() {
            self.sdk.dir = Some(PathBuf::from("sdk"));
        }
        self.sdk.dir.iter_mut().for_each(absolute);
        if let Some(path) = self.database.url.expose().strip_prefix("sqlite://")
            && !path.is_empty()
            && !path.starts_with('/')
            && !path.starts_with(":memory:")
            && !directory.as_os_str().is_empty()
        {
            let (file, rest) = path.split_at(path.find('?').unwrap_or(path.len()));
            self.database.url = format!("sqlite://{}{rest}", directory.join(file).display()).into();
        }
    }

    /// Where the browser scripts are.
    pub fn sdk_dir(&self) -> PathBuf {
        self.sdk.dir.clone().unwrap_or_else(|| PathBuf::from("sdk"))
    }

    /// The file of an SQLite database, when it is one.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let path = self.database.url.expose().strip_prefix("sqlite://")?;
        let path = path.split('?').next().filter(|path| !path.is_empty() && !path.starts_with(":memory:"))?;
        Some(PathBuf::from(path.replace("%3F", "?").replace("%23", "#").replace("%25", "%")))
    }
}
