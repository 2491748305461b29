//! The words of a query.

use super::Literal;
use crate::stand::text::parse_time;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, possibly with dots, or a keyword.
    Word(String),
    Value(Literal),
    Symbol(&'static str),
}

const SYMBOLS: &[&str] = &["<=", ">=", "!=", "<>", "=", "<", ">", "(", ")", ","];

/// Takes a query apart. Errors: what is not understood.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut rest = text.trim_start();
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let (token, length) = if first == '\'' {
            quoted(rest)?
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (Token::Symbol(symbol), symbol.len())
        } else {
            let length = rest.find(|c: char| c.is_whitespace() || "<>=!(),'".contains(c)).unwrap_or(rest.len());
            if length == 0 {
                return Err(format!("line 1:{} no viable alternative at character '{first}'", text.len() - rest.len()));
            }
            (word(&rest[..length])?, length)
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn quoted(rest: &str) -> Result<(Token, usize), String> {
    let mut value = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\'' => return Ok((Token::Value(Literal::Text(value)), at + 1)),
            '\\' => match chars.next().map(|(_, escaped)| escaped) {
                Some('n' | 'N') => value.push('\n'),
                Some('r' | 'R') => value.push('\r'),
                Some('t' | 'T') => value.push('\t'),
                Some('b' | 'B') => value.push('\u{8}'),
                Some('f' | 'F') => value.push('\u{c}'),
                Some(escaped @ ('\'' | '"' | '\\' | '_' | '%')) => {
                    // LIKE must still see that it was escaped.
                    if matches!(escaped, '_' | '%') {
                        value.push('\\');
                    }
                    value.push(escaped);
                }
                other => return Err(format!("Illegal string literal: invalid escape sequence '\\{}'", other.unwrap_or(' '))),
            },
            c => value.push(c),
        }
    }
    Err("line 1: mismatched character '<EOF>' expecting '''".to_owned())
}

fn word(text: &str) -> Result<Token, String> {
    let literal = match text.to_ascii_lowercase().as_str() {
        "null" => Literal::Null,
        "true" => Literal::Bool(true),
        "false" => Literal::Bool(false),
        lower if lower.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '+') => number_or_time(text)?,
        _ => return Ok(Token::Word(text.to_owned())),
    };
    Ok(Token::Value(literal))
}

fn number_or_time(text: &str) -> Result<Literal, String> {
    if let Ok(number) = text.parse() {
        return Ok(Literal::Number(number));
    }
    if text.contains('T') {
        return parse_time(text).map(Literal::DateTime).ok_or_else(|| format!("invalid datetime literal '{text}'"));
    }
    let is_date = text.len() == 10 && parse_time(&format!("{text}T00:00:00Z")).is_some();
    if is_date { Ok(Literal::Date(text.to_owned())) } else { Err(format!("unexpected token: '{text}'")) }
}
