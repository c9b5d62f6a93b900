//! The SMTP client against a server that follows a script.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use doorward_base::{JobId, Secret};
use doorward_jobs::{Message, SendError, SmtpOptions, SmtpTls, SmtpTransport, Transport as _};
use doorward_testkit::MailServer;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const ADDRESS: &str = "ada.lovelace@example.com";

async fn send(address: SocketAddr, tls: SmtpTls) -> Result<(), SendError> {
    let options = SmtpOptions {
        host: address.ip().to_string(),
        port: address.port(),
        tls,
        credentials: Some(("doorward".to_owned(), Secret::new("hunter2"))),
        from: "no-reply@example.com".to_owned(),
    };
    let message = Message {
        id: JobId::from("job_1"),
        to: ADDRESS.to_owned(),
        from_name: "Doorward".to_owned(),
        from_local: None,
        reply_to_local: None,
        subject: "424242 is your code".to_owned(),
        text: "Your code:\n\n    424242\n".to_owned(),
        html: Some("<p>424242</p>".to_owned()),
        written_at: 1_700_000_000_000,
    };
    SmtpTransport::new(options).unwrap().send(&message).await
}

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let server = MailServer::start().await;
    send(server.at, SmtpTls::None).await.unwrap();
    let seen = server.lines();
    for part in ["MAIL FROM:<no-reply@example.com>", "RCPT TO:<ada.lovelace@example.com>", "Message-ID: <job_1@example.com>", "    424242"]
    {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn fault_145_refusals_end_it_and_troubles_do_not_and_neither_repeats_the_address() {
    for (at, answer, permanent) in [
        ("RCPT", "550 5.1.1 <ada.lovelace@example.com>: no such user", true),
        ("RCPT", "450 4.2.0 <ada.lovelace@example.com>: greylisted", false),
        ("DATA", "554 5.7.1 spam from ada.lovelace@example.com", true),
        ("MAIL", "421 4.3.2 closing", false),
        ("AUTH", "535 5.7.8 bad credentials: hunter2", false),
    ] {
        let server = MailServer::answering(at, answer).await;
        let error = send(server.at, SmtpTls::None).await.unwrap_err();
        assert_eq!(matches!(error, SendError::Permanent(_)), permanent, "{answer}: {error}");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("ada") && !text.contains("hunter2"), "{text}");
        assert!(text.contains(&answer[..3]), "{text}");
    }
}

#[tokio::test]
async fn nobody_there_is_a_trouble() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert!(matches!(send(address, SmtpTls::None).await, Err(SendError::Retry(_))));
}

#[tokio::test]
async fn nothing_is_sent_in_the_clear_when_tls_was_asked_for() {
    let server = MailServer::start().await;
    assert!(matches!(send(server.at, SmtpTls::StartTls).await, Err(SendError::Retry(_))));
    let seen = server.lines();
    assert!(seen.starts_with("EHLO") && !seen.contains("AUTH") && !seen.contains("ada"), "{seen}");
}
