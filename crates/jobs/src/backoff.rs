use doorward_base::{Rng, Timestamp};

/// The first pause. It doubles from try to try: eight tries take ten to eleven minutes, which is about as long as the
/// codes in most mails are good for. Later they would only confuse.
const FIRST_MS: i64 = 5_000;

/// When a job that failed for the `attempts`-th time is due again. A fifth more or less by chance, so that jobs which
/// failed together do not come back together.
pub(crate) fn next(now: Timestamp, attempts: i64, rng: &Rng) -> Timestamp {
    let doublings = attempts.saturating_sub(1).clamp(0, 10);
    now + jittered(FIRST_MS << doublings, rng)
}

/// A pause, a fifth longer or shorter.
fn jittered(pause: i64, rng: &Rng) -> i64 {
    let share = i64::from(u16::from_be_bytes(rng.bytes::<2>())) - 32_768;
    pause + pause * share / 32_768 / 5
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The pauses between the tries of a webhook delivery, three and a half days in all: endpoints are other people's servers, and
/// some of those are mended on Mondays.
const WEBHOOK_PAUSES_MS: [i64; 10] =
    [5_000, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS, 14 * HOUR_MS, 20 * HOUR_MS, 24 * HOUR_MS];

/// When a webhook delivery that failed for the `attempts`-th time is due again; never after the last pause.
pub(crate) fn next_webhook(now: Timestamp, attempts: i64, rng: &Rng) -> Option<Timestamp> {
    let nth = usize::try_from(attempts.saturating_sub(1)).ok()?;
    WEBHOOK_PAUSES_MS.get(nth).map(|pause| now + jittered(*pause, rng))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_a_fifth() {
        let rng = Rng::seeded(3);
        for attempts in 1..=8 {
            let nominal = 5_000 * (1 << (attempts - 1));
            for _ in 0..100 {
                let pause = next(1_000, attempts, &rng) - 1_000;
                assert!((nominal * 4 / 5..=nominal * 6 / 5).contains(&pause), "{attempts}: {pause}");
            }
        }
        assert!((1..=10).all(|attempts| next_webhook(1_000, attempts, &rng).unwrap() > 1_000 + 3_999));
        assert!([11, i64::MAX].iter().all(|attempts| next_webhook(0, *attempts, &rng).is_none()));
        assert!(next(0, i64::MAX, &rng) < 7_000_000, "no overflow, however often it was tried");
    }
}
