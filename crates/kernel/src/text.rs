//! Bounds on text that comes from outside. NUL is refused everywhere: PostgreSQL cannot store it, and nothing useful contains it.

use crate::error::{Error, Result};

/// Longest name, in characters.
pub const MAX_NAME: usize = 200;
/// Longest description or note, in characters.
pub const MAX_TEXT: usize = 4000;
/// Longest external id, in bytes.
pub const MAX_EXTERNAL_ID: usize = 200;

/// Checks a one-line text of `min..=max` characters without control characters. `pointer` says where it stood.
pub fn line(pointer: &str, text: &str, min: usize, max: usize) -> Result<()> {
    let length = text.chars().count();
    if !(min..=max).contains(&length) {
        return Err(Error::field(pointer, format!("must have {min} to {max} characters, has {length}")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::field(pointer, "must not contain control characters"));
    }
    Ok(())
}

/// Checks a text that may have several lines, of at most `max` characters, without NUL.
pub fn prose(pointer: &str, text: &str, max: usize) -> Result<()> {
    let length = text.chars().count();
    if length > max {
        return Err(Error::field(pointer, format!("must have at most {max} characters, has {length}")));
    }
    if text.contains('\0') {
        return Err(Error::field(pointer, "must not contain NUL"));
    }
    Ok(())
}

/// Checks an id that a host chose: 1 to 200 printable ASCII characters without space, `/`, `?` and `#`.
pub fn external_id(text: &str) -> Result<String> {
    let fits = |b: u8| b.is_ascii_graphic() && !matches!(b, b'/' | b'?' | b'#');
    if text.is_empty() || text.len() > MAX_EXTERNAL_ID || !text.bytes().all(fits) {
        return Err(Error::field("/externalId", "must be 1 to 200 printable ASCII characters without space, slash, ? and #"));
    }
    Ok(text.to_owned())
}
