//! Mail over SMTP (RFC 5321), encrypted unless the operator says otherwise.

use crate::mail::{Message, SendError, SendFuture, Transport};
use doorward_base::{Secret, Timestamp};
use lettre::address::{Address, Envelope};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Wire, MultiPart};
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use std::time::{Duration, UNIX_EPOCH};
use tokio::sync::OnceCell;

/// How long the server may take for one answer. A whole delivery is limited by the worker.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Connections at most. Large providers refuse more from one sender.
const CONNECTIONS: u32 = 4;

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// Plain at first, then STARTTLS; nothing is sent when the server does not offer it.
    StartTls,
    /// TLS from the first byte.
    Implicit,
    /// None: for a relay on the same machine.
    None,
}

/// How the mail server is reached.
#[derive(Clone, Debug)]
pub struct SmtpOptions {
    /// Its name, which its certificate must have.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User name and password, if it wants any.
    pub credentials: Option<(String, Secret)>,
    /// The sender's address.
    pub from: String,
}

/// Mail over SMTP.
pub struct SmtpTransport {
    options: SmtpOptions,
    from: Address,
    // Made for the first mail: reading the system's certificates takes longer than the rest of the start.
    client: OnceCell<AsyncSmtpTransport<Tokio1Executor>>,
}

impl SmtpTransport {
    /// Does not connect yet.
    ///
    /// # Errors
    /// When the sender's address is not one.
    pub fn new(options: SmtpOptions) -> Result<Self, String> {
        let from = options.from.parse().map_err(|_| format!("{:?} is not an e-mail address", options.from))?;
        Ok(Self { options, from, client: OnceCell::new() })
    }

    async fn client(&self) -> Result<&AsyncSmtpTransport<Tokio1Executor>, SendError> {
        self.client
            .get_or_try_init(|| async {
                let options = self.options.clone();
                let built = tokio::task::spawn_blocking(move || connect(&options)).await;
                built.map_err(|_| SendError::Retry("the mail client could not be made".to_owned()))?
            })
            .await
    }
}

impl Transport for SmtpTransport {
    fn send<'a>(&'a self, message: &'a Message) -> SendFuture<'a> {
        Box::pin(async move {
            let wire = compose(message, &self.from)?;
            self.client().await?.send(wire).await.map(|_| ()).map_err(|error| classify(&error))
        })
    }
}

fn connect(options: &SmtpOptions) -> Result<AsyncSmtpTransport<Tokio1Executor>, SendError> {
    let parameters =
        || TlsParameters::new(options.host.clone()).map_err(|_| SendError::Retry("the system's certificates could not be read".to_owned()));
    let tls = match options.tls {
        SmtpTls::StartTls => Tls::Required(parameters()?),
        SmtpTls::Implicit => Tls::Wrapper(parameters()?),
        SmtpTls::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&options.host)
        .port(options.port)
        .tls(tls)
        .timeout(Some(ANSWER_WITHIN))
        .pool_config(PoolConfig::new().min_idle(0).max_size(CONNECTIONS).idle_timeout(Duration::from_secs(30)));
    if let Some((user, password)) = &options.credentials {
        builder = builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}

/// The mail as it travels. Header injection ends here: the library encodes names and subjects, and takes an address
/// only if it is one.
fn compose(message: &Message, from: &Address) -> Result<Wire, SendError> {
    let refused = |what: &str| SendError::Permanent(format!("the mail could not be composed: {what}"));
    let to: Address = message.to.parse().map_err(|_| refused("not an address"))?;
    // The domain is the operator's: they vouch for it to those who receive the mail.
    let at = |local: &str| Address::new(local, from.domain()).map_err(|_| refused("not a sender"));
    let sender = message.from_local.as_deref().map_or_else(|| Ok(from.clone()), at)?;
    let reply_to = message.reply_to_local.as_deref().map(at).transpose()?;
    let written = UNIX_EPOCH + Duration::from_millis(positive(message.written_at));
    let envelope = Envelope::new(Some(from.clone()), vec![to.clone()]).map_err(|_| refused("no envelope"))?;
    let builder = Wire::builder()
        // What cannot be delivered goes back to the operator, whatever the instance says in front of the domain.
        .envelope(envelope)
        .from(Mailbox::new(Some(message.from_name.clone()), sender))
        .to(Mailbox::new(None, to))
        .subject(message.subject.clone())
        .date(written)
        .message_id(Some(format!("<{}@{}>", message.id, from.domain())))
        // Nobody's out-of-office note should come back (RFC 3834).
        .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()));
    let builder = match reply_to {
        Some(address) => builder.reply_to(Mailbox::new(None, address)),
        None => builder,
    };
    let wire = match &message.html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(message.text.clone(), html.clone())),
        None => builder.header(ContentType::TEXT_PLAIN).body(message.text.clone()),
    };
    wire.map_err(|_| refused("not a message"))
}

fn positive(at: Timestamp) -> u64 {
    u64::try_from(at).unwrap_or(0)
}

/// Whether to try again. The server's own words are left out: they tend to repeat the address.
fn classify(error: &lettre::transport::smtp::Error) -> SendError {
    let Some(code) = error.status() else {
        let kind = if error.is_timeout() {
            "no answer in time"
        } else if error.is_tls() {
            "no TLS"
        } else if error.is_response() || error.is_client() {
            "the server's answer was not understood"
        } else {
            "no connection"
        };
        return SendError::Retry(format!("smtp: {kind}"));
    };
    let text = format!("smtp: {code}");
    // What is wrong with our own credentials (RFC 4954, section 6) is not the mail's fault, and can be put right.
    let ours = matches!(text.as_str(), "smtp: 530" | "smtp: 534" | "smtp: 535" | "smtp: 538");
    if error.is_permanent() && !ours { SendError::Permanent(text) } else { SendError::Retry(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use doorward_base::JobId;

    fn message() -> Message {
        Message {
            id: JobId::from("job_1"),
            to: "ada@example.com".to_owned(),
            from_name: "Löwe & Söhne".to_owned(),
            from_local: None,
            reply_to_local: None,
            subject: "424242 is your code\r\nBcc: eve@example.com".to_owned(),
            text: "Your code:\n\n    424242\n".to_owned(),
            html: None,
            written_at: 1_700_000_000_000,
        }
    }

    #[test]
    fn a_mail_is_the_same_each_time_it_is_sent() {
        let from = "no-reply@example.com".parse().unwrap();
        let bytes = compose(&message(), &from).unwrap().formatted();
        assert_eq!(bytes, compose(&message(), &from).unwrap().formatted());
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains("Message-ID: <job_1@example.com>\r\n"), "{text}");
        assert!(text.contains("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"), "{text}");
    }

    #[test]
    fn an_instance_says_what_stands_before_the_at_of_its_addresses() {
        let from = "no-reply@example.com".parse().unwrap();
        let own = Message { from_local: Some("hello".to_owned()), reply_to_local: Some("help".to_owned()), ..message() };
        let text = String::from_utf8(compose(&own, &from).unwrap().formatted()).unwrap();
        assert!(text.contains("<hello@example.com>\r\n") && text.contains("Reply-To: help@example.com\r\n"), "{text}");
        assert!(!text.contains("no-reply@"), "{text}");
        for bad in ["a@b", "a\r\nBcc: eve@example.com", ""] {
            for own in
                [Message { from_local: Some(bad.to_owned()), ..message() }, Message { reply_to_local: Some(bad.to_owned()), ..message() }]
            {
                assert!(matches!(compose(&own, &from), Err(SendError::Permanent(_))), "{bad:?}");
            }
        }
    }

    #[test]
    fn fault_110_a_header_cannot_be_smuggled_in() {
        let from = "no-reply@example.com".parse().unwrap();
        let text = String::from_utf8(compose(&message(), &from).unwrap().formatted()).unwrap();
        assert!(!text.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{text}");
        for to in ["ada@example.com\r\nBcc: eve@example.com", "ada@example.com, eve@example.com", "", "ada"] {
            let bad = Message { to: to.to_owned(), ..message() };
            assert!(matches!(compose(&bad, &from), Err(SendError::Permanent(_))), "{to:?}");
        }
    }
}
