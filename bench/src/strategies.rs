//! What a whole sign-in costs by each strategy: every request of it, from "who?" to the session with its token. Codes go to test
//! addresses and numbers, so that no message is in the figures. A link is in its mail alone, which is written and sent here, and a
//! visit to a provider has the server ask that provider. One Tap is not among them: only Google's own keys sign for it.

use crate::cost::median;
use crate::database::Kind;
use crate::load::{self, Call, Connection};
use crate::report::Row;
use crate::server::{PASSWORD, Server};
use crate::visitor::{ORIGIN, Visitor};
use anyhow::{Context as _, ensure};
use aws_lc_rs::hmac;
use doorward_base::Clock;
use doorward_testkit::{Authenticator, CLIENT_ID, DeviceKey, MailServer, Provider, Wallet};
use serde_json::{Value, json};

/// Sign-ins of a round; each has a user of its own, for codes and time steps are good once.
const COUNT: usize = 50;
const ROUNDS: usize = 3;
/// The code of test addresses and numbers.
const TEST_CODE: &str = "424242";
/// A secret of authenticator apps, and the same in base32.
const TOTP: (&[u8], &str) = (b"12345678901234567890", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");

const STRATEGIES: [&str; 16] = [
    "password",
    "username and password",
    "email_code",
    "email_link",
    "phone_code",
    "reset_password_email_code",
    "reset_password_phone_code",
    "ticket",
    "passkey",
    "trusted_device",
    PROVIDER,
    "web3_metamask_signature",
    "web3_solana_signature",
    "password and phone_code",
    "password and totp",
    "password and backup_code",
];

/// A provider of one's own.
const PROVIDER: &str = "oauth_custom_acme";
/// Where the app has people come back to.
const BACK: &str = "http://localhost:3000/";

/// Somebody with everything that a strategy needs.
struct Person {
    email: String,
    username: String,
    phone: String,
    ticket: String,
    backup_code: String,
}

/// What people sign in with beside what they know.
struct Keys {
    authenticator: Authenticator,
    device: DeviceKey,
    device_id: String,
    ethereum: Wallet,
    solana: Wallet,
    provider: Provider,
    mail: MailServer,
}

/// Measures every strategy.
pub(crate) async fn measure(kind: &Kind) -> anyhow::Result<Vec<Row>> {
    let (provider, mail) = (Provider::start(json!({})).await, MailServer::start().await);
    let now = Clock::system().now() / 1000;
    provider.lie(json!({"iat": now, "exp": now + 3600}));
    let settings = json!({
        "version": 1,
        "test_mode": true,
        "allowed_origins": [ORIGIN],
        "attributes": {
            "phone_number": "optional", "web3_wallet": "optional", "username": "optional", "passkey": true, "phone_second_factor": true,
            "email_link": true,
        },
        "oauth": {"custom_acme": {"client_id": CLIENT_ID, "issuer": provider.url(), "client_auth": "none"}},
        "native": {"trusted_devices": true},
        "passkey": {"satisfies_second_factor": false},
    });
    let more = format!(
        "[mail]\ntransport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"bench@example.com\"\n[outbound]\nallow_private_networks = true\n",
        mail.at.port()
    );
    let server = Server::start_with(kind, &settings, &more).await?;
    let mut connection = Connection::open(&server.public).await?;
    let mut keys = register(&server, &mut connection, provider, mail).await?;
    let mut rows = Vec::new();
    for strategy in STRATEGIES {
        let second = strategy.strip_prefix("password and ");
        let mut rounds = Vec::new();
        for round in 0..=ROUNDS {
            let mut people = Vec::new();
            for n in 0..COUNT {
                let person = person(&server, &format!("{}-{round}-{n}", strategy.replace(' ', "-")), n, second).await?;
                if strategy == PROVIDER {
                    // The first visit connects the account.
                    sign_in(&mut Visitor::new(&mut connection), strategy, &person, &mut keys).await?;
                }
                people.push(person);
            }
            let before = server.process()?.cpu_us()?;
            for person in &people {
                let done = sign_in(&mut Visitor::new(&mut connection), strategy, person, &mut keys).await?;
                ensure!(done["status"] == "complete", "{strategy}: {done}");
            }
            let each = (server.process()?.cpu_us()? - before) / COUNT as f64;
            // The first round warms up.
            if round > 0 {
                rounds.push(each);
            }
            forget(&server, &people).await?;
        }
        rows.push(Row {
            what: format!("{}: sign-in by {strategy}, processor time of the server", kind.name()),
            value: median(rounds.iter().copied()) / 1000.0,
            unit: "ms",
            aim: None,
            details: json!({"rounds_us": rounds, "sign_ins_of_a_round": COUNT}),
        });
    }
    server.stop().await?;
    Ok(rows)
}

/// One user with all keys.
async fn register(server: &Server, connection: &mut Connection, provider: Provider, mail: MailServer) -> anyhow::Result<Keys> {
    let (ethereum, solana) = (Wallet::ethereum(7), Wallet::solana(7));
    let email = "keys+clerk_test@example.com";
    let user = json!({
        "email_address": [email], "password": PASSWORD, "skip_password_checks": true,
        "web3_wallet": [ethereum.address(), solana.address()],
    });
    backend(server, "/v1/users", &user).await?;
    let mut authenticator = Authenticator { origin: ORIGIN.to_owned(), ..Authenticator::default() };
    let mut visitor = Visitor::new(connection);
    visitor.start(&[("identifier", email), ("password", PASSWORD)]).await?;
    let begun = visitor.post("/v1/me/passkeys", &[]).await?;
    let made = authenticator.create(&begun["verification"]["nonce"]);
    let at = format!("/v1/me/passkeys/{}/attempt_verification", begun["id"].as_str().context("no passkey")?);
    visitor.post(&at, &[("strategy", "passkey"), ("public_key_credential", &made)]).await?;
    let device = DeviceKey::default();
    let jwk = device.jwk();
    let about = [
        ("platform", "ios"),
        ("app_identifier", "com.example.app"),
        ("name", "A phone"),
        ("algorithm", "ES256"),
        ("public_key_jwk", jwk.as_str()),
    ];
    let asked = visitor.post("/v1/me/trusted_devices/prepare", &about).await?;
    let text = asked["client_data"].as_str().context("nothing to sign")?;
    let signature = device.sign(text);
    let proof = [("client_data", text), ("signature", signature.as_str())];
    let enrolled = visitor.post("/v1/me/trusted_devices/attempt", &[&about[..], &proof].concat()).await?;
    let device_id = enrolled["id"].as_str().context("no device")?.to_owned();
    Ok(Keys { authenticator, device, device_id, ethereum, solana, provider, mail })
}

/// With what the second factor needs, if there is one.
async fn person(server: &Server, name: &str, n: usize, second: Option<&str>) -> anyhow::Result<Person> {
    let person = Person {
        // Nothing is sent to addresses of tests.
        email: format!("{name}{}@example.com", if name.starts_with("email_link") { "" } else { "+clerk_test" }),
        username: name.to_owned(),
        // Codes for one number are few within minutes.
        phone: format!("+1{}55501{n:02}", if name.starts_with("reset") { 202 } else { 201 }),
        ticket: String::new(),
        backup_code: format!("backup{name}"),
    };
    let mut user = json!({
        "email_address": [person.email], "username": person.username, "phone_number": [person.phone],
        "password": PASSWORD, "skip_password_checks": true,
    });
    if matches!(second, Some("totp" | "backup_code")) {
        user["totp_secret"] = json!(TOTP.1);
        user["backup_codes"] = json!([person.backup_code]);
    }
    let id = backend(server, "/v1/users", &user).await?["id"].take();
    if second == Some("phone_code") {
        let kept = json!({
            "user_id": id, "phone_number": format!("+120355501{n:02}"), "verified": true, "reserved_for_second_factor": true,
        });
        backend(server, "/v1/phone_numbers", &kept).await?;
    }
    let ticket = backend(server, "/v1/sign_in_tokens", &json!({"user_id": id})).await?;
    Ok(Person { ticket: ticket["token"].as_str().context("no ticket")?.to_owned(), ..person })
}

/// The numbers of tests are few: the next round needs them again.
async fn forget(server: &Server, people: &[Person]) -> anyhow::Result<()> {
    for person in people {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("email_address", &person.email).finish();
        let found = load::once(&server.private, server.backend(Call::get(format!("/v1/users?{query}")))).await?.json()?;
        let id = found[0]["id"].as_str().context("the user is gone")?;
        let call = Call { method: "DELETE", ..Call::get(format!("/v1/users/{id}")) };
        load::once(&server.private, server.backend(call)).await?;
    }
    Ok(())
}

async fn backend(server: &Server, path: &str, body: &Value) -> anyhow::Result<Value> {
    load::once(&server.private, server.backend(Call::post(path).json(body))).await?.json()
}

async fn sign_in(visitor: &mut Visitor<'_>, strategy: &str, person: &Person, keys: &mut Keys) -> anyhow::Result<Value> {
    let email = person.email.as_str();
    match strategy {
        "password" => Ok(visitor.start(&[("identifier", email), ("password", PASSWORD)]).await?.0),
        "username and password" => Ok(visitor.start(&[("identifier", &person.username), ("password", PASSWORD)]).await?.0),
        "ticket" => Ok(visitor.start(&[("strategy", "ticket"), ("ticket", &person.ticket)]).await?.0),
        "email_code" | "phone_code" => {
            let identifier = if strategy == "phone_code" { person.phone.as_str() } else { email };
            let (_, at) = visitor.start(&[("identifier", identifier), ("strategy", strategy)]).await?;
            visitor.post(&format!("{at}/attempt_first_factor"), &[("strategy", strategy), ("code", TEST_CODE)]).await
        }
        "reset_password_email_code" | "reset_password_phone_code" => {
            let identifier = if strategy == "reset_password_phone_code" { person.phone.as_str() } else { email };
            let (_, at) = visitor.start(&[("identifier", identifier), ("strategy", strategy)]).await?;
            let fields = [("strategy", strategy), ("code", TEST_CODE), ("password", "another password for measuring")];
            visitor.post(&format!("{at}/attempt_first_factor"), &fields).await
        }
        "passkey" => {
            let (begun, at) = visitor.start(&[("strategy", strategy)]).await?;
            let signed = keys.authenticator.get(&begun["first_factor_verification"]["nonce"]);
            let fields = [("strategy", strategy), ("public_key_credential", signed.as_str())];
            visitor.post(&format!("{at}/attempt_first_factor"), &fields).await
        }
        "web3_metamask_signature" | "web3_solana_signature" => {
            let wallet = if strategy == "web3_solana_signature" { &keys.solana } else { &keys.ethereum };
            let (begun, at) = visitor.start(&[("identifier", &wallet.address()), ("strategy", strategy)]).await?;
            let text = begun["first_factor_verification"]["nonce"].as_str().context("nothing to sign")?;
            let fields = [("strategy", strategy), ("signature", &wallet.sign(text))];
            visitor.post(&format!("{at}/attempt_first_factor"), &fields).await
        }
        "email_link" => {
            visitor.start(&[("identifier", email), ("strategy", strategy), ("redirect_url", BACK)]).await?;
            let mail = keys.mail.mail_to(email).await.replace("=\n", "").replace("=3D", "=");
            let at = mail.find("/v1/verify?").context("no link in the mail")?;
            let link = mail[at..].split_whitespace().next().unwrap_or_default();
            Ok(signed_in(&visitor.follow(link).await?))
        }
        PROVIDER => {
            let fields = [("strategy", strategy), ("redirect_url", BACK), ("action_complete_redirect_url", BACK)];
            let (begun, _) = visitor.start(&fields).await?;
            let away = begun["first_factor_verification"]["external_verification_redirect_url"].as_str().context("no way there")?;
            keys.provider.account(json!({"sub": person.username, "email": email, "email_verified": true}));
            Ok(signed_in(&visitor.follow(&keys.provider.visit(away)).await?))
        }
        "trusted_device" => {
            let id = keys.device_id.as_str();
            let (begun, at) = visitor.start(&[("strategy", strategy), ("trusted_device_id", id)]).await?;
            let text = &begun["first_factor_verification"]["trusted_device_challenge"]["client_data"];
            let text = text.as_str().context("nothing to sign")?;
            let signature = keys.device.sign(text);
            let proof = [("client_data", text), ("signature", signature.as_str()), ("algorithm", "ES256")];
            let fields = [&[("strategy", strategy), ("trusted_device_id", id)], &proof[..]].concat();
            visitor.post(&format!("{at}/attempt_first_factor"), &fields).await
        }
        "password and phone_code" | "password and totp" | "password and backup_code" => {
            let (_, at) = visitor.start(&[("identifier", email), ("password", PASSWORD)]).await?;
            let (strategy, code) = match strategy {
                "password and totp" => ("totp", totp()),
                "password and backup_code" => ("backup_code", person.backup_code.clone()),
                _ => ("phone_code", TEST_CODE.to_owned()),
            };
            if strategy == "phone_code" {
                visitor.post(&format!("{at}/prepare_second_factor"), &[("strategy", strategy)]).await?;
            }
            visitor.post(&format!("{at}/attempt_second_factor"), &[("strategy", strategy), ("code", &code)]).await
        }
        other => anyhow::bail!("no way to sign in by {other}"),
    }
}

/// How a sign-in ended that no answer of its own tells of.
fn signed_in(client: &Value) -> Value {
    let token = &client["sessions"][0]["last_active_token"]["jwt"];
    json!({"status": if token.is_string() { "complete" } else { "none" }, "client": client})
}

/// The code that an authenticator app shows now (RFC 6238).
fn totp() -> String {
    let step = Clock::system().now() / 30_000;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, TOTP.0);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let number = tag.as_ref()[at..at + 4].iter().fold(0u32, |all, byte| all << 8 | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
