//! CSV (RFC 4180) with the delimiters of the Bulk API.

/// The delimiter that a job names.
pub(super) fn delimiter(name: &str) -> Option<char> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, delimiter)| *delimiter)
}

/// The name of a delimiter.
pub(super) fn name(delimiter: char) -> &'static str {
    NAMES.iter().find(|(_, one)| *one == delimiter).map_or("COMMA", |(name, _)| name)
}

const NAMES: &[(&str, char)] = &[("COMMA", ','), ("SEMICOLON", ';'), ("TAB", '\t'), ("PIPE", '|'), ("CARET", '^'), ("BACKQUOTE", '`')];

/// Rows of fields. An empty line is no row.
pub(super) fn read(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut begun) = (false, false);
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' => {
                quoted = !quoted;
                begun = true;
            }
            c if quoted => field.push(c),
            c if c == delimiter => {
                row.push(std::mem::take(&mut field));
                begun = true;
            }
            '\r' => {}
            '\n' => {
                if begun || !field.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                begun = false;
            }
            c => field.push(c),
        }
    }
    if begun || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

/// Rows as text, every field in quotes as the Bulk API writes them.
pub(super) fn write<'r>(rows: impl IntoIterator<Item = &'r Vec<String>>, delimiter: char, line_ending: &str) -> String {
    let mut out = String::new();
    for row in rows {
        for (index, field) in row.iter().enumerate() {
            if index > 0 {
                out.push(delimiter);
            }
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        }
        out.push_str(line_ending);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_empty_fields_and_line_ends_are_read() {
        assert_eq!(read("a,b\r\n\"x, \"\"y\"\"\n\",\n\n,1", ','), [vec!["a", "b"], vec!["x, \"y\"\n", ""], vec!["", "1"]]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(rows in proptest::collection::vec(proptest::collection::vec("[^\r]{0,6}", 1..4), 0..4)) {
            prop_assert_eq!(read(&write(&rows, ';', "\r\n"), ';'), rows);
        }
    }
}
