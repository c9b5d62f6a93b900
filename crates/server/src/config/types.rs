use doorward_base::Secret;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// The configuration of a server. `doorward.example.toml` says what each key is for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The two listeners.
    pub server: ServerConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The master key.
    pub secrets: SecretsConfig,
    /// Mail.
    pub mail: MailConfig,
    /// Text messages.
    pub sms: SmsConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// The log.
    pub log: LogConfig,
    /// Traces.
    pub telemetry: TelemetryConfig,
    /// The hashing pool.
    pub passwords: PasswordsConfig,
    /// Calls to others.
    pub outbound: OutboundConfig,
    /// Browser scripts.
    pub sdk: SdkConfig,
    /// What a command needs to find this configuration, such as ` --config doorward.toml`: for hints.
    #[serde(skip)]
    pub place: String,
}

/// The two listeners.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where the Frontend API listens.
    pub listen: Listen,
    /// Where the Backend API, metrics, health and the inbox listen.
    pub backend_listen: Listen,
    /// The path under which the Backend API is on the public listener too.
    pub backend_path: Option<String>,
    /// Proxies whose `X-Forwarded-*` headers are believed.
    pub trusted_proxies: Proxies,
    /// Requests worked on at once.
    pub max_in_flight: usize,
    /// Connections to each listener.
    pub max_connections: usize,
    /// How long a request may take.
    pub request_timeout_seconds: u64,
    /// How long a shutdown waits for what was begun.
    pub shutdown_grace_seconds: u64,
    /// A file that says where addresses are.
    pub geoip_database: Option<PathBuf>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: Listen(vec![SocketAddr::from(([127, 0, 0, 1], 4100))]),
            backend_listen: Listen(vec![SocketAddr::from(([127, 0, 0, 1], 4101))]),
            backend_path: None,
            trusted_proxies: Proxies::default(),
            max_in_flight: 1024,
            max_connections: 8192,
            request_timeout_seconds: 30,
            shutdown_grace_seconds: 25,
            geoip_database: None,
        }
    }
}

/// Addresses to listen on: `host:port`, several with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen(pub Vec<SocketAddr>);

impl std::str::FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let one = |part: &str| {
            part.trim().parse().map_err(|_| format!("{part:?} is no address to listen on: it must be like 127.0.0.1:4100 or [::1]:4100"))
        };
        text.split(',').map(one).collect::<Result<_, _>>().map(Self)
    }
}

impl std::fmt::Display for Listen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let texts: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&texts.join(","))
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// Networks, or single addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(pub Vec<IpNet>);

impl<'de> Deserialize<'de> for Proxies {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let one = |text: String| {
            let address = |text: &str| text.parse::<IpAddr>().ok().map(IpNet::from);
            text.parse()
                .ok()
                .or_else(|| address(&text))
                .ok_or_else(|| de::Error::custom(format!("{text:?} is neither an address nor a network")))
        };
        Vec::<String>::deserialize(from)?.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }
}

/// The database.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite://<file>` or `postgres://..`; it may hold a password.
    pub url: Secret,
    /// Connections at most.
    pub max_connections: Option<u32>,
}

/// The master key. It may also come from the variable `DOORWARD_MASTER_KEY`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// The file that holds it.
    pub master_key_file: Option<PathBuf>,
}

/// How mail goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTransport {
    /// Not at all.
    #[default]
    None,
    /// Over SMTP.
    Smtp,
}

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// STARTTLS, required.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all.
    None,
}

/// Mail.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// How it goes out.
    pub transport: MailTransport,
    /// The mail server.
    pub host: Option<String>,
    /// Its port; by default the one that goes with `tls`.
    pub port: Option<u16>,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The user name, if it wants one.
    pub username: Option<String>,
    /// The file that holds the password. It may also come from the variable `DOORWARD_MAIL_PASSWORD`.
    pub password_file: Option<PathBuf>,
    /// The sender's address.
    pub from: Option<String>,
}

/// How text messages go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmsTransport {
    /// Not at all.
    #[default]
    None,
    /// Through Twilio, or a service that takes the same calls.
    Twilio,
    /// Through a server of one's own.
    Webhook,
}

/// Text messages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SmsConfig {
    /// How they go out.
    pub transport: SmsTransport,
    /// The gateway's address; Twilio's own by default.
    pub url: Option<String>,
    /// The account's id at Twilio.
    pub account_sid: Option<String>,
    /// The sender: a number, a name, or the id of a messaging service.
    pub from: Option<String>,
    /// The sender of messages over WhatsApp.
    pub whatsapp_from: Option<String>,
    /// The file that holds the account's or the webhook's secret. It may also come from the variable `DOORWARD_SMS_SECRET`.
    pub secret_file: Option<PathBuf>,
}

/// Rate limits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Whether calls are counted.
    pub enabled: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// Text in a terminal, else JSON.
    #[default]
    Auto,
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// The log.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged: a level, or a filter such as `info,doorward_jobs=debug`. `RUST_LOG` overrides it.
    pub level: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Auto, level: "info".to_owned() }
    }
}

/// Traces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetryConfig {
    /// An OTLP collector that takes protobuf over HTTP.
    pub otlp_endpoint: Option<String>,
}

/// The hashing pool.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordsConfig {
    /// Hashes at once, 19 MiB each; by default one a core.
    pub workers: Option<usize>,
    /// How many may wait.
    pub queue: Option<usize>,
    /// The range server of breached passwords.
    pub breached_url: Option<String>,
    /// How long it may take.
    pub breached_timeout_ms: Option<u64>,
    /// A sorted file of their hashes, in its place.
    pub breached_list: Option<PathBuf>,
}

/// Calls to others.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutboundConfig {
    /// Whether production instances may call loopback and private addresses, and plain `http`.
    pub allow_private_networks: bool,
}

/// Browser scripts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SdkConfig {
    /// Where `doorward sdk install` puts them.
    pub dir: Option<PathBuf>,
}
