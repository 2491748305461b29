//! Grams: one, two and three neighbouring characters.

use std::collections::BTreeSet;

/// Most grams that a search asks for: enough to leave few candidates, few enough to be cheap.
pub(super) const ASKED: usize = 8;

/// Every gram of a record's text, each once. A gram does not span two lines.
pub(super) fn of_text(text: &str) -> BTreeSet<&str> {
    let mut out = BTreeSet::new();
    for line in text.split('\n') {
        let starts: Vec<usize> = line.char_indices().map(|(at, _)| at).chain([line.len()]).collect();
        for length in 1..=3 {
            out.extend(starts.windows(length + 1).map(|window| &line[window[0]..window[length]]));
        }
    }
    out
}

/// Grams that every text has which contains `text`: the longest that fit, spread over it.
pub(super) fn of_needle(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let length = chars.len().min(3);
    let mut all: Vec<String> = Vec::new();
    for window in chars.windows(length.max(1)) {
        let gram: String = window.iter().collect();
        if !all.contains(&gram) {
            all.push(gram);
        }
    }
    let count = all.len();
    if count <= ASKED {
        return all;
    }
    (0..ASKED).map(|i| all[i * (count - 1) / (ASKED - 1)].clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_lines_apart() {
        let grams: Vec<&str> = of_text("äb\nc").into_iter().collect();
        assert_eq!(grams, ["b", "c", "ä", "äb"]);
        assert!(of_text("").is_empty());
    }

    proptest! {
        #[test]
        fn a_part_has_no_gram_that_the_whole_lacks(before in "[a-cé ]{0,8}", part in "[a-cé ]{1,30}", after in "[a-cé ]{0,8}") {
            let whole = format!("{before}{part}{after}");
            let known = of_text(&whole);
            let asked = of_needle(&part);
            prop_assert!(asked.len() <= ASKED && !asked.is_empty());
            prop_assert!(asked.iter().all(|gram| known.contains(gram.as_str())));
        }
    }
}
