//! What one call costs a program's processor, and how long it takes.

use crate::database::Database;
use crate::load::{self, Make};
use crate::process::Process;

/// How often, and over how many connections.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) warm_up: usize,
    pub(crate) count: usize,
}

/// What one call costs.
pub(crate) struct Cost {
    /// Of the program, in microseconds.
    pub(crate) cpu_us: f64,
    /// Of PostgreSQL, in microseconds, where it is another program.
    pub(crate) database_cpu_us: Option<f64>,
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Measures a call.
pub(crate) async fn cost(process: &Process, database: Option<&Database>, host: &str, load: Load, make: &Make) -> anyhow::Result<Cost> {
    load::closed_loop(host, load.connections, load.warm_up, make).await?;
    let database_cpu = async || match database {
        Some(database) => database.cpu_us().await,
        None => Ok(None),
    };
    let (before, database_before) = (process.cpu_us()?, database_cpu().await?);
    // Not the same requests again: a user can be created once.
    let (first, inner) = (load.warm_up, make.clone());
    let rest: Make = std::sync::Arc::new(move |n| inner(first + n));
    let run = load::closed_loop(host, load.connections, load.count, &rest).await?;
    let count = run.count as f64;
    let database_cpu_us = database_cpu().await?.zip(database_before).map(|(after, before)| (after - before) / count);
    Ok(Cost {
        cpu_us: (process.cpu_us()? - before) / count,
        database_cpu_us,
        per_second: run.per_second,
        p50_ms: run.percentile_ms(0.5),
        p99_ms: run.percentile_ms(0.99),
    })
}

/// The middle one; of an even number the upper of the two.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.into_iter().collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or_default()
}

/// The medians of several costs.
pub(crate) fn median_cost(all: &[Cost]) -> Cost {
    let of = |field: fn(&Cost) -> f64| median(all.iter().map(field));
    let database = all.iter().all(|it| it.database_cpu_us.is_some());
    Cost {
        cpu_us: of(|it| it.cpu_us),
        database_cpu_us: database.then(|| of(|it| it.database_cpu_us.unwrap_or_default())),
        per_second: of(|it| it.per_second),
        p50_ms: of(|it| it.p50_ms),
        p99_ms: of(|it| it.p99_ms),
    }
}
