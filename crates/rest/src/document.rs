//! The body of a record, read in one way only.
//!
//! JSON lets an object have a member twice, and a whole number have as many digits as it likes. A reader that keeps the last member, or the
//! nearest double, would store something else than was sent, without a word: both are refused.

use std::collections::BTreeMap;

use axum::extract::{FromRequest, OptionalFromRequest, Request};
use kernel::{Error, Result};
use serde_json::value::RawValue;
use web::{Failure, RawJson};

use crate::declared::Members;

/// A record's members. Errors: those of [`web::Json`]; 400 `duplicate_member`; 422 `inexact_number`.
pub(crate) struct Document(pub(crate) Members);

impl<S: Sync> FromRequest<S> for Document {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let RawJson { bytes, value } = RawJson::<Members>::from_request(request, state).await?;
        // It was JSON, so it is UTF-8.
        check(std::str::from_utf8(&bytes).unwrap_or_default())?;
        Ok(Self(value))
    }
}

/// `Option<Document>` also takes a request without a body, whatever its content type.
impl<S: Sync> OptionalFromRequest<S> for Document {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Failure> {
        if axum::body::HttpBody::is_end_stream(request.body()) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

pub(crate) fn check(text: &str) -> Result<()> {
    if let Some(pointer) = events::duplicate_member(text) {
        let detail = "An object has the same member twice: readers disagree about which one counts. Send each once.";
        return Err(Error::malformed("duplicate_member", detail).at(pointer, "occurs twice"));
    }
    if !has_inexact_number(text) {
        return Ok(());
    }
    let detail = "A whole number has more digits than can be kept. Send it as a text.";
    Err(Error::invalid("inexact_number", detail).at(place(text).unwrap_or_default(), "has more digits than can be kept; send it as a text"))
}

/// Whether some number outside of texts is whole and neither a 64-bit integer nor a double that is written with the same digits. `text` is
/// JSON.
fn has_inexact_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut quoted) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'-' | b'0'..=b'9' if !quoted => {
                let length = bytes[at..].iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')).count();
                if is_inexact(&text[at..at + length]) {
                    return true;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

/// Whether a number of JSON is whole and cannot be kept digit for digit.
fn is_inexact(number: &str) -> bool {
    // Up to 18 digits always fit; a fraction or an exponent is a double's business, and rounded as every reader rounds it.
    if number.len() <= 18 || number.contains(['.', 'e', 'E']) || number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return false;
    }
    number.parse::<f64>().map_or(true, |double| format!("{double}") != number)
}

/// The pointer to the first such number. Bodies nest at most 127 deep.
fn place(text: &str) -> Option<String> {
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        let (name, inner) = members.into_iter().find(|(_, value)| has_inexact_number(value.get()))?;
        return Some(format!("/{}{}", name.replace('~', "~0").replace('/', "~1"), place(inner.get())?));
    }
    if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        let (n, inner) = items.into_iter().enumerate().find(|(_, value)| has_inexact_number(value.get()))?;
        return Some(format!("/{n}{}", place(inner.get())?));
    }
    Some(String::new())
}

#[cfg(test)]
mod tests {
    use super::check;

    fn fault(text: &str) -> Option<(String, String)> {
        check(text).err().map(|error| (error.code().to_owned(), error.fields()[0].pointer.clone()))
    }

    #[test]
    fn what_would_be_changed_is_refused_with_its_place() {
        for (text, code, pointer) in [
            (r#"{"a":1,"a":1}"#, "duplicate_member", "/a"),
            (r#"{"x":{"list":[0,{"a":1,"\u0061":2}]}}"#, "duplicate_member", "/x/list/1/a"),
            (r#"{"n":18446744073709551616123}"#, "inexact_number", "/n"),
            (r#"{"a":1,"x/y":[1,[-9223372036854775809]]}"#, "inexact_number", "/x~1y/1/0"),
            (r#"{"n":18446744073709551616}"#, "inexact_number", "/n"),
            (r#"{"n":12345678901234567890123456789}"#, "inexact_number", "/n"),
        ] {
            assert_eq!(fault(text), Some((code.to_owned(), pointer.to_owned())), "{text}");
        }
        for text in [
            "{}",
            r#"{"n":18446744073709551615,"m":-9223372036854775808,"z":9007199254740993}"#,
            r#"{"n":100000000000000000000000,"x":3.14159265358979323846264,"e":1e300}"#,
            r#"{"t":"123456789012345678901234567890","u":"\"12345678901234567890123","\\":0}"#,
        ] {
            assert_eq!(fault(text), None, "{text}");
        }
    }
}
