//! Paths of endpoints: their syntax, and which of them a request means. Pure.

/// Longest path in characters, and most segments.
const MAX_PATH: usize = 200;
const MAX_SEGMENTS: usize = 10;

/// One part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This word.
    Word(String),
    /// The record: `{id}`.
    Id,
}

/// A path's parts. Errors are sentences without their subject: `must not …`.
pub(super) fn parse(path: &str) -> Result<Vec<Segment>, String> {
    if path.chars().count() > MAX_PATH {
        return Err(format!("must have at most {MAX_PATH} characters"));
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Err("must name at least one segment: open-tickets".to_owned());
    }
    let segments = path.split('/').map(segment).collect::<Result<Vec<_>, _>>()?;
    if segments.len() > MAX_SEGMENTS {
        return Err(format!("must have at most {MAX_SEGMENTS} segments"));
    }
    if segments.iter().filter(|segment| **segment == Segment::Id).count() > 1 {
        return Err("must not have more than one placeholder".to_owned());
    }
    Ok(segments)
}

fn segment(text: &str) -> Result<Segment, String> {
    if text == "{id}" {
        return Ok(Segment::Id);
    }
    if text.contains(['{', '}', '*']) {
        return Err("has only one kind of placeholder, {id}, as a whole segment: tickets/{id}".to_owned());
    }
    if text.is_empty() {
        return Err("must not end with / or contain //".to_owned());
    }
    if text.starts_with(['.', '_']) {
        return Err("must not have a segment that begins with . or _: those are reserved for the server".to_owned());
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~')) {
        return Err("has segments of letters, digits and - _ . ~ only".to_owned());
    }
    Ok(Segment::Word(text.to_owned()))
}

/// The path that all paths of the same shape share: two of them would answer the same requests.
pub(super) fn shape(segments: &[Segment]) -> String {
    let part = |segment: &Segment| match segment {
        Segment::Word(word) => word.clone(),
        Segment::Id => "{}".to_owned(),
    };
    segments.iter().map(part).collect::<Vec<_>>().join("/")
}

/// By this order the first that matches is the one that is meant: words before placeholders, from the left.
pub(super) fn rank(segments: &[Segment]) -> Vec<bool> {
    segments.iter().map(|segment| *segment == Segment::Id).collect()
}

/// Whether a request's path, as it came, is this one; then the text in the placeholder's stead, decoded.
pub(super) fn matches(segments: &[Segment], path: &str) -> Option<Option<String>> {
    let mut parts = path.split('/');
    let mut id = None;
    for segment in segments {
        let part = parts.next()?;
        match segment {
            Segment::Word(word) if word == part => {}
            Segment::Word(_) => return None,
            Segment::Id => id = Some(decoded(part)?),
        }
    }
    parts.next().is_none().then_some(id)
}

/// A segment without its percent signs (RFC 3986 §2.1). None: nothing of ours is called so.
fn decoded(part: &str) -> Option<String> {
    if part.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|two| std::str::from_utf8(two).ok())?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_words_and_perhaps_one_record() {
        for good in ["open-tickets", "/open-tickets", "desk/v1.2/tickets/{id}/view", "{id}", "a~b_c"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", "at least one"),
            ("/", "at least one"),
            ("a//b", "//"),
            ("a/", "end with /"),
            ("//a", "//"),
            ("a/{ticketId}", "{id}"),
            ("a/{id", "{id}"),
            ("a/*rest", "{id}"),
            ("{id}/{id}", "more than one"),
            ("../secrets", "reserved"),
            ("a/./b", "reserved"),
            (".well-known/x", "reserved"),
            ("_x", "reserved"),
            ("a b", "letters"),
            ("a%2fb", "letters"),
            ("a?b=1", "letters"),
            ("täglich", "letters"),
            ("a/b/c/d/e/f/g/h/i/j/k", "segments"),
        ] {
            let fault = parse(bad).unwrap_err();
            assert!(fault.contains(why), "{bad}: {fault}");
        }
        assert!(parse(&"a".repeat(201)).is_err());
        assert_eq!(shape(&parse("/a/{id}").unwrap()), "a/{}");
    }

    #[test]
    fn a_request_means_the_most_exact_path() {
        let one = parse("tickets/{id}").unwrap();
        assert_eq!(matches(&one, "tickets/ext:a%2Db"), Some(Some("ext:a-b".to_owned())));
        for other in
            ["tickets", "tickets/", "tickets/1/2", "Tickets/1", "tickets/%", "tickets/%zz", "tickets/%+1", "tickets/%ff", "tickets/%00"]
        {
            assert_eq!(matches(&one, other), None, "{other}");
        }
        let word = parse("tickets/open").unwrap();
        assert_eq!(matches(&word, "tickets/open"), Some(None));
        assert!(rank(&word) < rank(&one));
        assert!(rank(&one) < rank(&parse("{id}/open").unwrap()));
    }

    proptest! {
        #[test]
        fn nothing_panics_and_what_is_declared_is_found(path in "\\PC{0,60}", id in "[a-z0-9:]{1,20}") {
            if let Ok(segments) = parse(&path) {
                let plain = path.strip_prefix('/').unwrap_or(&path).replace("{id}", &id);
                prop_assert!(matches(&segments, &plain).is_some());
            }
            let _ = matches(&[Segment::Word("a".into()), Segment::Id], &path);
        }
    }
}
