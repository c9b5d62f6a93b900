//! A browser as far as the server can tell: it keeps its client's cookie and says where its page is from.

use crate::load::{Answer, Call, Connection};
use anyhow::{Context as _, ensure};
use serde_json::Value;

/// The page's origin, which the instance's settings allow.
pub(crate) const ORIGIN: &str = "http://localhost:3000";

/// Somebody who was never here.
pub(crate) struct Visitor<'a> {
    connection: &'a mut Connection,
    cookie: Option<String>,
}

impl<'a> Visitor<'a> {
    /// On a connection that may have served others.
    pub(crate) fn new(connection: &'a mut Connection) -> Self {
        Self { connection, cookie: None }
    }

    /// Sends a form, whatever the answer is.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        self.call(Call::post(path).fields(fields).header("origin", ORIGIN)).await
    }

    async fn call(&mut self, mut call: Call) -> anyhow::Result<Answer> {
        if let Some(cookie) = &self.cookie {
            call = call.header("cookie", cookie);
        }
        let answer = self.connection.exchange(call).await?;
        self.cookie = answer.cookie("__client").or(self.cookie.take());
        Ok(answer)
    }

    /// Follows a link that leads back to the app, and then has the app's page ask who is signed in: a client.
    pub(crate) async fn follow(&mut self, path: &str) -> anyhow::Result<Value> {
        let answer = self.call(Call::get(path)).await?;
        ensure!(answer.status.is_redirection(), "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        let answer = self.call(Call::get("/v1/client").header("origin", ORIGIN)).await?;
        Ok(answer.json()?["response"].take())
    }

    /// Sends a form, and answers the resource that comes of it.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Value> {
        let answer = self.send(path, fields).await?;
        ensure!(answer.status.is_success(), "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        Ok(answer.json()?["response"].take())
    }

    /// Starts a sign-in, and answers it and where it goes on.
    pub(crate) async fn start(&mut self, fields: &[(&str, &str)]) -> anyhow::Result<(Value, String)> {
        let begun = self.post("/v1/client/sign_ins", fields).await?;
        let id = begun["id"].as_str().context("no sign-in")?;
        let at = format!("/v1/client/sign_ins/{id}");
        Ok((begun, at))
    }
}
