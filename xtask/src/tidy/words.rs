//! Text that must not be in any file.

use super::{Finding, Tree};

/// The word, and why not. Written in two halves, so that this file passes its own rule.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("todo", "!("), "finish it, or leave it out"),
    (concat!("unimplemented", "!("), "finish it, or leave it out"),
    (concat!("FIX", "ME"), "fix it, or file an issue"),
    (concat!("#[ig", "nore]"), "say why: #[ignore = \"reason\"]"),
    (concat!("/wor", "k/"), "a path of one machine"),
    (concat!("/ro", "ot/"), "a path of one machine"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut found = Vec::new();
    for file in tree.texts.iter().filter(|file| file.path != "Cargo.lock") {
        for (number, line) in file.text.lines().enumerate() {
            for (word, why) in FORBIDDEN.iter().filter(|(word, _)| contains(line, word)) {
                found.push(Finding::new(format!("{}:{}", file.path, number + 1), format!("`{word}`: {why}")));
            }
        }
    }
    found
}

/// A path must begin where it is found: `net/wor…k/x` is none.
fn contains(line: &str, word: &str) -> bool {
    let begins = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '}' | '>'));
    line.match_indices(word).any(|(at, _)| !word.starts_with('/') || begins(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::Text;

    fn found(text: &str) -> usize {
        check(&Tree { texts: vec![Text { path: "a.md".into(), text: text.into() }], ..Tree::default() }).len()
    }

    #[test]
    fn forbidden_words_are_found_wherever_they_stand() {
        for (word, _) in FORBIDDEN {
            assert_eq!(found(&format!("fine\n  {word}x")), 1, "{word}");
        }
        assert_eq!(found(concat!("#[ig", "nore = \"needs a terabyte\"]")), 0);
        assert_eq!(found(concat!("https://x.y/a.b/wor", "k/items")), 0);
    }
}
