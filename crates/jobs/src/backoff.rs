use doorward_base::{Rng, Timestamp};

/// The first pause. It doubles from try to try: eight tries take ten to eleven minutes, which is about as long as the
/// codes in most mails are good for. Later they would only confuse.
const FIRST_MS: i64 = 5_000;

/// When a job that failed for the `attempts`-th time is due again. A fifth more or less by chance, so that jobs which
/// failed together do not come back together.
pub(crate) fn next(now: Timestamp, attempts: i64, rng: &Rng) -> Timestamp {
    let doublings = attempts.saturating_sub(1).clamp(0, 10);
    let pause = FIRST_MS << doublings;
    let share = i64::from(u16::from_be_bytes(rng.bytes::<2>())) - 32_768;
    now + pause + pause * share / 32_768 / 5
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
        assert!(next(0, i64::MAX, &rng) < 7_000_000, "no overflow, however often it was tried");
    }
}
