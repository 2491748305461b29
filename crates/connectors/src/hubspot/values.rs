//! Values of properties. HubSpot keeps and sends all of them as text; what a text means is the mapping's affair.

use serde_json::Value;

/// A value as HubSpot wants to be told it. Nothing is the empty text; several options are separated by semicolons.
pub(super) fn told(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(told).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_becomes_text() {
        for (value, text) in [
            (json!(null), ""),
            (json!("a;b"), "a;b"),
            (json!(12), "12"),
            (json!(12.5), "12.5"),
            (json!(true), "true"),
            (json!(["a", 2, null]), "a;2;"),
            (json!({"a": 1}), r#"{"a":1}"#),
        ] {
            assert_eq!(told(&value), text, "{value}");
        }
    }
}
