//! Zoho's query language, COQL: names are checked and literals escaped, so that no value of a record can change a query.

use serde_json::{Map, Value};

use crate::Fault;

/// Rows of one query, Zoho's most.
pub(super) const PAGE: usize = 2000;
/// Values of an `in`.
pub(super) const VALUES: usize = 50;

/// A field's or module's name. Errors: [`Fault::Refused`] for a text that is none.
pub(super) fn name(text: &str) -> Result<&str, Fault> {
    let good = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.len() <= 100
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if good {
        return Ok(text);
    }
    let message = "A name of Zoho's is made of letters, digits and underscores.".to_owned();
    Err(Fault::Refused { code: "INVALID_NAME".to_owned(), message, field: Some(crate::driver::bounded(text)) })
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('\'');
    out
}

fn literal(field: &str, value: &Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(quoted(text)),
        Value::Number(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Object(map) if map.get("id").is_some_and(Value::is_string) => Ok(quoted(map["id"].as_str().unwrap_or_default())),
        _ => {
            let message = "A filter of Zoho's compares with a text, a number, yes or no, nothing, or a list of those.".to_owned();
            Err(Fault::Refused { code: "invalid_filter".to_owned(), message, field: Some(field.to_owned()) })
        }
    }
}

/// What must hold of one field. Errors: [`Fault::Refused`] for a name or a value that is none.
pub(super) fn condition(field: &str, value: &Value) -> Result<String, Fault> {
    let field = name(field)?;
    match value {
        Value::Null => Ok(format!("{field} is null")),
        Value::Array(all) if (1..=VALUES).contains(&all.len()) => {
            let all = all.iter().map(|value| literal(field, value)).collect::<Result<Vec<_>, _>>()?;
            Ok(format!("{field} in ({})", all.join(", ")))
        }
        value => Ok(format!("{field} = {}", literal(field, value)?)),
    }
}

/// The conditions of a filter.
pub(super) fn conditions(filter: Option<&Map<String, Value>>) -> Result<Vec<String>, Fault> {
    filter.into_iter().flatten().map(|(field, value)| condition(field, value)).collect()
}

/// A query in the order of ids. COQL wants more than two conditions in brackets: `(a and (b and c))`.
pub(super) fn select(module: &str, fields: &[&str], conditions: &[String], limit: usize) -> Result<String, Fault> {
    let fields = fields.iter().map(|field| name(field)).collect::<Result<Vec<_>, _>>()?.join(", ");
    let all =
        conditions.iter().rev().fold(String::new(), |rest, one| if rest.is_empty() { one.clone() } else { format!("({one} and {rest})") });
    Ok(format!("select {fields} from {} where {all} order by id asc limit 0, {limit}", name(module)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_is_put_together_in_brackets() {
        let filter = json!({"City": "O'Hare", "Score": 5, "Phone": null, "Owner": {"id": "9"}, "Lead_Source": ["Web", "\\"]});
        let conditions = conditions(filter.as_object()).unwrap();
        let text = select("Leads", &["id", "Email"], &conditions, 10).unwrap();
        let expected = r"select id, Email from Leads where (City = 'O\'Hare' and (Score = 5 and (Phone is null and (Owner = '9' and Lead_Source in ('Web', '\\'))))) order by id asc limit 0, 10";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_no_name_or_value_never_reaches_zoho() {
        for bad in ["", "a b", "Email = 'x' or id", "1x", "Last-Name", "id)"] {
            assert!(name(bad).is_err() && condition(bad, &json!("x")).is_err() && select("Leads", &[bad], &[], 1).is_err(), "{bad}");
        }
        for bad in [json!([]), json!({}), json!([[]]), json!([null])] {
            assert!(condition("Email", &bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_leaves_its_quotes(text in "\\PC{0,40}") {
            let quoted = quoted(&text);
            let (mut escaped, mut plain) = (false, String::new());
            for c in quoted[1..quoted.len() - 1].chars() {
                prop_assert!(escaped || c != '\'');
                escaped = !escaped && c == '\\';
                if !escaped {
                    plain.push(c);
                }
            }
            prop_assert!(!escaped);
            prop_assert_eq!(plain, text);
        }
    }
}
