//! Figures as a person reads them.

/// Three digits of which the last ones are not made up.
fn three(value: f64) -> String {
    let digits = match value.abs() {
        below if below < 9.995 => 2,
        below if below < 99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return text.to_owned();
    }
    text
}

/// Nanoseconds.
pub(crate) fn time(nanos: f64) -> String {
    if !nanos.is_finite() {
        return "–".to_owned();
    }
    if nanos == 0.0 {
        return "0".to_owned();
    }
    let (unit, name) = match nanos {
        below if below < 999.5 => (1.0, "ns"),
        below if below < 999.5e3 => (1e3, "µs"),
        below if below < 999.5e6 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    format!("{} {name}", three(nanos / unit))
}

/// Bytes.
pub(crate) fn bytes(bytes: f64) -> String {
    if !bytes.is_finite() {
        return "–".to_owned();
    }
    let (unit, name) = match bytes {
        below if below < 1024.0 => (1.0, "B"),
        below if below < 1024.0 * 1024.0 => (1024.0, "KiB"),
        below if below < 1024.0 * 1024.0 * 1024.0 => (1024.0 * 1024.0, "MiB"),
        _ => (1024.0 * 1024.0 * 1024.0, "GiB"),
    };
    format!("{} {name}", three(bytes / unit))
}

/// Bytes by which a process grew. What was freed before, and is taken again, hides small things.
pub(crate) fn growth(grown: f64) -> String {
    match grown < 1.0 {
        true => "no more memory than was free".to_owned(),
        false => bytes(grown),
    }
}

/// A number of things: 12 000, 1.2 million.
pub(crate) fn amount(value: f64) -> String {
    match value {
        below if !below.is_finite() => "–".to_owned(),
        below if below < 1e3 => three(below),
        below if below < 999.5e3 => format!("{} k", three(below / 1e3)),
        _ => format!("{} M", three(value / 1e6)),
    }
}

/// How many times.
pub(crate) fn times(ratio: f64) -> String {
    if !ratio.is_finite() {
        return "–".to_owned();
    }
    format!("{} ×", three(ratio))
}

/// One figure, or the ends of a range where they read differently.
pub(crate) fn from_to(low: f64, high: f64, show: impl Fn(f64) -> String) -> String {
    let (low, high) = (show(low), show(high));
    if low == high {
        return low;
    }
    format!("{low} to {high}")
}

/// A table in Markdown.
pub(crate) fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let mut rules = vec!["---:".to_owned(); heads.len()];
    if let Some(first) = rules.first_mut() {
        "---".clone_into(first);
    }
    let rows: String = rows.iter().map(|row| line(row)).collect();
    line(&heads) + &line(&rules) + &rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits() {
        assert_eq!(time(0.314e3), "314 ns");
        assert_eq!(time(999.7), "1 µs");
        assert_eq!(time(1e3), "1 µs");
        assert_eq!(time(12_340.0), "12.3 µs");
        assert_eq!(time(5.4e9), "5.4 s");
        assert_eq!(time(f64::NAN), "–");
        assert_eq!(bytes(16_384.0), "16 KiB");
        assert_eq!(bytes(4.5 * 1048576.0), "4.5 MiB");
        assert_eq!(amount(64.0), "64");
        assert_eq!(amount(270_123.0), "270 k");
        assert_eq!(amount(3.21e6), "3.21 M");
        assert_eq!(times(2.5), "2.5 ×");
        assert_eq!(from_to(2.5, 2.5, times), "2.5 ×");
        assert_eq!(from_to(1.0, 2.5, times), "1 × to 2.5 ×");
    }

    #[test]
    fn a_table_has_a_rule_under_its_heads() {
        let rows = [vec!["rust".to_owned(), "1".to_owned()]];
        assert_eq!(
            table(&["guest", "ns"], &rows),
            "| guest | ns |\n| --- | ---: |\n| rust | 1 |\n"
        );
    }
}
