//! Medians and percentiles.

/// The value below which a share of the values lies (nearest rank); 0 of nothing.
pub(super) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rank in a list of at most some thousand measurements"
    )]
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize - 1;
    sorted.get(rank.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0)
}

/// The value in the middle.
pub(super) fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The value that one in twenty exceeds.
pub(super) fn p95(values: &[f64]) -> f64 {
    quantile(values, 0.95)
}

/// What each value is above that of the same round.
pub(super) fn added(values: &[f64], base: &[f64]) -> Vec<f64> {
    values.iter().zip(base).map(|(value, base)| value - base).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_twentieth_are_those_of_the_list() {
        let values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert!((median(&values) - 50.0).abs() < 1e-9 && (p95(&values) - 95.0).abs() < 1e-9);
        assert!((median(&[7.0]) - 7.0).abs() < 1e-9 && median(&[]).abs() < 1e-9);
        assert!((median(&added(&[5.0, 9.0, 7.0], &[1.0, 2.0, 3.0])) - 4.0).abs() < 1e-9);
    }
}
