//! Signs in from a terminal and prints a session token:
//! `DOORWARD_PUBLISHABLE_KEY=pk_.. [DOORWARD_PROXY_URL=http://localhost:4100] doorward-client ada@example.com`, the password
//! on standard input. The session is ended again.

use doorward_base::{Clock, Rng};
use doorward_client_native::{Client, Command, Config, Step, TokenQuery, params};
use std::env;
use std::io::{self, BufRead as _, Write as _};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let identifier = env::args().nth(1).ok_or("usage: doorward-client IDENTIFIER")?;
    let config = Config {
        publishable_key: env::var("DOORWARD_PUBLISHABLE_KEY").map_err(|_| "DOORWARD_PUBLISHABLE_KEY is needed")?,
        proxy_url: env::var("DOORWARD_PROXY_URL").ok(),
        seed: u64::from_ne_bytes(Rng::system().bytes()),
        ..Config::default()
    };
    let client = Client::start(config, Clock::system())?;
    client.call(Command::Load).await?;

    write!(io::stderr(), "Password for {identifier}: ")?;
    let mut password = String::new();
    io::stdin().lock().read_line(&mut password)?;
    let who = params([("identifier", &identifier), ("password", password.trim_end_matches(['\r', '\n']))]);
    let attempt = client.call(Command::Step(Step::SignInCreate, who)).await?;
    let status = attempt["status"].as_str().unwrap_or_default();
    if status != "complete" {
        return Err(format!("the sign-in goes on with another step: {status}").into());
    }
    let session = attempt["created_session_id"].as_str().map(str::to_owned);
    client.call(Command::SetActive { session: Some(session), organization: None }).await?;
    let token = client.call(Command::GetToken(TokenQuery::default())).await?;
    writeln!(io::stdout(), "{}", token.as_str().unwrap_or_default())?;
    client.call(Command::SignOut { session: None }).await?;
    Ok(())
}
