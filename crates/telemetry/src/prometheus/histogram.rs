//! A histogram in Prometheus' text format.

use std::fmt::Write as _;

/// What was measured, as somebody else keeps it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    /// Labels as they are written: `phase="limit"`.
    pub labels: String,
    /// Upper bounds in seconds and how many were at most that long, each including those before.
    pub buckets: Vec<(f64, u64)>,
    /// How many in all.
    pub count: u64,
    /// Seconds in all.
    pub sum: f64,
}

impl Histogram {
    /// Writes several under one name.
    pub fn write_all(out: &mut String, name: &str, help: &str, all: &[Self]) {
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} histogram");
        for one in all {
            let (labels, comma) = (&one.labels, if one.labels.is_empty() { "" } else { "," });
            for (bound, count) in &one.buckets {
                let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
            }
            let _ = writeln!(out, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {}", one.count);
            let _ = writeln!(out, "{name}_sum{{{labels}}} {}\n{name}_count{{{labels}}} {}", one.sum, one.count);
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_prometheus_own() {
        let one = Histogram { labels: "phase=\"limit\"".into(), buckets: vec![(0.001, 2), (0.01, 3)], count: 4, sum: 0.5 };
        let mut text = String::new();
        Histogram::write_all(&mut text, "x_seconds", "About x.", &[one]);
        let expected = "# HELP x_seconds About x.\n# TYPE x_seconds histogram\nx_seconds_bucket{phase=\"limit\",le=\"0.001\"} 2\n\
                        x_seconds_bucket{phase=\"limit\",le=\"0.01\"} 3\nx_seconds_bucket{phase=\"limit\",le=\"+Inf\"} 4\n\
                        x_seconds_sum{phase=\"limit\"} 0.5\nx_seconds_count{phase=\"limit\"} 4\n\n";
        assert_eq!(text, expected);
    }
}
