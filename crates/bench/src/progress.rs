//! What the person in front of the terminal sees while a run lasts: lines on standard error, never in the result.

use std::io::Write;

/// Writes one line. A closed terminal is no reason to stop measuring, so a failure is ignored.
pub fn say(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr(), "bench: {}", text.as_ref());
}
