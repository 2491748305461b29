//! One SQL text for both engines: `?1`, and few pairs of texts.

use super::{Finding, Tree};

/// Constants that hold one text for each engine.
const PAIRS: usize = 30;

const VERBS: &[&str] = &["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WHERE ", "VALUES ", "SET "];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut pairs = Vec::new();
    for source in tree.sources.iter().filter(|source| source.path.starts_with("crates/")) {
        for literal in source.strings.iter().filter(|literal| !source.is_test(literal.line)) {
            if has_dollar_parameter(&literal.value) && VERBS.iter().any(|verb| literal.value.contains(verb)) {
                let text = "SQL with `$1`: write `?1`; SQLite numbers `$n` by first appearance and swaps them silently";
                found.push(Finding::new(format!("{}:{}", source.path, literal.line), text));
            }
        }
        let lines = source.lines.iter().enumerate().filter(|(index, line)| !source.is_test(index + 1) && makes_pair(line));
        pairs.extend(lines.map(|(index, _)| format!("{}:{}", source.path, index + 1)));
    }
    if pairs.len() >= PAIRS {
        found.push(Finding::new(
            "crates",
            format!("{} pairs of texts for the two engines, fewer than {PAIRS} are allowed: {}", pairs.len(), pairs.join(" ")),
        ));
    }
    found
}

fn has_dollar_parameter(text: &str) -> bool {
    text.match_indices('$').any(|(at, _)| text[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
}

/// `Dialect { … }` or `Dialect::new(…)` as a value, not the type's own declaration.
fn makes_pair(line: &str) -> bool {
    let line = line.trim_start();
    let declares = ["struct Dialect", "impl Dialect", " for Dialect", "-> Dialect {"].iter().any(|text| line.contains(text));
    (line.contains("Dialect {") || line.contains("Dialect::new(")) && !declares && !line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Source;

    fn found(text: &str) -> usize {
        check(&Tree { sources: vec![Source::parse("crates/x/src/sql.rs", text).unwrap()], ..Tree::default() }).len()
    }

    #[test]
    fn numbered_question_marks_only() {
        assert_eq!(found(r#"const A: &str = "SELECT a FROM t WHERE b = ?1";"#), 0);
        assert_eq!(found(r#"const A: &str = "SELECT a FROM t WHERE b = $1";"#), 1);
        assert_eq!(found(r##"fn f() { x.query(sql!(r#"UPDATE t SET a = $12"#)) }"##), 1);
        assert_eq!(found(r#"const PRICE: &str = "costs $1";"#), 0);
        assert_eq!(found("#[test]\nfn f() { translate(\"SELECT $1 \") }"), 0);
    }

    #[test]
    fn pairs_are_counted_where_they_are_made() {
        let pair = |n: usize| format!("const P{n}: Dialect = Dialect {{ sqlite: \"a\", postgres: \"b\" }};\n");
        let declaration = "pub struct Dialect {\n}\nimpl Dialect {\n}\n";
        let text = |count: usize| declaration.to_owned() + &(0..count).map(pair).collect::<String>();
        assert_eq!((found(&text(29)), found(&text(30))), (0, 1));
    }
}
