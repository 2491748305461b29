//! Text search. It scans a column of lower-cased text; whatever replaces it keeps these three functions.

use kernel::{Error, Result};
use serde_json::{Map, Value};

use crate::resource_type::ResourceType;

/// Longest text to search for, in characters.
const MAX_SEARCH: usize = 200;

/// What a record can be found by: the searchable members, lower-cased, one a line, so that no match spans two of them.
pub(crate) fn text_of(kind: &ResourceType, document: &Map<String, Value>) -> String {
    let texts = kind.resource().search.iter().filter_map(|name| document.get(name)?.as_str());
    texts.map(|text| text.replace('\n', " ").to_lowercase()).collect::<Vec<_>>().join("\n")
}

/// The condition on a record `r`, with its parameter `?n`.
pub(crate) fn condition(n: usize) -> String {
    format!("r.search_text LIKE ?{n} ESCAPE '!'")
}

/// The condition's parameter for what was asked. None: nothing to look for.
///
/// Error: 422 for a text that is too long or contains NUL.
pub(crate) fn parameter(asked: &str) -> Result<Option<String>> {
    if asked.chars().count() > MAX_SEARCH || asked.contains('\0') {
        return Err(Error::field("/search", format!("must have at most {MAX_SEARCH} characters and no NUL")));
    }
    let text = asked.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.replace('\n', " ").to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    Ok(Some(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_are_plain_characters() {
        assert_eq!(parameter("50%_!").unwrap().unwrap(), "%50!%!_!!%");
        assert_eq!(parameter("ÄRGER").unwrap().unwrap(), "%ärger%");
        assert_eq!(parameter("  ").unwrap(), None);
        assert!(parameter(&"x".repeat(201)).is_err());
        assert!(parameter("a\0").is_err());
    }
}
