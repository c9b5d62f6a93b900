//! How long a token takes that is there already: `cargo run --release -p doorward-client --example token_speed`.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a program that prints")]

use base64ct::{Base64UrlUnpadded, Encoding as _};
use doorward_client::{Command, Config, Core, Effect, Event};
use std::time::Instant;

const NOW: i64 = 1_790_000_000_000;
const TIMES: u32 = 1_000_000;

fn main() {
    let config = Config { publishable_key: "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k".into(), ..Config::default() };
    let mut core = Core::new(config).unwrap();
    core.command(1, Command::Load, NOW);
    let claims = format!("{{\"iat\":{},\"exp\":{}}}", NOW / 1000, NOW / 1000 + 60);
    let jwt = format!("h.{}.s", Base64UrlUnpadded::encode_string(claims.as_bytes()));
    let session = format!("{{\"id\":\"sess_1\",\"status\":\"active\",\"last_active_token\":{{\"jwt\":\"{jwt}\"}}}}");
    let body = format!("{{\"response\":{{\"id\":\"client_1\",\"sessions\":[{session}]}}}}");
    let id = core.effects().into_iter().find_map(|it| if let Effect::Request(request) = it { Some(request.id) } else { None }).unwrap();
    core.event(Event::Response { id, status: 200, headers: Vec::new(), body }, NOW);
    let began = Instant::now();
    for _ in 0..TIMES {
        assert!(std::hint::black_box(core.token(None, None, NOW)).is_some());
    }
    println!("a token from the cache: {:.3} microseconds", began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
}
