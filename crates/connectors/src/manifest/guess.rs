//! What a field holds, by the vendor's word for it or by its values.

use serde_json::Value;

use crate::FieldKind;

/// Words that vendors use for kinds of fields.
const WORDS: &[(&str, FieldKind)] = &[
    ("email", FieldKind::Email),
    ("phone", FieldKind::Phone),
    ("tel", FieldKind::Phone),
    ("money", FieldKind::Money),
    ("monetary", FieldKind::Money),
    ("currency", FieldKind::Money),
    ("bool", FieldKind::Boolean),
    ("checkbox", FieldKind::Boolean),
    ("datetime", FieldKind::DateTime),
    ("date_time", FieldKind::DateTime),
    ("timestamp", FieldKind::DateTime),
    ("date", FieldKind::Date),
    ("multi", FieldKind::Choices),
    ("choices", FieldKind::Choices),
    ("choice", FieldKind::Choice),
    ("set", FieldKind::Choices),
    ("enum", FieldKind::Choice),
    ("select", FieldKind::Choice),
    ("picklist", FieldKind::Choice),
    ("reference", FieldKind::Reference),
    ("lookup", FieldKind::Reference),
    ("number", FieldKind::Number),
    ("int", FieldKind::Number),
    ("double", FieldKind::Number),
    ("float", FieldKind::Number),
    ("decimal", FieldKind::Number),
    ("text", FieldKind::Text),
    ("string", FieldKind::Text),
    ("varchar", FieldKind::Text),
];

/// By the vendor's word.
pub(super) fn by_word(word: &str) -> FieldKind {
    let word = word.to_lowercase();
    WORDS.iter().find(|(part, _)| word.contains(part)).map_or(FieldKind::Other, |(_, kind)| *kind)
}

/// By a value. `null` says nothing.
pub(super) fn by_value(name: &str, value: &Value) -> Option<FieldKind> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => FieldKind::Boolean,
        Value::Number(_) => FieldKind::Number,
        Value::String(text) => by_text(&name.to_lowercase(), text),
        Value::Array(items) if items.iter().all(Value::is_string) => FieldKind::Choices,
        Value::Array(_) | Value::Object(_) => FieldKind::Other,
    })
}

fn by_text(name: &str, text: &str) -> FieldKind {
    let is_date = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    match text.split_once('@') {
        Some((local, host)) if !local.is_empty() && host.contains('.') && !text.contains(' ') => FieldKind::Email,
        _ if is_date => FieldKind::Date,
        _ if kernel::Timestamp::parse(text).is_ok() => FieldKind::DateTime,
        _ if name.contains("phone") || name.contains("mobile") => FieldKind::Phone,
        _ => FieldKind::Text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn kinds_are_guessed_from_words_and_values() {
        assert_eq!(
            [by_word("VARCHAR"), by_word("date"), by_word("DateTime"), by_word("blob")],
            [FieldKind::Text, FieldKind::Date, FieldKind::DateTime, FieldKind::Other]
        );
        for (value, kind) in [
            (json!("ann@example.com"), Some(FieldKind::Email)),
            (json!("2026-01-31"), Some(FieldKind::Date)),
            (json!("2026-01-31T12:00:00Z"), Some(FieldKind::DateTime)),
            (json!("2026-13-31"), Some(FieldKind::Text)),
            (json!("Ann"), Some(FieldKind::Text)),
            (json!(1.5), Some(FieldKind::Number)),
            (json!(true), Some(FieldKind::Boolean)),
            (json!(["a"]), Some(FieldKind::Choices)),
            (json!({}), Some(FieldKind::Other)),
            (json!(null), None),
        ] {
            assert_eq!(by_value("x", &value), kind, "{value}");
        }
        assert_eq!(by_value("homePhone", &json!("555")), Some(FieldKind::Phone));
    }
}
