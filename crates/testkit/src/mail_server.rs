use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How long a mail may be on its way.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a mail server was told.
#[derive(Default)]
struct Told {
    lines: String,
    mails: HashMap<String, String>,
}

/// A mail server on a socket of its own (RFC 5321), without TLS. It takes everything, or answers one command as it is told to.
pub struct MailServer {
    /// Where it listens.
    pub at: SocketAddr,
    told: watch::Sender<Told>,
}

impl MailServer {
    /// One that takes everything.
    pub async fn start() -> Self {
        Self::answering("\0", "").await
    }

    /// One that answers commands which begin with `command` by `answer`.
    pub async fn answering(command: &'static str, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (at, told) = (listener.local_addr().unwrap(), watch::Sender::default());
        let telling = told.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, telling.clone(), command, answer));
            }
        });
        Self { at, told }
    }

    /// Whatever it was told, line by line.
    pub fn lines(&self) -> String {
        self.told.borrow().lines.clone()
    }

    /// The newest mail to an address, as it was encoded; waits half a minute for the first one.
    pub async fn mail_to(&self, address: &str) -> String {
        let mut told = self.told.subscribe();
        let come = tokio::time::timeout(PATIENCE, told.wait_for(|it| it.mails.contains_key(address))).await;
        come.unwrap_or_else(|_| panic!("no mail to {address}")).unwrap().mails[address].clone()
    }
}

async fn converse(stream: TcpStream, told: watch::Sender<Told>, command: &str, answer: &str) {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let (mut to, mut mail) = (String::new(), None::<String>);
    let mut reply = "220 test";
    loop {
        if write.write_all(format!("{reply}\r\n").as_bytes()).await.is_err() {
            return;
        }
        reply = loop {
            let Ok(Some(line)) = lines.next_line().await else { return };
            told.send_modify(|it| it.lines.extend([line.as_str(), "\n"]));
            match (&mut mail, line.as_str()) {
                (Some(text), ".") => {
                    let (to, text) = (std::mem::take(&mut to), std::mem::take(text));
                    told.send_modify(|it| drop(it.mails.insert(to, text)));
                    mail = None;
                    break "250 taken";
                }
                (Some(text), line) => text.extend([line, "\n"]),
                (None, line) => {
                    let answer = if line.starts_with(command) { answer } else { usual(line) };
                    if let Some(path) = line.strip_prefix("RCPT TO:") {
                        to = path.trim_matches(['<', '>']).to_owned();
                    }
                    mail = answer.starts_with("354").then(String::new);
                    break answer;
                }
            }
        };
    }
}

fn usual(line: &str) -> &'static str {
    match line {
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        line if line.starts_with("EHLO") => "250-test\r\n250 AUTH PLAIN LOGIN",
        line if line.starts_with("AUTH") => "235 ok",
        _ => "250 ok",
    }
}
