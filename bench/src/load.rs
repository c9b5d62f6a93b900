//! Load: bounded in count and time, on loopback.

use crate::process::{EMAIL, PASSWORD, Server, Session};
use anyhow::ensure;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// What a run did.
pub(crate) struct Run {
    pub(crate) count: usize,
    pub(crate) per_second: f64,
}

/// How long requests took when they came evenly.
pub(crate) struct Paced {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

fn mint_request(server: &Server, session: &Session) -> reqwest::RequestBuilder {
    let origin = server.frontend.clone();
    server
        .http
        .post(format!("{}/v1/client/sessions/{}/tokens", server.frontend, session.id))
        .header("cookie", &session.cookie)
        .header("origin", origin)
}

async fn closed_loop(count: usize, workers: usize, request: impl Fn() -> reqwest::RequestBuilder) -> anyhow::Result<Run> {
    let left = Arc::new(AtomicUsize::new(count));
    let began = Instant::now();
    let mut running = JoinSet::new();
    for _ in 0..workers {
        let (left, first) = (left.clone(), request());
        running.spawn(async move {
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                let Some(request) = first.try_clone() else { break };
                let answer = request.send().await?;
                ensure!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
                answer.bytes().await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(Run { count, per_second: count as f64 / began.elapsed().as_secs_f64() })
}

/// Mints tokens as fast as `workers` connections can.
pub(crate) async fn mints(server: &Server, session: &Session, count: usize, workers: usize) -> anyhow::Result<Run> {
    closed_loop(count, workers, || mint_request(server, session)).await
}

/// Signs in with a password, each time as a new browser.
pub(crate) async fn sign_ins(server: &Server, count: usize, workers: usize) -> anyhow::Result<Run> {
    let fields = [("identifier", EMAIL), ("password", PASSWORD)];
    closed_loop(count, workers, || server.http.post(format!("{}/v1/client/sign_ins", server.frontend)).form(&fields)).await
}

/// Mints tokens at an even rate, whether or not the ones before have been answered.
pub(crate) async fn paced_mints(server: &Server, session: &Session, per_second: f64, seconds: u64) -> anyhow::Result<Paced> {
    let count = (per_second * seconds as f64) as u32;
    let began = tokio::time::Instant::now();
    let mut running = JoinSet::new();
    for n in 0..count {
        let due = began + Duration::from_secs_f64(f64::from(n) / per_second);
        tokio::time::sleep_until(due).await;
        let request = mint_request(server, session);
        running.spawn(async move {
            let answer = request.send().await?;
            ensure!(answer.status().is_success(), "a mint failed: {}", answer.status());
            answer.bytes().await?;
            Ok(due.elapsed().as_secs_f64() * 1000.0)
        });
    }
    let mut times = Vec::new();
    while let Some(done) = running.join_next().await {
        times.push(done??);
    }
    times.sort_by(f64::total_cmp);
    let at =
        |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1))).copied().unwrap_or_default();
    Ok(Paced { p50_ms: at(0.5), p99_ms: at(0.99) })
}
