//! CSV (RFC 4180), safe to open in a spreadsheet.
//!
//! A text that a spreadsheet could take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a line break) gets a `'` in front, which
//! spreadsheets show as text; so does one that has such a character behind separators that it begins with (`;=1`): where lists are separated by
//! semicolons, it would be the next cell. So that nothing is lost, a text that begins with `'` before such a character gets one more; reading takes one
//! away. Numbers are numbers and stay as they are. Lists and objects stand as JSON.

use kernel::{Error, Result};
use serde_json::{Map, Value};

/// What makes a text a formula.
fn is_trigger(c: char) -> bool {
    matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n')
}

fn needs_guard(text: &str) -> bool {
    text.trim_start_matches('\'').trim_start_matches([';', ' ', '\'', '"', '|']).starts_with(is_trigger)
}

/// Appends a line of cells.
pub(crate) fn write_line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            out.push(',');
        }
        write_cell(out, cell);
    }
    out.push_str("\r\n");
}

/// Appends the values of a record under these columns.
pub(crate) fn write_record(out: &mut String, columns: &[String], record: &Map<String, Value>) {
    for (n, column) in columns.iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        match record.get(column) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(value)) => out.push_str(if *value { "true" } else { "false" }),
            Some(Value::Number(number)) => out.push_str(&number.to_string()),
            Some(Value::String(text)) => write_text(out, text),
            Some(nested) => write_cell(out, &nested.to_string()),
        }
    }
    out.push_str("\r\n");
}

/// A text: the empty one is told from nothing by its quotation marks.
fn write_text(out: &mut String, text: &str) {
    if text.is_empty() {
        out.push_str("\"\"");
    } else if needs_guard(text) {
        write_cell(out, &format!("'{text}"));
    } else {
        write_cell(out, text);
    }
}

fn write_cell(out: &mut String, cell: &str) {
    if cell.contains([',', '"', '\r', '\n']) || cell.starts_with(' ') || cell.ends_with(' ') {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

/// A cell as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// Whether it stood in quotation marks: then it is a text even if it is empty.
    pub(super) quoted: bool,
}

/// Reads one line, which may span several when its cells do. `line` has no line break at its end.
///
/// Error: 422 at `line`, for quotation marks that do not belong together.
pub(super) fn read_line(line: &str) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        let (cell, after) = match rest.strip_prefix('"') {
            Some(quoted) => read_quoted(quoted)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (Cell { text: rest[..end].to_owned(), quoted: false }, &rest[end..])
            }
        };
        cells.push(cell);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None if after.is_empty() => return Ok(cells),
            None => return Err(Error::field("", "has text after a closing quotation mark")),
        }
    }
}

fn read_quoted(rest: &str) -> Result<(Cell, &str)> {
    let mut text = String::new();
    let mut rest = rest;
    loop {
        let end = rest.find('"').ok_or_else(|| Error::field("", "has a quotation mark that is never closed"))?;
        text.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                text.push('"');
                rest = more;
            }
            None => return Ok((Cell { text, quoted: true }, rest)),
        }
    }
}

/// A text without the guard that [`write_record`] gave it.
pub(super) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if needs_guard(rest) => rest,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn written(value: &Value) -> String {
        let mut out = String::new();
        let record = Map::from_iter([("a".to_owned(), value.clone())]);
        write_record(&mut out, &["a".to_owned()], &record);
        out.trim_end_matches("\r\n").to_owned()
    }

    #[test]
    fn formulas_are_texts() {
        for (value, cell) in [
            (json!("=1+1"), "'=1+1"),
            (json!("+49"), "'+49"),
            (json!("-x"), "'-x"),
            (json!("@SUM(A1)"), "'@SUM(A1)"),
            (json!("\t=x"), "'\t=x"),
            (json!("\r=x"), "\"'\r=x\""),
            (json!("'=x"), "''=x"),
            (json!(";=x"), "';=x"),
            (json!("; '@x"), "'; '@x"),
            (json!("a;=x"), "a;=x"),
            (json!("';=x"), "'';=x"),
            (json!("it's"), "it's"),
            (json!(-5), "-5"),
            (json!("=HYPERLINK(\"http://x\",\"y\")"), "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\""),
            (json!({"a": [1, "="]}), "\"{\"\"a\"\":[1,\"\"=\"\"]}\""),
            (json!(""), "\"\""),
            (json!(null), ""),
            (json!(true), "true"),
        ] {
            assert_eq!(written(&value), cell, "{value}");
        }
    }

    #[test]
    fn broken_lines_are_told() {
        assert!(read_line("a,\"b").is_err());
        assert!(read_line("\"a\"b").is_err());
        assert_eq!(read_line("").unwrap().len(), 1);
        assert_eq!(read_line(",,").unwrap().len(), 3);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(texts in proptest::collection::vec("[-=+@',;|\"\t\r\n a-cé]{0,8}", 1..5)) {
            let columns: Vec<String> = (0..texts.len()).map(|n| n.to_string()).collect();
            let record: Map<String, Value> = columns.iter().cloned().zip(texts.iter().map(|text| json!(text))).collect();
            let mut out = String::new();
            write_record(&mut out, &columns, &record);
            let cells = read_line(out.strip_suffix("\r\n").unwrap()).unwrap();
            prop_assert_eq!(cells.iter().map(|cell| unguarded(&cell.text).to_owned()).collect::<Vec<_>>(), texts);
            prop_assert!(cells.iter().all(|cell| !cell.text.starts_with(is_trigger)));
        }

        #[test]
        fn never_panics(line in "[\",a\\r\\n']{0,40}") {
            let _ = read_line(&line);
        }
    }
}
