use crate::logs;
use doorward_base::Secret;
use reqwest::header::{COOKIE, HOST, HeaderMap, ORIGIN, SET_COOKIE};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A browser: keeps cookies, says where its page is.
#[derive(Clone)]
pub struct Browser {
    http: reqwest::Client,
    at: SocketAddr,
    host: String,
    /// Its cookies by name.
    pub cookies: BTreeMap<String, String>,
    /// The origin of its page; none for callers that are no browsers.
    pub origin: Option<String>,
    /// The version of the protocol that its SDK names.
    pub api_version: Option<String>,
    /// A native app's token.
    pub token: Option<Secret>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Vec<u8>,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Answer {
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Self { status, headers, bytes, text, json };
        logs::hide_in_answer(&answer);
        answer
    }

    /// The body, if the status is the one expected.
    #[track_caller]
    pub fn expect(&self, status: u16) -> &Value {
        assert_eq!(self.status, status, "{}", self.text);
        &self.json
    }

    /// The `response` of the body, if all went well.
    #[track_caller]
    pub fn response(&self) -> &Value {
        &self.expect(200)["response"]
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.json["errors"][0]["code"].as_str().unwrap_or_default()
    }

    /// Fails unless it is this error for this parameter (empty for none).
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, param: &str) {
        let named = self.json["errors"][0]["meta"]["param_name"].as_str().unwrap_or_default();
        assert_eq!((self.status, self.code(), named), (status, code, param), "{}", self.text);
        assert!(!self.json["errors"][0]["long_message"].as_str().unwrap_or_default().is_empty(), "{}", self.text);
    }

    /// Fails when something for the Backend API only, or for nobody, shows in it: no answer to a browser may hold it, in any story.
    #[track_caller]
    fn shows_no_secret(&self) {
        for secret in ["private_metadata", "$argon2", "password_digest", "password_hash", "token_hash", "totp_secret", "\"sealed"] {
            assert!(!self.text.contains(secret), "{secret} in {}", self.text);
        }
    }

    /// The values of all `Set-Cookie` headers.
    pub fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(SET_COOKIE).iter().map(|v| v.to_str().unwrap()).collect()
    }
}

impl Browser {
    pub(crate) fn new(http: reqwest::Client, at: SocketAddr, host: String) -> Self {
        Self {
            http,
            at,
            host,
            cookies: BTreeMap::new(),
            origin: Some(crate::ORIGIN.to_owned()),
            api_version: Some(crate::api_version()),
            token: None,
            headers: Vec::new(),
        }
    }

    /// The same browser, sent to another node.
    #[must_use]
    pub fn on_node(mut self, at: SocketAddr) -> Self {
        self.at = at;
        self
    }

    /// Sends a request as it is; cookies of the answer are kept.
    pub async fn send(&mut self, method: &str, path: &str, body: Option<(&str, String)>) -> Answer {
        self.send_bytes(method, path, body.map(|(kind, text)| (kind, text.into_bytes()))).await
    }

    /// Sends a file, as a form of several parts.
    pub async fn upload(&mut self, path: &str, name: &str, bytes: &[u8]) -> Answer {
        let head = format!("--cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
        let body = [head.as_bytes(), bytes, b"\r\n--cut--\r\n"].concat();
        self.send_bytes("POST", path, Some(("multipart/form-data; boundary=cut", body))).await
    }

    async fn send_bytes(&mut self, method: &str, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        logs::hide_in_address(path);
        let mut path = path.to_owned();
        if let Some(version) = &self.api_version {
            path.push_str(if path.contains('?') { "&" } else { "?" });
            path.push_str(&format!("__clerk_api_version={version}"));
        }
        let mut request = self.http.request(method.clone(), format!("http://{}{path}", self.at)).header(HOST, &self.host);
        if let Some(origin) = self.origin.as_ref().filter(|_| method != "GET") {
            request = request.header(ORIGIN, origin);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", token.expose());
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            request = request.header(COOKIE, all.join("; "));
        }
        if let Some((kind, body)) = body {
            logs::hide_in_body(&String::from_utf8_lossy(&body));
            request = request.header("content-type", kind).body(body);
        }
        let answer = Answer::of(request.send().await.unwrap()).await;
        if !self.headers.iter().any(|(name, _)| name == "authorization") {
            answer.shows_no_secret();
        }
        for set in answer.set_cookies() {
            self.keep(set);
        }
        answer
    }

    /// Keeps a cookie as a browser would.
    pub fn keep(&mut self, set_cookie: &str) {
        let (pair, attributes) = set_cookie.split_once(';').unwrap_or((set_cookie, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        if attributes.contains("Max-Age=0") {
            self.cookies.remove(name);
        } else {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
    }

    /// GET.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// POST of a form, as the official SDKs send it.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, Some(("application/x-www-form-urlencoded", body))).await
    }

    /// Signs in with a password in one step.
    pub async fn sign_in(&mut self, identifier: &str, password: &str) -> Answer {
        self.post("/v1/client/sign_ins", &[("identifier", identifier), ("password", password)]).await
    }

    /// The id of the session that is active on the client.
    pub async fn session_id(&mut self) -> Option<String> {
        let answer = self.get("/v1/client").await;
        answer.response()["last_active_session_id"].as_str().map(str::to_owned)
    }

    /// Mints a session token.
    pub async fn mint(&mut self, session: &str) -> Answer {
        self.post(&format!("/v1/client/sessions/{session}/tokens"), &[]).await
    }
}
