//! Fields of an account's own.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::{FieldAbout, FieldKind};

/// Fields that only Pipedrive writes.
const SYSTEM: &[&str] = &["id", "add_time", "update_time", "is_deleted", "first_name", "last_name", "stage_change_time", "creator_user_id"];

/// Whether this is the code of a custom field.
pub(super) fn is_code(name: &str) -> bool {
    name.len() == 40 && name.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The fields as v2 wants them: custom ones in a member of their own. v1, where leads are, has them beside the others.
pub(super) fn grouped<'a>(object: &str, fields: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
    if object == "leads" || !fields.keys().any(|name| is_code(name)) {
        return Cow::Borrowed(fields);
    }
    let (own, mut rest): (Map<_, _>, Map<_, _>) = fields.clone().into_iter().partition(|(name, _)| is_code(name));
    rest.insert("custom_fields".to_owned(), Value::Object(own));
    Cow::Owned(rest)
}

/// What the definitions leave out.
pub(super) fn told(field: &mut FieldAbout) {
    field.custom = field.custom || is_code(&field.name);
    field.read_only = field.read_only || SYSTEM.contains(&field.name.as_str());
    if matches!(field.name.as_str(), "emails" | "phones") {
        field.kind = FieldKind::Other;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn codes_go_where_v2_has_them() {
        let code = "0123456789abcdef0123456789abcdef01234567";
        assert!(is_code(code) && !is_code(&code[1..]) && !is_code(&code.to_uppercase()) && !is_code("name"));
        let fields = json!({"name": "x", code: 4});
        let grouped = |object: &str| Value::Object(grouped(object, fields.as_object().unwrap()).into_owned());
        assert_eq!(grouped("persons"), json!({"name": "x", "custom_fields": {code: 4}}));
        assert_eq!(grouped("leads"), fields);
    }
}
