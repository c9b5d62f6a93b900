//! The SMTP client against a server that follows a script.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use doorward_base::{JobId, Secret};
use doorward_jobs::{Message, SendError, SmtpOptions, SmtpTls, SmtpTransport, Transport as _};
use std::net::SocketAddr;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

const ADDRESS: &str = "ada.lovelace@example.com";

/// A server that answers the command beginning with `at` by `answer`, everything else well, and hands back what it read.
async fn server(at: &'static str, answer: &'static str) -> (SocketAddr, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let (mut lines, mut seen, mut data) = (BufReader::new(read).lines(), String::new(), false);
        write.write_all(b"220 test\r\n").await.unwrap();
        while let Ok(Some(line)) = lines.next_line().await {
            seen.push_str(&line);
            seen.push('\n');
            let reply = match line.as_str() {
                "." => "250 taken",
                _ if data => continue,
                line if !at.is_empty() && line.starts_with(at) => answer,
                line if line.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN LOGIN",
                line if line.starts_with("AUTH") => "235 ok",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 ok",
            };
            data = (line == "DATA" && reply.starts_with("354")) || (data && line != ".");
            if write.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() || line == "." {
                break;
            }
        }
        seen
    });
    (address, task)
}

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
    let (address, task) = server("", "").await;
    send(address, SmtpTls::None).await.unwrap();
    let seen = task.await.unwrap();
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
        let (address, _task) = server(at, answer).await;
        let error = send(address, SmtpTls::None).await.unwrap_err();
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
    let (address, task) = server("", "").await;
    assert!(matches!(send(address, SmtpTls::StartTls).await, Err(SendError::Retry(_))));
    let seen = task.await.unwrap();
    assert!(!seen.contains("AUTH") && !seen.contains("ada"), "{seen}");
}
