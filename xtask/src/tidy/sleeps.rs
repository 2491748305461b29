//! Tests wait for conditions. A test that sleeps is slow where it works and fails where the machine is slow.

use super::{Finding, Tree};

const SLEEPS: &[&str] = &[concat!("thread::sl", "eep"), concat!("time::sl", "eep")];

/// On the line or the one above: the pause between two looks at a condition, or the thing under test.
const EXCUSE: &str = "// tidy: condition";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        for (index, line) in source.lines.iter().enumerate() {
            let sleeps = SLEEPS.iter().any(|sleep| line.contains(sleep)) && !line.trim_start().starts_with("//");
            let above = index.checked_sub(1).map_or("", |above| source.lines[above].as_str());
            if sleeps && source.is_test(index + 1) && !line.contains(EXCUSE) && !above.contains(EXCUSE) {
                let text = format!("a test sleeps: wait for a condition (testkit::wait), or say `{EXCUSE}: why`");
                found.push(Finding::new(format!("{}:{}", source.path, index + 1), text));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Source;

    const SLEEP: &str = concat!("std::thread::sl", "eep(t);");

    fn found(path: &str, text: &str) -> usize {
        check(&Tree { sources: vec![Source::parse(path, text).unwrap()], ..Tree::default() }).len()
    }

    #[test]
    fn sleeping_tests_are_found() {
        let test = format!("#[test]\nfn a() {{\n    {SLEEP}\n}}");
        assert_eq!(found("crates/x/src/lib.rs", &test), 1);
        assert_eq!(found("crates/x/tests/it/main.rs", &format!("fn b() {{ {SLEEP} }}")), 1);
        assert_eq!(found("crates/x/tests/it/main.rs", concat!("use tokio::time::sl", "eep;")), 1);
    }

    #[test]
    fn other_code_and_excused_lines_are_not() {
        assert_eq!(found("crates/x/src/lib.rs", &format!("fn b() {{ {SLEEP} }}")), 0);
        assert_eq!(found("crates/x/tests/a.rs", &format!("fn b() {{\n{SLEEP} {EXCUSE}: polls a process\n}}")), 0);
        assert_eq!(found("crates/x/tests/a.rs", &format!("fn b() {{\n{EXCUSE}: polls a process\n{SLEEP}\n}}")), 0);
    }
}
