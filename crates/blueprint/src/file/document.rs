//! TOML to JSON in the order of the file, remembering on which line everything stands.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Fault;

/// Deepest nesting of a file.
const MAX_DEPTH: usize = 48;
/// Deepest nesting of which lines are remembered; what is deeper is reported at its parent's line.
const LINES_DEPTH: usize = 12;

/// Where everything stands.
#[derive(Debug, Default)]
pub struct Lines {
    text: String,
    starts: Vec<usize>,
    places: HashMap<String, usize>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { text: text.to_owned(), starts, places: HashMap::new() }
    }

    /// The line of a byte, counted from 1.
    fn at(&self, byte: usize) -> usize {
        self.starts.partition_point(|newline| *newline < byte) + 1
    }

    /// The column of a byte, counted from 1 in characters.
    fn column(&self, byte: usize) -> usize {
        let begin = self.text.get(..byte).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
        self.text.get(begin..byte).map_or(1, |before| before.chars().count() + 1)
    }

    /// The byte of a path or, failing that, of the nearest thing around it.
    fn find(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(byte) = self.places.get(path) {
                return Some(*byte);
            }
            path = &path[..path.rfind(['.', '['])?];
        }
    }

    /// Adds the line and the column to each fault that has none.
    pub fn fill(&self, faults: &mut [Fault]) {
        for fault in faults.iter_mut().filter(|fault| fault.line.is_none()) {
            let byte = self.find(&fault.path);
            (fault.line, fault.column) = (byte.map(|byte| self.at(byte)), byte.map(|byte| self.column(byte)));
        }
    }
}

/// Reads the syntax. All syntax faults are reported at once.
///
/// # Errors
/// What is not TOML, nested too deep, or holds what JSON cannot.
pub fn read(text: &str) -> Result<(Map<String, Value>, Lines), Vec<Fault>> {
    let mut lines = Lines::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let fault = |error: &toml::de::Error| Fault {
            line: error.span().map(|span| lines.at(span.start)),
            column: error.span().map(|span| lines.column(span.start)),
            ..Fault::new("", format!("this is not TOML: {}", error.message()))
        };
        return Err(errors.iter().map(fault).collect());
    }
    let mut reader = Reader { lines: &mut lines, faults: Vec::new() };
    let content = reader.table(table.get_ref(), "", 0);
    let mut faults = reader.faults;
    if faults.is_empty() {
        return Ok((content, lines));
    }
    lines.fill(&mut faults);
    Err(faults)
}

struct Reader<'a> {
    lines: &'a mut Lines,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, path: &str, depth: usize) -> Map<String, Value> {
        let mut members: Vec<_> = table.iter().collect();
        members.sort_by_key(|(key, _)| key.span().start);
        let mut content = Map::new();
        for (key, value) in members {
            let name = key.get_ref().as_ref();
            let here = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            self.place(&here, key.span().start, depth);
            if name.contains('\0') {
                self.faults.push(Fault::new(path, "a name must not contain NUL"));
            }
            let value = self.value(value, &here, depth + 1);
            content.insert(name.to_owned(), value);
        }
        content
    }

    fn value(&mut self, value: &Spanned<DeValue<'_>>, path: &str, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            self.faults.push(Fault::new(path, format!("is nested more than {MAX_DEPTH} deep")));
            return Value::Null;
        }
        match value.get_ref() {
            DeValue::String(text) => {
                if text.contains('\0') {
                    self.faults.push(Fault::new(path, "must not contain NUL"));
                }
                Value::String(text.to_string())
            }
            DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
                Ok(number) => Value::from(number),
                Err(_) => self.refuse(path, "is larger than any number that is supported"),
            },
            DeValue::Float(digits) => match digits.as_str().parse().ok().and_then(Number::from_f64) {
                Some(number) => Value::Number(number),
                None => self.refuse(path, "is not a finite number"),
            },
            DeValue::Boolean(truth) => Value::Bool(*truth),
            DeValue::Datetime(time) => Value::String(time.to_string()),
            DeValue::Array(items) => {
                let item = |(i, item): (usize, &Spanned<DeValue<'_>>)| {
                    let here = format!("{path}[{i}]");
                    self.place(&here, item.span().start, depth);
                    self.value(item, &here, depth + 1)
                };
                Value::Array(items.iter().enumerate().map(item).collect())
            }
            DeValue::Table(table) => Value::Object(self.table(table, path, depth)),
        }
    }

    fn refuse(&mut self, path: &str, why: &str) -> Value {
        self.faults.push(Fault::new(path, why));
        Value::Null
    }

    fn place(&mut self, path: &str, byte: usize, depth: usize) {
        if depth <= LINES_DEPTH {
            self.lines.places.insert(path.to_owned(), byte);
        }
    }
}
