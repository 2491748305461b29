//! Faults, each a small change of one good file.

use blueprint::{Fault, parse};

/// `good` with one piece of it replaced.
pub(crate) fn changed(good: &str, from: &str, to: &str) -> String {
    assert!(good.contains(from), "{from}");
    good.replacen(from, to, 1)
}

/// What is said of a file: its faults without their places, which each has. Nothing: it is good.
pub(crate) fn said(text: &str) -> Vec<String> {
    let Err(faults) = parse(text, "broken") else { return Vec::new() };
    assert!(faults.list().iter().all(|fault| fault.line.is_some() && fault.column.is_some()), "{faults}");
    faults.list().iter().map(|fault| Fault { line: None, column: None, ..fault.clone() }.to_string()).collect()
}
