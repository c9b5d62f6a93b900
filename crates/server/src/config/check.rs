use super::{Config, ConfigError, MailTls, MailTransport, SmsTransport, env};
use doorward_base::Secret;
use doorward_core::atlas::Atlas;
use doorward_core::crypto::Sealer;
use doorward_core::password::breached::{self, Source};
use doorward_jobs::{SmsGateway, SmtpOptions, SmtpTls, SmtpTransport};
use std::path::Path;
use std::time::Duration;

/// Paths of the public listener that belong to somebody.
const TAKEN_PATHS: &[&str] =
    &["/v1", "/npm", "/docs", "/openapi.json", "/.well-known", "/sign-in", "/sign-up", "/user", "/account-files", "/popup-callback"];

impl Config {
    /// Checks what types alone do not, and that every file which is named can be read.
    ///
    /// # Errors
    /// Everything that is wrong, each with its key.
    pub fn check(&self, environment: &[(String, String)]) -> Result<(), ConfigError> {
        let mut errors = Vec::new();
        let mut must = |right: bool, error: &str| {
            if !right {
                errors.push(error.to_owned());
            }
        };
        let url = self.database.url.expose();
        must(!url.is_empty(), "database.url: is missing; it is sqlite://<file> or postgres://<host>/<database>");
        let known = ["sqlite:", "postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme));
        must(url.is_empty() || known, "database.url: must begin with sqlite:// or postgres://");
        must(self.database.max_connections != Some(0), "database.max_connections: must be 1 at least");
        let server = &self.server;
        let shared = server.listen.0.iter().any(|a| a.port() != 0 && server.backend_listen.0.contains(a));
        must(!shared, "server.backend_listen: must differ from server.listen");
        must(server.max_in_flight > 0, "server.max_in_flight: must be 1 at least");
        must(server.max_connections > 0, "server.max_connections: must be 1 at least");
        must((1..=600).contains(&server.request_timeout_seconds), "server.request_timeout_seconds: must be between 1 and 600");
        must(server.shutdown_grace_seconds <= 600, "server.shutdown_grace_seconds: must be 600 at most");
        must(self.passwords.workers != Some(0), "passwords.workers: must be 1 at least");
        if let Some(path) = &server.backend_path {
            must(is_free_path(path), "server.backend_path: must be a path such as /backend that nothing else is served under");
        }
        if let Some(endpoint) = &self.telemetry.otlp_endpoint {
            let plain = url::Url::parse(endpoint).is_ok_and(|url| url.scheme() == "http");
            must(plain, "telemetry.otlp_endpoint: must be an http:// address; run a collector beside the server for anything else");
        }
        must(
            self.log.level.parse::<tracing_subscriber::EnvFilter>().is_ok(),
            "log.level: must be a level, or a filter such as info,sqlx=warn",
        );
        errors.extend(self.breached().err());
        errors.extend(self.atlas().err());
        errors.extend(self.master_key(environment).err());
        errors.extend(self.smtp(environment).err());
        errors.extend(self.sms(environment).err());
        if errors.is_empty() { Ok(()) } else { Err(ConfigError(errors)) }
    }

    /// The master key, checked for its form.
    ///
    /// # Errors
    /// When it is nowhere, or is none. Its text is not repeated.
    pub fn master_key(&self, environment: &[(String, String)]) -> Result<Secret, String> {
        let (key, place) = match (lookup(environment, env::MASTER_KEY), &self.secrets.master_key_file) {
            (Some(key), _) => (key, env::MASTER_KEY.to_owned()),
            (None, Some(file)) => (read_secret(file, "secrets.master_key_file")?, file.display().to_string()),
            (None, None) => {
                return Err(format!(
                    "secrets.master_key_file: is missing; `doorward keys new-master <file>` makes one, or set {}",
                    env::MASTER_KEY
                ));
            }
        };
        Sealer::from_hex(&key).map_err(|error| format!("{place}: {error}"))?;
        Ok(key)
    }

    /// Where breached passwords are looked up.
    ///
    /// # Errors
    /// The key that is wrong.
    pub fn breached(&self) -> Result<Source, String> {
        let passwords = &self.passwords;
        if let Some(list) = &passwords.breached_list {
            let opened = std::fs::File::open(list);
            opened.map_err(|error| format!("passwords.breached_list: {}: {error}", list.display()))?;
            return Ok(Source::File(list.clone()));
        }
        let timeout = passwords.breached_timeout_ms.map_or(breached::DEFAULT_TIMEOUT, Duration::from_millis);
        if timeout.is_zero() || timeout > Duration::from_secs(30) {
            return Err("passwords.breached_timeout_ms: must be between 1 and 30000".to_owned());
        }
        let url = passwords.breached_url.as_deref().unwrap_or(breached::DEFAULT_URL);
        Source::server(url, timeout).map_err(|error| format!("passwords.breached_url: {error}"))
    }

    /// Where addresses are, if there is a file that says so.
    ///
    /// # Errors
    /// The key, and what is wrong with the file.
    pub fn atlas(&self) -> Result<Atlas, String> {
        let Some(file) = &self.server.geoip_database else { return Ok(Atlas::default()) };
        Atlas::open(file).map_err(|error| format!("server.geoip_database: {}: {error}", file.display()))
    }

    /// The mail server, if there is one.
    ///
    /// # Errors
    /// The key that is missing or wrong.
    pub fn smtp(&self, environment: &[(String, String)]) -> Result<Option<SmtpTransport>, String> {
        let mail = &self.mail;
        if mail.transport == MailTransport::None {
            return Ok(None);
        }
        let needed =
            |value: &Option<String>, key: &str| value.clone().ok_or_else(|| format!("mail.{key}: is needed with transport = \"smtp\""));
        let (tls, usual_port) = match mail.tls {
            MailTls::Starttls => (SmtpTls::StartTls, 587),
            MailTls::Implicit => (SmtpTls::Implicit, 465),
            MailTls::None => (SmtpTls::None, 25),
        };
        let password = match (lookup(environment, env::MAIL_PASSWORD), &mail.password_file) {
            (Some(password), _) => Some(password),
            (None, Some(file)) => Some(read_secret(file, "mail.password_file")?),
            (None, None) => None,
        };
        let credentials = match (&mail.username, password) {
            (Some(name), Some(password)) => Some((name.clone(), password)),
            (None, None) => None,
            (Some(_), None) => return Err(format!("mail.password_file: is needed with a username, or set {}", env::MAIL_PASSWORD)),
            (None, Some(_)) => return Err("mail.username: is needed with a password".to_owned()),
        };
        let options = SmtpOptions {
            host: needed(&mail.host, "host")?,
            port: mail.port.unwrap_or(usual_port),
            tls,
            credentials,
            from: needed(&mail.from, "from")?,
        };
        SmtpTransport::new(options).map(Some).map_err(|error| format!("mail.from: {error}"))
    }

    /// The gateway for text messages, if there is one.
    ///
    /// # Errors
    /// The key that is missing or wrong.
    pub fn sms(&self, environment: &[(String, String)]) -> Result<Option<SmsGateway>, String> {
        let sms = &self.sms;
        let name = match sms.transport {
            SmsTransport::None => return Ok(None),
            SmsTransport::Twilio => "twilio",
            SmsTransport::Webhook => "webhook",
        };
        let needed =
            |value: &Option<String>, key: &str| value.clone().ok_or_else(|| format!("sms.{key}: is needed with transport = \"{name}\""));
        let secret = match (lookup(environment, env::SMS_SECRET), &sms.secret_file) {
            (Some(secret), _) => secret,
            (None, Some(file)) => read_secret(file, "sms.secret_file")?,
            (None, None) => return Err(format!("sms.secret_file: is needed with transport = \"{name}\", or set {}", env::SMS_SECRET)),
        };
        let url = match sms.transport {
            SmsTransport::Twilio => sms.url.clone().unwrap_or_else(|| "https://api.twilio.com".to_owned()),
            _ => needed(&sms.url, "url")?,
        };
        let url = url::Url::parse(&url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or("sms.url: must be an http or https address")?;
        if sms.transport == SmsTransport::Webhook {
            return Ok(Some(SmsGateway::Webhook { url, secret }));
        }
        let account_sid = needed(&sms.account_sid, "account_sid")?;
        if account_sid.is_empty() || !account_sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err("sms.account_sid: must be letters and digits".to_owned());
        }
        let (from, whatsapp_from) = (needed(&sms.from, "from")?, sms.whatsapp_from.clone());
        Ok(Some(SmsGateway::Twilio { url, account_sid, auth_token: secret, from, whatsapp_from }))
    }
}

fn lookup(environment: &[(String, String)], name: &str) -> Option<Secret> {
    environment.iter().find(|(known, _)| known == name).map(|(_, text)| Secret::new(text.clone()))
}

/// A secret from a file, without the line break that editors leave at its end.
fn read_secret(file: &Path, key: &str) -> Result<Secret, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{key}: {}: {e}", file.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn is_free_path(path: &str) -> bool {
    let plain =
        |segment: &str| !segment.is_empty() && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    let taken = TAKEN_PATHS.iter().any(|taken| path.strip_prefix(taken).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(|s| plain(s) && !matches!(s, "." | ".."))) && !taken
}
