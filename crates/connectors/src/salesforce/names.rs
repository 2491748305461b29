//! Names of objects and fields. They stand in queries and paths as they are, so nothing that is not a name may pass: SOQL has no bound names.

use crate::Fault;

/// Longest name: a managed package's prefix, forty characters, a suffix; with room.
const MAX: usize = 120;
/// A field may be reached over so many relations.
const STEPS: usize = 6;

fn is_name(text: &str) -> bool {
    text.len() <= MAX && text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// An object's name: `Lead`, `Visit__c`.
///
/// Errors: [`Fault::Refused`] `INVALID_TYPE`.
pub(super) fn object(text: &str) -> Result<&str, Fault> {
    if is_name(text) {
        return Ok(text);
    }
    let message = format!("`{}` is no name of an object; one looks like Lead or Visit__c", crate::driver::bounded(text));
    Err(Fault::Refused { code: "INVALID_TYPE".to_owned(), message, field: None })
}

/// A field's name, also over relations: `LastName`, `Score__c`, `Account.Name`.
///
/// Errors: [`Fault::Refused`] `INVALID_FIELD` with the field.
pub(super) fn field(text: &str) -> Result<&str, Fault> {
    if text.split('.').count() <= STEPS && text.split('.').all(is_name) {
        return Ok(text);
    }
    Err(no_field(text, "is no name of a field; one looks like LastName, Score__c or Account.Name"))
}

/// A field that can be written: without relations, and not the id, which says what is written and is no value.
///
/// Errors: as [`field`].
pub(super) fn written(text: &str) -> Result<&str, Fault> {
    if !is_name(text) {
        return Err(no_field(text, "is no name of a field that can be written; one looks like LastName or Score__c"));
    }
    if text.eq_ignore_ascii_case("Id") || text.eq_ignore_ascii_case("attributes") {
        return Err(no_field(text, "cannot be written"));
    }
    Ok(text)
}

/// Whether a field may be an external id, by which records are upserted: those of the org's own may.
pub(super) fn may_be_external_id(field: &str) -> bool {
    is_name(field) && field.ends_with("__c")
}

fn no_field(text: &str, why: &str) -> Fault {
    let shown = crate::driver::bounded(text);
    Fault::Refused { code: "INVALID_FIELD".to_owned(), message: format!("`{shown}` {why}"), field: Some(shown) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_pass_and_nothing_else() {
        for name in ["Lead", "Visit__c", "pkg__Visit__c", "A1"] {
            assert_eq!(object(name), Ok(name));
        }
        for name in ["", "1Lead", "Lead ", "Lead,Contact", "Läd", "Lead--", "Account.Name", "(SELECT Id FROM X)", "_Lead"] {
            assert!(object(name).is_err(), "{name}");
        }
        for name in ["Account.Owner.Name", "Visit__r.Score__c"] {
            assert_eq!(field(name), Ok(name));
        }
        for name in ["Account.", ".Name", "a.b.c.d.e.f.g", "Name'", "COUNT(Id)"] {
            assert!(field(name).is_err(), "{name}");
        }
        for name in ["Id", "ID", "attributes", "Account.Name"] {
            assert!(written(name).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_passes_has_nothing_that_soql_could_read_otherwise(text in "\\PC{0,20}") {
            if field(&text).is_ok() {
                prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.'));
            }
        }
    }
}
