//! Files, functions and crates stay small enough to read.

use super::{Finding, Tree};

const FILE: (usize, usize) = (400, 800);
const FUNCTION: (usize, usize) = (50, 70);
const CRATE: (usize, usize) = (12_000, 15_000);

/// Crates that are to stay smaller than the others: the vocabulary and the wiring.
const SMALL_CRATES: &[&str] = &["kernel", "assembly", "tradewind"];
const SMALL_CRATE: (usize, usize) = (2_500, 3_000);

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for source in &tree.sources {
        found.extend(Finding::limit(&source.path, "this file", source.lines.len(), FILE.0, FILE.1));
        for function in &source.functions {
            let place = format!("{}:{}", source.path, function.line);
            found.extend(Finding::limit(place, &format!("the body of `{}`", function.name), function.lines, FUNCTION.0, FUNCTION.1));
        }
    }
    for package in &tree.packages {
        let inside = format!("{}/src/", package.dir);
        let lines = tree.sources.iter().filter(|source| source.path.starts_with(&inside)).map(|source| source.lines.len()).sum();
        let (soft, hard) = if SMALL_CRATES.contains(&package.name.as_str()) { SMALL_CRATE } else { CRATE };
        found.extend(Finding::limit(&package.name, "this crate", lines, soft, hard));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::{Package, Source};

    fn tree(text: &str) -> Tree {
        let package = Package { name: "kernel".into(), dir: "crates/kernel".into(), dependencies: Vec::new() };
        let source = Source::parse("crates/kernel/src/lib.rs", text).unwrap();
        Tree { sources: vec![source], packages: vec![package], ..Tree::default() }
    }

    fn verdicts(text: &str) -> Vec<bool> {
        check(&tree(text)).iter().map(|finding| finding.advice).collect()
    }

    #[test]
    fn a_function_is_measured_between_its_braces() {
        let function = |lines: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(lines));
        assert!(verdicts(&function(50)).is_empty());
        assert_eq!(verdicts(&function(51)), [true]);
        assert_eq!(verdicts(&function(70)), [true]);
        assert_eq!(verdicts(&function(71)), [false]);
        assert!(verdicts(&format!("#[cfg(test)]\nmod tests {{\n{}}}", function(71))).is_empty());
    }

    #[test]
    fn files_and_crates_have_limits() {
        assert_eq!(verdicts(&"//\n".repeat(801)), [false]);
        assert_eq!(verdicts(&"//\n".repeat(401)), [true]);
        assert_eq!(verdicts(&"//\n".repeat(3_001)), [false, false]);
    }
}
