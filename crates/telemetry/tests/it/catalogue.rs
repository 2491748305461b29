//! The list of metrics against the code and against the documentation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use telemetry::{CATALOGUE, Form};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(dir: &Path, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

/// Every name that follows one of the macros of `metrics`, in the product's own code.
fn counted() -> BTreeMap<String, Form> {
    const DEVELOPMENT: [&str; 5] = ["bench", "testkit", "vendors", "xtask", "telemetry"];
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(root().join("crates")).unwrap() {
        let dir = entry.unwrap().path();
        if !DEVELOPMENT.contains(&dir.file_name().unwrap().to_str().unwrap()) && dir.join("src").is_dir() {
            sources(&dir.join("src"), &mut texts);
        }
    }
    sources(&root().join("crates/telemetry/src/otlp"), &mut texts);
    let mut found = BTreeMap::new();
    for text in texts {
        for (mark, form) in [("counter!(", Form::Counter), ("gauge!(", Form::Gauge), ("histogram!(", Form::Histogram)] {
            for rest in text.split(mark).skip(1) {
                let Some(name) = rest.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next()) else { continue };
                let known = found.insert(name.to_owned(), form);
                assert!(known.is_none_or(|known| known == form), "{name} is counted in two ways");
            }
        }
    }
    found
}

/// Those that hot paths keep themselves, and the process's own.
const WRITTEN: [&str; 8] = [
    "tradewind_requests_total",
    "tradewind_gate_seconds",
    "tradewind_credential_cache_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_cpu_seconds_total",
    "process_threads",
    "process_open_fds",
];

#[test]
fn the_list_is_what_the_code_counts() {
    let counted = counted();
    assert!(counted.len() > 20, "the search found only {counted:?}");
    for (name, form) in &counted {
        let listed = CATALOGUE.iter().find(|metric| metric.name == name);
        let listed = listed.unwrap_or_else(|| panic!("{name} is not in crates/telemetry/src/prometheus/catalogue.rs"));
        assert_eq!(listed.form, *form, "{name}");
    }
    for metric in CATALOGUE {
        let known = counted.contains_key(metric.name) || WRITTEN.contains(&metric.name);
        assert!(known, "{} is listed, and nothing counts it", metric.name);
    }
}

#[test]
fn the_page_has_a_row_for_each() {
    let page = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows: Vec<Vec<&str>> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(|cell| cell.trim_matches('`')).collect())
        .collect();
    let form = |form| match form {
        Form::Counter => "counter",
        Form::Gauge => "gauge",
        Form::Histogram => "histogram",
    };
    let expected: Vec<Vec<String>> = CATALOGUE
        .iter()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            vec![
                metric.name.to_owned(),
                form(metric.form).to_owned(),
                labels.join(", ").trim_matches('`').to_owned(),
                metric.help.to_owned(),
            ]
        })
        .collect();
    for row in &expected {
        assert!(
            rows.iter().any(|found| found == row),
            "docs/metrics.md lacks the row\n| `{}` | {} | {} | {} |",
            row[0],
            row[1],
            CATALOGUE
                .iter()
                .find(|m| m.name == row[0])
                .map(|m| m.labels.iter().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", "))
                .unwrap_or_default(),
            row[3]
        );
    }
    assert_eq!(rows.len(), expected.len(), "docs/metrics.md has rows that the list has not");
}
