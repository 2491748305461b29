//! What others may take a path for.
//!
//! A path is checked here and read again elsewhere: by a host's framework, by a backend. Readers differ: some decode twice, some cut a segment
//! at a semicolon, some drop white space at its end, some fold look-alikes of `.` and `/`. Where they disagree about which thing is meant, what
//! was checked is not what is served.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// How often a path is decoded: some readers do it once more than they should.
const DECODINGS: usize = 3;

/// The ways in which a path may be read, the path itself first. None: some reader would take it for another place, since it has a segment `.`
/// or `..`, a backslash or a control character, however they are written.
pub fn readings(path: &str) -> Option<Readings<'_>> {
    let plain = |byte: u8| byte.is_ascii() && !matches!(byte, b'%' | b'\\' | b';');
    let suspicious = |pair: &[u8]| matches!(pair, b"/." | b"//");
    let mut readings = Readings { path, others: Vec::new() };
    if path.bytes().all(plain) && !path.as_bytes().windows(2).any(suspicious) {
        return Some(readings);
    }
    let mut read = Cow::Borrowed(path);
    for round in 0..DECODINGS {
        let bytes = percent_decode_str(&read);
        let decoded = if round == 0 { bytes.decode_utf8().ok()? } else { bytes.decode_utf8_lossy() }.into_owned();
        let is_bad = |c: char| c == '\\' || c.is_control();
        if decoded.chars().any(is_bad) || decoded.split(is_slash).any(is_dots) {
            return None;
        }
        if decoded == read {
            break;
        }
        readings.others.push(decoded.clone());
        read = Cow::Owned(decoded);
    }
    Some(readings)
}

/// See [`readings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings<'a> {
    path: &'a str,
    others: Vec<String>,
}

impl Readings<'_> {
    /// Whether all of them satisfy a condition.
    pub fn all(&self, condition: impl Fn(&str) -> bool) -> bool {
        condition(self.path) && self.others.iter().all(|other| condition(other))
    }
}

/// `/`, `\`, and what folds to them (U+2044, U+2215, U+29F8, U+FF0F, U+FF3C).
fn is_slash(c: char) -> bool {
    matches!(c, '/' | '\\' | '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{ff3c}')
}

/// `.`, and what folds to one or more of it (U+2024 to U+2026, U+3002, U+FF0E, U+FF61).
fn is_dot(c: char) -> bool {
    matches!(c, '.' | '\u{2024}'..='\u{2026}' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Whether a segment is one dot or two, or any number of them with white space: what Windows takes for these.
fn is_dots(segment: &str) -> bool {
    let name = segment.split(';').next().unwrap_or_default();
    let dots = name.chars().filter(|c| is_dot(*c)).count();
    let spaces = name.chars().filter(|c| c.is_whitespace()).count();
    dots > 0 && dots + spaces == name.chars().count() && (dots <= 2 || spaces > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_read_a_path_is_known() {
        let others = |path| readings(path).unwrap().others;
        assert!(others("/orders/7").is_empty());
        assert_eq!(others("/orders%2F7"), ["/orders/7"]);
        assert_eq!(others("/a%252Fb"), ["/a%2Fb", "/a/b"]);
        assert!(readings("/orders%2F7").unwrap().all(|path| path.starts_with("/orders")));
        assert!(!readings("/orders%2F7").unwrap().all(|path| path.starts_with("/orders%")));
        for path in ["/a/../b", "/a/%2e%2e/b", "/a%2f..%2fb", "/a/..;x/b", "/a/..%20/b", "/a/%252e./b", "/a%5cb", "/a/%00", "/%ff"] {
            assert_eq!(readings(path), None, "{path}");
        }
    }
}
