//! Results: rows with a verdict, as a table for the terminal and as a file for the repository.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use kernel::{Ambient, Timestamp};

use crate::machine::Machine;

/// Whether a row reached its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did.
    Met,
    /// It did not.
    Missed,
    /// It has none; it explains another row.
    Information,
}

/// One measured thing.
#[derive(Clone, Debug)]
pub struct Row {
    /// What.
    pub name: String,
    /// Its value.
    pub measured: String,
    /// What it is compared with, or nothing.
    pub reference: String,
    /// Measured by reference, or nothing.
    pub ratio: String,
    /// What was asked for, or nothing.
    pub target: String,
    /// Whether it was reached.
    pub verdict: Verdict,
}

impl Row {
    /// A value without a target.
    pub fn information(name: impl Into<String>, measured: impl Into<String>) -> Self {
        let (name, measured) = (name.into(), measured.into());
        Self { name, measured, reference: String::new(), ratio: String::new(), target: String::new(), verdict: Verdict::Information }
    }

    /// A value that must satisfy `met`; `target` says how.
    pub fn bound(name: impl Into<String>, measured: impl Into<String>, target: impl Into<String>, met: bool) -> Self {
        let verdict = if met { Verdict::Met } else { Verdict::Missed };
        Self { target: target.into(), verdict, ..Self::information(name, measured) }
    }

    /// A rate (per second) that must be at least `least` times the reference's.
    pub fn share(name: impl Into<String>, rate: f64, reference: f64, least: f64) -> Self {
        let ratio = rate / reference;
        let row = Self::bound(name, per_second(rate), format!("≥ {least:.2}"), ratio >= least);
        Self { reference: per_second(reference), ratio: format!("{ratio:.2}"), ..row }
    }

    /// The same row, compared with something.
    #[must_use]
    pub fn against(self, reference: impl Into<String>, ratio: f64) -> Self {
        Self { reference: reference.into(), ratio: format!("{ratio:.2}"), ..self }
    }
}

/// `12,345/s`.
pub fn per_second(rate: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate is positive and far below 2^63")]
    let whole = rate.round() as u64;
    format!("{}/s", thousands(whole))
}

/// `1,234,567`.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1.23 ms`.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

/// `123 µs`.
pub fn microseconds(time: Duration) -> String {
    format!("{} µs", time.as_micros())
}

/// `12.3 MB` (10⁶ bytes).
#[allow(clippy::cast_precision_loss, reason = "memory stays far below 2^52 bytes")]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// The middle value of an odd number of values (the upper middle of an even one).
///
/// # Panics
/// If there is none.
pub fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("measured values are ordered"));
    sorted[sorted.len() / 2]
}

/// The rows as a Markdown table, its columns aligned so that it reads in a terminal as well.
pub fn table(rows: &[Row]) -> String {
    let head = ["what", "measured", "reference", "ratio", "target", "verdict"].map(str::to_owned);
    let lines: Vec<[String; 6]> = std::iter::once(head)
        .chain(rows.iter().map(|row| {
            let verdict = match row.verdict {
                Verdict::Met => "met",
                Verdict::Missed => "MISSED",
                Verdict::Information => "",
            };
            let Row { name, measured, reference, ratio, target, .. } = row.clone();
            [name, measured, reference, ratio, target, verdict.to_owned()]
        }))
        .collect();
    let widths: [usize; 6] = std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (cell, width) in line.iter().zip(widths) {
            write!(out, "| {cell:width$} ").expect("writing to a String does not fail");
        }
        out.push_str("|\n");
        if index == 0 {
            widths.iter().for_each(|width| out.push_str(&format!("|{}", "-".repeat(width + 2))));
            out.push_str("|\n");
        }
    }
    out
}

/// Whether no row missed its target.
pub fn all_met(rows: &[Row]) -> bool {
    rows.iter().all(|row| row.verdict != Verdict::Missed)
}

/// Writes `<directory>/<date>-<name>.md` with the machine and the rows; the path.
pub fn write(directory: &Path, name: &str, engine: &str, rows: &[Row]) -> Result<PathBuf> {
    let now: Timestamp = Ambient::system().now();
    let stamp = now.to_string();
    let date = &stamp[..10];
    let text =
        format!("# {name}, {date}\n\n{}\n- store: {engine}\n- finished: {stamp}\n\n{NOISE}\n\n{}", Machine::read().list(), table(rows));
    std::fs::create_dir_all(directory).with_context(|| format!("making {}", directory.display()))?;
    let path = directory.join(format!("{date}-{name}.md"));
    std::fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

/// What every result must say.
pub const NOISE: &str = "Server, load generator and receiver share these cores with whatever else the machine does. Compare the ratios, which come from \
                         alternating runs of one session; absolute numbers of different days or machines do not compare.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        assert_eq!(
            (thousands(0), thousands(999), thousands(1000), thousands(1_234_567)),
            ("0".into(), "999".into(), "1,000".into(), "1,234,567".into())
        );
        assert_eq!(milliseconds(Duration::from_micros(1234)), "1.23 ms");
        assert_eq!(megabytes(39_950_000), "40.0 MB");
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0_f64).abs() < 1e-9);
    }

    #[test]
    fn verdicts_follow_the_ratio() {
        assert_eq!(Row::share("a", 600.0, 1000.0, 0.6).verdict, Verdict::Met);
        let missed = Row::share("a", 599.0, 1000.0, 0.6);
        assert_eq!((missed.verdict, missed.ratio.as_str()), (Verdict::Missed, "0.60"));
        assert!(!all_met(std::slice::from_ref(&missed)));
        let table = table(&[missed, Row::information("µ", "1")]);
        assert!(table.contains("MISSED"));
        let widths: Vec<_> = table.lines().map(|line| line.chars().count()).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }

    #[test]
    fn a_result_file_is_dated() {
        let directory = tempfile::tempdir().unwrap();
        let path = write(directory.path(), "gate", "SQLite", &[Row::information("x", "1")]).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("cores") && text.contains("| x "), "{text}");
        assert!(path.file_name().unwrap().to_str().unwrap().ends_with("-gate.md"));
    }
}
