use aws_lc_rs::digest;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use doorward_core::keys::{SigningKey, generate_signing_key};
use doorward_core::outbound::{Answering, Outbound, OutboundRequest};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The client that instances are registered as.
pub const CLIENT_ID: &str = "doorward-test";
/// What they prove it with.
pub const CLIENT_SECRET: &str = "provider+secret/1";

/// A call that a provider got.
#[derive(Clone, Debug)]
pub struct ProviderCall {
    /// Method and path; calls to known providers have the host before it.
    pub path: String,
    /// The `Authorization` header.
    pub authorization: String,
    /// The form's fields, or those of the JSON.
    pub fields: HashMap<String, String>,
}

/// What a provider says.
struct Says {
    account: Map<String, Value>,
    lies: Map<String, Value>,
    described: Option<Value>,
    emails: Value,
    discovery: Map<String, Value>,
    token: Map<String, Value>,
    redirects_to: Option<String>,
    other_key: bool,
    curve: bool,
    issuer: String,
    asked: HashMap<String, HashMap<String, String>>,
    calls: Vec<ProviderCall>,
}

struct Shared {
    keys: [SigningKey; 2],
    curve: EcdsaKeyPair,
    now: i64,
    says: Mutex<Says>,
}

/// An identity provider on a socket of its own, with keys of its own. It says what it is told to say, lies included; codes
/// work once, for whoever proves to have asked for them.
#[derive(Clone)]
pub struct Provider {
    /// Where it listens.
    pub at: SocketAddr,
    shared: Arc<Shared>,
}

impl Provider {
    /// A provider that knows one account.
    pub async fn start(account: Value) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let key = |kid: &str| SigningKey::from_pkcs8(kid.to_owned(), &generate_signing_key().unwrap()).unwrap();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let says = Says {
            account: account.as_object().unwrap().clone(),
            lies: Map::new(),
            described: None,
            emails: Value::Null,
            discovery: Map::new(),
            token: Map::new(),
            redirects_to: None,
            other_key: false,
            curve: false,
            issuer: format!("http://{at}"),
            asked: HashMap::new(),
            calls: Vec::new(),
        };
        let shared = Arc::new(Shared {
            keys: [key("k1"), key("k1")],
            curve: EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap(),
            now: crate::START / 1000,
            says: Mutex::new(says),
        });
        let router = axum::Router::new().fallback(answer).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { at, shared }
    }

    /// Its address, which is its issuer unless it stands in for a known provider.
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    fn says<T>(&self, change: impl FnOnce(&mut Says) -> T) -> T {
        change(&mut self.shared.says.lock().unwrap())
    }

    /// Somebody else signs in there.
    pub fn account(&self, account: Value) {
        self.says(|it| it.account = account.as_object().unwrap().clone());
    }

    /// Its ID tokens say this instead of what is right; null takes a claim away.
    pub fn lie(&self, claims: Value) {
        self.says(|it| it.lies = claims.as_object().unwrap().clone());
    }

    /// It describes the account otherwise than its ID token does.
    pub fn describe(&self, description: Value) {
        self.says(|it| it.described = Some(description));
    }

    /// The addresses that it lists.
    pub fn emails(&self, emails: Value) {
        self.says(|it| it.emails = emails);
    }

    /// Its discovery document says this instead.
    pub fn discovery(&self, values: Value) {
        self.says(|it| it.discovery = values.as_object().unwrap().clone());
    }

    /// Its token endpoint says this, too.
    pub fn token(&self, values: Value) {
        self.says(|it| it.token = values.as_object().unwrap().clone());
    }

    /// All its answers send the caller there.
    pub fn redirect_to(&self, to: &str) {
        self.says(|it| it.redirects_to = Some(to.to_owned()));
    }

    /// It signs with a key that it does not publish, under the name of one that it does.
    pub fn use_other_key(&self) {
        self.says(|it| it.other_key = true);
    }

    /// It signs with an elliptic curve (ES256).
    pub fn use_curve(&self) {
        self.says(|it| it.curve = true);
    }

    /// It stands in for a known provider.
    pub fn issue_as(&self, issuer: &str) {
        self.says(|it| it.issuer = issuer.to_owned());
    }

    /// The calls that it got.
    pub fn calls(&self) -> Vec<ProviderCall> {
        self.says(|it| it.calls.clone())
    }

    /// A browser comes with what it was sent with, signs in and agrees. Answers where it is sent back to.
    pub fn visit(&self, authorize_url: &str) -> String {
        let url = url::Url::parse(authorize_url).unwrap();
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
        let code = format!("code-{}", self.says(|it| it.asked.len()));
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &asked["state"]);
        self.says(|it| it.asked.insert(code, asked));
        format!("{}?{}", back.path(), back.query().unwrap())
    }

    /// A code as an app gets it.
    pub fn app_code(&self) -> String {
        self.says(|it| {
            let code = format!("app-code-{}", it.asked.len());
            it.asked.insert(code.clone(), HashMap::new());
            code
        })
    }

    /// An ID token as an app gets it.
    pub fn id_token(&self) -> String {
        self.says(|it| self.shared.id_token(it, &HashMap::new()))
    }
}

impl Shared {
    fn id_token(&self, says: &Says, asked: &HashMap<String, String>) -> String {
        let mut claims = says.account.clone();
        for (name, value) in
            [("iss", json!(says.issuer)), ("aud", json!(CLIENT_ID)), ("iat", json!(self.now)), ("exp", json!(self.now + 300))]
        {
            claims.insert(name.to_owned(), value);
        }
        if let Some(nonce) = asked.get("nonce") {
            claims.insert("nonce".to_owned(), json!(nonce));
        }
        for (name, value) in &says.lies {
            if value.is_null() {
                claims.remove(name)
            } else {
                claims.insert(name.clone(), value.clone())
            };
        }
        let (alg, kid) = if says.curve { ("ES256", "c1") } else { ("RS256", "k1") };
        let head = json!({"alg": alg, "kid": kid, "typ": "JWT"});
        let body = format!("{}.{}", B64.encode(head.to_string()), B64.encode(Value::Object(claims).to_string()));
        let signature = if says.curve {
            self.curve.sign(&SystemRandom::new(), body.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            self.keys[usize::from(says.other_key)].sign(body.as_bytes()).unwrap()
        };
        format!("{body}.{}", B64.encode(signature))
    }

    fn keys(&self) -> Value {
        let point = self.curve.public_key().as_ref();
        let (x, y) = (B64.encode(&point[1..33]), B64.encode(&point[33..]));
        json!({"keys": [self.keys[0].jwk(), {"kty": "EC", "crv": "P-256", "kid": "c1", "use": "sig", "x": x, "y": y}]})
    }

    /// A code works once, for whoever asked for it.
    fn redeem(&self, says: &mut Says, fields: &HashMap<String, String>) -> Option<HashMap<String, String>> {
        if fields["grant_type"] == "refresh_token" {
            return (fields["refresh_token"] == "refresh-1").then(HashMap::new);
        }
        let asked = says.asked.remove(&fields["code"])?;
        let proven = asked.get("code_challenge").is_none_or(|challenge| {
            fields.get("code_verifier").is_some_and(|it| &B64.encode(digest::digest(&digest::SHA256, it.as_bytes())) == challenge)
        });
        (proven && fields.get("redirect_uri") == asked.get("redirect_uri")).then_some(asked)
    }
}

fn fields_of(body: &[u8]) -> HashMap<String, String> {
    match serde_json::from_slice::<HashMap<String, Value>>(body) {
        Ok(json) => json.into_iter().map(|(k, v)| (k, v.as_str().unwrap_or_default().to_owned())).collect(),
        Err(_) => url::form_urlencoded::parse(body).into_owned().collect(),
    }
}

async fn answer(State(shared): State<Arc<Shared>>, req: Request) -> Response {
    let (parts, body) = req.into_parts();
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let path = parts.uri.path().to_owned();
    let fields = fields_of(&body);
    let authorization = parts.headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
    let mut says = shared.says.lock().unwrap();
    says.calls.push(ProviderCall { path: format!("{} {path}", parts.method), authorization, fields: fields.clone() });
    if let Some(to) = &says.redirects_to {
        return (http::StatusCode::FOUND, [("location", to.clone())]).into_response();
    }
    let here = says.issuer.clone();
    let json = if path.ends_with("/openid-configuration") {
        let mut all = json!({
            "issuer": here, "authorization_endpoint": format!("{here}/authorize"), "token_endpoint": format!("{here}/token"),
            "userinfo_endpoint": format!("{here}/userinfo"), "jwks_uri": format!("{here}/keys"),
        });
        all.as_object_mut().unwrap().extend(says.discovery.clone());
        all
    } else if ["keys", "certs", "jwks"].iter().any(|end| path.ends_with(end)) {
        shared.keys()
    } else if path.ends_with("/revoke") {
        json!({})
    } else if path.to_ascii_lowercase().contains("token") && parts.method == "POST" && !path.ends_with("/introspect") {
        let Some(asked) = shared.redeem(&mut says, &fields) else {
            return (http::StatusCode::BAD_REQUEST, json!({"error": "invalid_grant"}).to_string()).into_response();
        };
        let id_token = shared.id_token(&says, &asked);
        let mut all = json!({"access_token": format!("access-{}", says.calls.len()), "token_type": "Bearer", "id_token": id_token});
        all.as_object_mut().unwrap().extend(says.token.clone());
        all
    } else if path.ends_with("/emails") {
        says.emails.clone()
    } else {
        says.described.clone().unwrap_or_else(|| Value::Object(says.account.clone()))
    };
    json.to_string().into_response()
}

/// Calls to providers of the public internet go to one that stands in for them, with the host before the path.
pub struct StandIn {
    /// The one that answers.
    pub provider: SocketAddr,
    /// What calls it.
    pub through: Arc<dyn Outbound>,
}

impl Outbound for StandIn {
    fn send(&self, mut request: OutboundRequest) -> Answering<'_> {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        if host != "127.0.0.1" {
            assert_eq!(request.url.scheme(), "https", "{host}");
            let path = format!("/{host}{}", request.url.path());
            request.url.set_scheme("http").unwrap();
            request.url.set_ip_host(self.provider.ip()).unwrap();
            request.url.set_port(Some(self.provider.port())).unwrap();
            request.url.set_path(&path);
        }
        self.through.send(request)
    }
}
