//! The Mann-Whitney test: whether two samples come from one distribution, by the ranks alone, so
//! that outliers, of which a shared machine has many, count no more than others.

/// The middle of `values`, or not a number where there are none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        len if len % 2 == 1 => sorted[len / 2],
        len => f64::midpoint(sorted[len / 2 - 1], sorted[len / 2]),
    }
}

/// How likely it is that samples from one distribution differ so much, either way: exact, over all
/// ways in which the ranks could have been dealt out. `None` where a sample is empty, or they are
/// too large for that to be counted.
pub(super) fn p_value(a: &[f64], b: &[f64]) -> Option<f64> {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    if a.is_empty() || b.is_empty() || all.len() > 60 {
        return None;
    }
    // Twice the rank, so that the mean rank of equal values is whole.
    let rank = |value: &f64| {
        let below = all.iter().filter(|other| *other < value).count();
        let equal = all.iter().filter(|other| *other == value).count();
        2 * below + equal + 1
    };
    let ranks: Vec<usize> = all.iter().map(rank).collect();
    let total: usize = ranks.iter().sum();
    // How many choices of so many of the values have ranks of that sum.
    let mut choices = vec![vec![0.0; total + 1]; a.len() + 1];
    choices[0][0] = 1.0;
    for rank in &ranks {
        for count in (1..=a.len()).rev() {
            let (fewer, these) = choices.split_at_mut(count);
            let fewer = &fewer[count - 1];
            for (sum, ways) in these[0].iter_mut().enumerate().skip(*rank) {
                *ways += fewer[sum - rank];
            }
        }
    }
    let sums = &choices[a.len()];
    let seen: usize = ranks[..a.len()].iter().sum();
    // All sums, times the number of values, are as far from this as their rank sum from the mean.
    let away = |sum: usize| (sum * all.len()).abs_diff(total * a.len());
    let (as_far, of_all) = sums
        .iter()
        .enumerate()
        .fold((0.0, 0.0), |(far, all), (sum, ways)| {
            let counts = away(sum) >= away(seen);
            (far + if counts { *ways } else { 0.0 }, all + ways)
        });
    Some(as_far / of_all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_apart_are_unlikely_and_mixed_ones_are_not() {
        let low = [1.0, 2.0, 3.0, 4.0, 5.0];
        let high = [6.0, 7.0, 8.0, 9.0, 10.0];
        // Two of the 252 ways to deal ten ranks out are so extreme.
        assert!((p_value(&low, &high).unwrap() - 2.0 / 252.0).abs() < 1e-12);
        assert_eq!(p_value(&low, &high), p_value(&high, &low));
        let mixed = [1.5, 2.5, 3.5, 4.5, 3.0];
        assert!(p_value(&low, &mixed).unwrap() > 0.5);
    }

    #[test]
    fn equal_values_share_their_ranks() {
        assert_eq!(p_value(&[1.0; 4], &[1.0; 4]), Some(1.0));
        assert_eq!(p_value(&[], &[1.0]), None);
        // Three against three: the six ways that put the two middle ranks anywhere.
        let p = p_value(&[1.0, 2.0, 2.0], &[2.0, 2.0, 3.0]).unwrap();
        assert!((p - 0.6).abs() < 1e-12, "{p}");
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(&[]).is_nan());
    }
}
