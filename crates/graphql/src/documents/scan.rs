//! A look at the characters of a document: how long, how many tokens, how deeply nested. It needs no memory and does not recurse, so that no
//! text, however hostile, gets further than its limits.

use crate::failure::Failure;

use super::too_deep;

/// Longest document, in bytes.
pub(crate) const MAX_BYTES: usize = 64 * 1024;
/// Most tokens of a document.
pub(crate) const MAX_TOKENS: usize = 10_000;
/// Deepest nesting of braces, brackets and parentheses.
pub(crate) const MAX_NESTING: usize = 60;

/// Whether a text is within its limits.
///
/// Errors: `query_too_long`, `query_too_deep`.
pub(crate) fn check(text: &str) -> Result<(), Failure> {
    if text.len() > MAX_BYTES {
        return Err(Failure::new("query_too_long", format!("The document has {} bytes; {MAX_BYTES} are allowed.", text.len())));
    }
    let (mut tokens, mut nesting) = (0usize, 0usize);
    let mut rest = text.as_bytes();
    while let Some(&byte) = rest.first() {
        let length = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                rest = &rest[1..];
                continue;
            }
            b'#' => {
                rest = &rest[rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len())..];
                continue;
            }
            b'"' => string(rest),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                1
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                1
            }
            b if is_word(b) => rest.iter().take_while(|b| is_word(**b)).count(),
            _ => 1,
        };
        tokens += 1;
        if nesting > MAX_NESTING {
            return Err(too_deep());
        }
        if tokens > MAX_TOKENS {
            let detail = format!("The document has more than {MAX_TOKENS} tokens. Ask for less at once, and send values as variables.");
            return Err(Failure::new("query_too_long", detail));
        }
        rest = &rest[length..];
    }
    Ok(())
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte == b'-' || byte == b'.' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// The length of the string that begins here, to its end or to the end of the text.
fn string(text: &[u8]) -> usize {
    if text.starts_with(b"\"\"\"") {
        let mut at = 3;
        while at < text.len() {
            if text[at..].starts_with(b"\\\"\"\"") {
                at += 4;
            } else if text[at..].starts_with(b"\"\"\"") {
                return at + 3;
            } else {
                at += 1;
            }
        }
        return text.len();
    }
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'\n' => return at,
            _ => at += 1,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_real_nesting_counts() {
        assert!(check(&format!("{{ a(b: \"{}\") }}", "{".repeat(1000))).is_ok());
        assert!(check(&format!("{{ a(b: \"\"\"{}\"\"\") }}", "[\\\"\"\"".repeat(1000))).is_ok());
        assert!(check(&format!("{{ a }} # {}", "(".repeat(1000))).is_ok());
        assert_eq!(check(&"{a".repeat(100)).unwrap_err().code(), "query_too_deep");
        assert_eq!(check(&"[".repeat(100)).unwrap_err().code(), "query_too_deep");
    }

    #[test]
    fn length_and_tokens_are_bounded() {
        assert_eq!(check(&" ".repeat(MAX_BYTES + 1)).unwrap_err().code(), "query_too_long");
        assert_eq!(check(&"a ".repeat(MAX_TOKENS + 1)).unwrap_err().code(), "query_too_long");
        assert!(check(&"a ".repeat(MAX_TOKENS)).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_ends_in_an_answer(text in "[\\{\\}\\[\\]\\(\\)\"\\\\#a-z \n,é]{0,400}") {
            let _ = super::super::parse(&text);
        }
    }
}
