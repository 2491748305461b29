//! Statement texts.

/// Which engine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// SQLite.
    Sqlite,
    /// PostgreSQL.
    Postgres,
}

/// A statement that the two engines must spell differently. There are fewer than thirty in the workspace; `tidy` counts them.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// For SQLite.
    pub sqlite: &'static str,
    /// For PostgreSQL, also with `?1 ?2`.
    pub postgres: &'static str,
}

/// A statement's text.
pub trait Statement {
    /// The text for `engine`, with `?1 ?2` parameters.
    fn text(&self, engine: Engine) -> &str;
}

impl Statement for &str {
    fn text(&self, _: Engine) -> &str {
        self
    }
}

impl Statement for &String {
    fn text(&self, _: Engine) -> &str {
        self
    }
}

impl Statement for Dialect {
    fn text(&self, engine: Engine) -> &str {
        match engine {
            Engine::Sqlite => self.sqlite,
            Engine::Postgres => self.postgres,
        }
    }
}

/// `?1 ?2` to `$1 $2`, leaving quoted text alone. (PostgreSQL's own `?` operators are not used here.)
pub(crate) fn to_postgres(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quote: Option<char> = None;
    for c in sql.chars() {
        match quote {
            Some(q) if c == q => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ => {}
        }
        out.push(if c == '?' && quote.is_none() { '$' } else { c });
    }
    out
}

/// `(?1, ?2), (?3, ?4)` for `rows` rows of `columns` columns.
pub(crate) fn placeholders(rows: usize, columns: usize) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(rows * (columns * 6 + 4));
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let separator = if column == 0 { "" } else { ", " };
            let _ = write!(out, "{separator}?{}", row * columns + column + 1);
        }
        out.push(')');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn translates_parameters_but_not_quoted_text() {
        assert_eq!(to_postgres("SELECT ?1, '?2', \"a?\" WHERE x = ?12"), "SELECT $1, '?2', \"a?\" WHERE x = $12");
        assert_eq!(to_postgres("SELECT 'it''s ?1', ?1"), "SELECT 'it''s ?1', $1");
    }

    #[test]
    fn numbers_placeholders_row_by_row() {
        assert_eq!(placeholders(2, 2), "(?1, ?2), (?3, ?4)");
    }
}
