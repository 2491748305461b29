//! Names of GraphQL for names of a blueprint.

use std::collections::HashSet;

/// Names that types of the schema itself have.
pub(crate) const RESERVED: [&str; 23] = [
    "Query",
    "Mutation",
    "Subscription",
    "Int",
    "Float",
    "String",
    "Boolean",
    "ID",
    "JSON",
    "DateTime",
    "PageInfo",
    "Event",
    "DeletedRecord",
    "SortDirection",
    "StringFilter",
    "IDFilter",
    "IntFilter",
    "FloatFilter",
    "BooleanFilter",
    "DateTimeFilter",
    "CreationFilter",
    "Upload",
    "Node",
];

/// Whether a text is a name that a schema may declare: `[_A-Za-z][_0-9A-Za-z]*`, without two underscores at its beginning.
pub(crate) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next().is_some_and(|b| b == b'_' || b.is_ascii_alphabetic());
    first && bytes.all(|b| b == b'_' || b.is_ascii_alphanumeric()) && !text.starts_with("__")
}

/// `policy-holder` to `PolicyHolder`.
pub(crate) fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    };
    let joined: String = name.split(['-', '_', '.', ' ']).map(word).collect();
    let name = sound(&joined);
    if RESERVED.contains(&name.as_str()) { format!("{name}Record") } else { name }
}

/// `policy-holder` to `policyHolder`.
pub(crate) fn field_name(name: &str) -> String {
    let title = name.split(['-', '_', '.', ' ']).enumerate().map(|(n, word)| if n == 0 { word.to_owned() } else { upper(word) });
    sound(&title.collect::<String>())
}

/// The first letter in upper case.
pub(crate) fn upper(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|letter| letter.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// The first letter in lower case.
pub(crate) fn lower(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|letter| letter.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// A member's name as it is, where it can be one here; else with `_` for what cannot.
pub(crate) fn member_name(name: &str) -> String {
    sound(name)
}

fn sound(text: &str) -> String {
    if is_name(text) {
        return text.to_owned();
    }
    let plain: String = text.chars().map(|c| if c == '_' || c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    let plain = plain.trim_start_matches('_');
    match plain.bytes().next() {
        Some(b) if b.is_ascii_alphabetic() => plain.to_owned(),
        _ => format!("m_{plain}"),
    }
}

/// Several of a type: `Deal` to `deals`, `Company` to `companies`.
pub(crate) fn plural(type_name: &str) -> String {
    let one = lower(type_name);
    let ends = |end: &str| one.ends_with(end);
    match one.strip_suffix('y') {
        Some(stem) if !["a", "e", "i", "o", "u"].iter().any(|vowel| stem.ends_with(vowel)) => format!("{stem}ies"),
        _ if ends("s") || ends("x") || ends("ch") || ends("sh") => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

/// Hands each name out once: who comes second gets a number.
#[derive(Default)]
pub(crate) struct Taken(HashSet<String>);

impl Taken {
    /// This name, or with a number behind it.
    #[allow(clippy::needless_pass_by_value, reason = "callers make the name for this")]
    pub(crate) fn take(&mut self, name: String) -> String {
        let mut free = name.clone();
        for n in 2.. {
            if self.0.insert(free.clone()) {
                break;
            }
            free = format!("{name}{n}");
        }
        free
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_follow_the_words() {
        assert_eq!(type_name("policy-holder"), "PolicyHolder");
        assert_eq!(type_name("query"), "QueryRecord");
        assert_eq!(field_name("policy-holder"), "policyHolder");
        assert_eq!(member_name("first_name"), "first_name");
        assert_eq!(member_name("x-y"), "x_y");
        assert_eq!(
            (plural("Deal"), plural("Company"), plural("Day"), plural("Box")),
            ("deals".into(), "companies".into(), "days".into(), "boxes".into())
        );
    }

    #[test]
    fn a_name_is_handed_out_once() {
        let mut taken = Taken::default();
        assert_eq!(taken.take("a".into()), "a");
        assert_eq!(taken.take("a".into()), "a2");
        assert_eq!(taken.take("a2".into()), "a22");
    }

    proptest! {
        #[test]
        fn whatever_a_member_is_called_it_has_a_name(text in ".{0,40}") {
            prop_assert!(is_name(&member_name(&text)), "{}", member_name(&text));
            prop_assert!(is_name(&type_name(&text)));
        }
    }
}
