//! Whether two samples come of the same distribution.

/// The two-sided p of the rank test of Mann and Whitney, by the normal approximation with ties and continuity corrected: how
/// likely samples are to differ at least so much when there is no difference.
pub(crate) fn mann_whitney_p(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> = one.iter().map(|v| (*v, true)).chain(other.iter().map(|v| (*v, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (n, m) = (one.len() as f64, other.len() as f64);
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    while at < all.len() {
        let same = all[at..].iter().take_while(|it| it.0.total_cmp(&all[at].0).is_eq()).count();
        let rank = at as f64 + (same as f64 + 1.0) / 2.0;
        ranks += rank * all[at..at + same].iter().filter(|it| it.1).count() as f64;
        ties += (same as f64).powi(3) - same as f64;
        at += same;
    }
    let (u, mean, total) = (ranks - n * (n + 1.0) / 2.0, n * m / 2.0, n + m);
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let z = ((u - mean).abs() - 0.5).max(0.0) / variance.sqrt();
    erfc(z / std::f64::consts::SQRT_2)
}

/// The complementary error function for what is not negative (Abramowitz and Stegun, 7.1.26: within 1.5e-7).
fn erfc(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let poly = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592].iter().fold(0.0, |sum, c| sum * t + c);
    poly * t * (-x * x).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rank_test_agrees_with_tables() {
        // R: wilcox.test(1:10, 6:15, exact = FALSE) with its continuity correction.
        let from = |first: u32| (first..first + 10).map(f64::from).collect::<Vec<f64>>();
        let p = mann_whitney_p(&from(1), &from(6));
        assert!((p - 0.005_197).abs() < 0.000_6, "{p}");
        assert!((erfc(1.959_964 / std::f64::consts::SQRT_2) - 0.05).abs() < 1e-6);
    }

    #[test]
    fn the_same_is_the_same_and_the_far_is_far() {
        let low: Vec<f64> = (0..200).map(|n| f64::from(n % 20)).collect();
        let high: Vec<f64> = low.iter().map(|v| v + 5.0).collect();
        assert!(mann_whitney_p(&low, &low) > 0.9 && mann_whitney_p(&[1.0; 9], &[1.0; 9]) > 0.9);
        assert!(mann_whitney_p(&low, &high) < 1e-6);
    }
}
