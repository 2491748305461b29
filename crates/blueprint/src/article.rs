//! "a lead", "an order".

/// A word with its indefinite article. English goes by sound; the words here are names of resource types, of which few begin otherwise than
/// they are written (`user`, `unit`, `hour`).
pub fn with_article(word: &str) -> String {
    let lower = word.to_ascii_lowercase();
    let begins = |starts: &[&str]| starts.iter().any(|start| lower.starts_with(start));
    let sounds_like_a_consonant = begins(&["us", "uni", "ut", "eu", "one"]);
    let vowel = begins(&["a", "e", "i", "o", "u", "hour", "honor", "honour", "heir"]) && !sounds_like_a_consonant;
    format!("{} {word}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::with_article;

    #[test]
    fn words_have_the_article_that_they_sound_like() {
        for (word, expected) in [
            ("lead", "a lead"),
            ("order", "an order"),
            ("user", "a user"),
            ("unit", "a unit"),
            ("hour", "an hour"),
            ("upgrade", "an upgrade"),
        ] {
            assert_eq!(with_article(word), expected);
        }
    }
}
