//! SOQL. There are no bound parameters: every value is written as an escaped literal, every name was checked ([`super::names`]).

use std::fmt::Write as _;

use kernel::Timestamp;
use serde_json::Value;

use crate::Fault;

/// A query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// What is selected; checked names.
    pub(super) fields: Vec<String>,
    /// Of which object; a checked name.
    pub(super) object: String,
    /// What must hold, all of it.
    pub(super) conditions: Vec<String>,
    /// `SystemModstamp DESC, Id DESC`.
    pub(super) order: &'static str,
    /// At most so many.
    pub(super) limit: Option<u32>,
}

impl Query {
    /// Its text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("SELECT {} FROM {}", self.fields.join(","), self.object);
        for (at, condition) in self.conditions.iter().enumerate() {
            text.push_str(if at == 0 { " WHERE " } else { " AND " });
            text.push_str(condition);
        }
        if !self.order.is_empty() {
            let _ = write!(text, " ORDER BY {}", self.order);
        }
        if let Some(limit) = self.limit {
            let _ = write!(text, " LIMIT {limit}");
        }
        text
    }
}

/// A text as a literal.
pub(super) fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('\'');
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

/// A time as a literal.
pub(super) fn time(at: Timestamp) -> String {
    at.to_string()
}

/// A value as a literal; texts stand in quotes.
///
/// Errors: [`Fault::Refused`] for lists and objects.
pub(super) fn literal(value: &Value) -> Result<String, Fault> {
    match value {
        Value::Null => Ok("null".to_owned()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::String(value) => Ok(text(value)),
        Value::Array(_) | Value::Object(_) => {
            let message = "a value to compare with is a text, a number, true, false or null".to_owned();
            Err(Fault::Refused { code: "INVALID_FILTER".to_owned(), message, field: None })
        }
    }
}

/// `field IN ('a','b')`, in parts that keep a query short enough for an address. `literals` are written already.
pub(super) fn within(field: &str, literals: &[String]) -> Vec<String> {
    const PART: usize = 6000;
    let mut parts = Vec::new();
    let mut open = String::new();
    for literal in literals {
        if !open.is_empty() && open.len() + literal.len() > PART {
            parts.push(format!("{field} IN ({open})"));
            open.clear();
        }
        if !open.is_empty() {
            open.push(',');
        }
        open.push_str(literal);
    }
    if !open.is_empty() {
        parts.push(format!("{field} IN ({open})"));
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_written_in_order() {
        let query = Query {
            fields: vec!["Id".into(), "Account.Name".into()],
            object: "Contact".into(),
            conditions: vec!["Score__c > 3".into(), "City = null".into()],
            order: "SystemModstamp DESC, Id DESC",
            limit: Some(10),
        };
        assert_eq!(
            query.text(),
            "SELECT Id,Account.Name FROM Contact WHERE Score__c > 3 AND City = null ORDER BY SystemModstamp DESC, Id DESC LIMIT 10"
        );
    }

    #[test]
    fn values_are_literals() {
        assert_eq!(literal(&json!("O'Neil \\ \"x\"\r\n\t")).unwrap(), r#"'O\'Neil \\ \"x\"\r\n\t'"#);
        assert_eq!(literal(&json!("' OR Name != '")).unwrap(), r"'\' OR Name != \''");
        assert_eq!([json!(null), json!(true), json!(-1.5)].map(|value| literal(&value).unwrap()), ["null", "true", "-1.5"]);
        assert!(literal(&json!(["a"])).is_err() && literal(&json!({"a": 1})).is_err());
    }

    #[test]
    fn long_lists_are_parted() {
        let literals: Vec<_> = (0..1000).map(|n| format!("'{n:018}'")).collect();
        let parts = within("Id", &literals);
        assert!(parts.len() > 1 && parts.iter().all(|part| part.len() < 6100));
        assert_eq!(parts.iter().map(|part| part.matches("',").count() + 1).sum::<usize>(), 1000);
        assert_eq!(within("Id", &[]), Vec::<String>::new());
    }

    proptest! {
        /// Between the outer quotes there is no quote and no backslash that is not part of an escape.
        #[test]
        fn a_text_never_ends_its_literal(value in "\\PC{0,40}|['\\\\\"\n\r\t]{0,20}") {
            let written = text(&value);
            let inner = written.strip_prefix('\'').unwrap().strip_suffix('\'').unwrap();
            let mut chars = inner.chars();
            let mut read = String::new();
            while let Some(c) = chars.next() {
                prop_assert!(c != '\'');
                if c != '\\' {
                    read.push(c);
                    continue;
                }
                read.push(match chars.next() {
                    Some('n') => '\n',
                    Some('r') => '\r',
                    Some('t') => '\t',
                    Some('b') => '\u{8}',
                    Some('f') => '\u{c}',
                    Some(c @ ('\\' | '\'' | '"')) => c,
                    other => return Err(TestCaseError::fail(format!("{other:?}"))),
                });
            }
            prop_assert_eq!(read, value);
        }
    }
}
