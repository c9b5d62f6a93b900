use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What a receiver does with a call.
#[derive(Clone, Debug)]
pub enum Act {
    /// Answers with a status.
    Answer(u16),
    /// Answers with a status and a header.
    AnswerWith(u16, &'static str, String),
    /// Never answers.
    Stall,
    /// Resets the connection.
    Reset,
    /// Promises more than it sends, and hangs up.
    Lie,
    /// Answers without an end.
    Flood,
}

/// A call that a receiver got.
#[derive(Clone, Debug)]
pub struct Call {
    /// The headers, by their names in lower case.
    pub headers: HashMap<String, String>,
    /// The body.
    pub body: Vec<u8>,
}

impl Call {
    /// The id of the event.
    pub fn id(&self) -> String {
        self.headers["svix-id"].clone()
    }

    /// The body, understood.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A server that takes webhooks, and behaves as it is told to.
#[derive(Clone)]
pub struct Receiver {
    /// Where it listens.
    pub at: SocketAddr,
    calls: Arc<Mutex<Vec<(Call, bool)>>>,
    connections: Arc<Mutex<usize>>,
}

impl Receiver {
    /// One that takes everything.
    pub async fn new() -> Self {
        Self::with(|_, _| Act::Answer(204)).await
    }

    /// One that does with its n-th call what `decide` says.
    pub async fn with(decide: impl Fn(&Call, usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let it = Self { at: listener.local_addr().unwrap(), calls: Arc::default(), connections: Arc::default() };
        let (own, decide) = (it.clone(), Arc::new(decide));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                *own.connections.lock().unwrap() += 1;
                let (own, decide) = (own.clone(), decide.clone());
                tokio::spawn(async move { own.serve(socket, &*decide).await });
            }
        });
        it
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.at)
    }

    /// What it got, in order.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().map(|(call, _)| call.clone()).collect()
    }

    /// What it got and took.
    pub fn taken(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|(_, taken)| *taken).map(|(call, _)| call.clone()).collect()
    }

    /// The types of what it took, in order.
    pub fn types(&self) -> Vec<String> {
        self.taken().iter().map(|call| call.json()["type"].as_str().unwrap().to_owned()).collect()
    }

    /// How many connections came, whatever became of them.
    pub fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    async fn serve(&self, mut socket: TcpStream, decide: &(dyn Fn(&Call, usize) -> Act + Send + Sync)) {
        let Some(call) = read(&mut socket).await else { return };
        let act = {
            let mut calls = self.calls.lock().unwrap();
            let act = decide(&call, calls.len());
            let taken = matches!(act, Act::Answer(200..=299) | Act::AnswerWith(200..=299, ..) | Act::Flood);
            calls.push((call, taken));
            act
        };
        let answer = match act {
            Act::Answer(status) => format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            Act::AnswerWith(status, name, value) => {
                format!("HTTP/1.1 {status} X\r\n{name}: {value}\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
            }
            Act::Lie => "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthat is all".to_owned(),
            Act::Stall => return std::future::pending().await,
            Act::Reset => return drop(socket.set_zero_linger()),
            Act::Flood => {
                let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                while socket.write_all(&[b'x'; 4096]).await.is_ok() {}
                return;
            }
        };
        let _ = socket.write_all(answer.as_bytes()).await;
    }
}

/// One request with a body of a length that is told, and nothing after it.
async fn read(socket: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).ok()?;
    let fields = text.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers: HashMap<_, _> = fields.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while bytes.len() < head + length {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Call { headers, body: bytes[head..].to_vec() })
}
