//! The page that `type` of a problem points to: what each code means, and what to do.

use std::fmt::Write as _;

use web::html::escape;

/// The tables are written once, for readers of the repository and of this page.
const TABLES: &str = include_str!("../../../../docs/errors.md");

/// A row: its codes, the status, what it means and what to do.
fn rows() -> impl Iterator<Item = (Vec<&'static str>, [&'static str; 3])> {
    TABLES.lines().filter(|line| line.starts_with("| `")).filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        let codes = cells.next()?.split(", ").map(|code| code.trim_matches('`')).collect();
        Some((codes, [cells.next()?, cells.next()?, cells.next()?]))
    })
}

/// The content of the page.
pub(super) fn main() -> String {
    let mut rows = String::new();
    for (codes, cells) in self::rows() {
        let [status, meaning, what_to_do] = cells.map(|cell| escape(&cell.replace('`', "")));
        for code in codes {
            let code = escape(code);
            let _ = writeln!(
                rows,
                "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td><td>{meaning}</td><td>{what_to_do}</td></tr>"
            );
        }
    }
    format!(
        "<h1>Error codes</h1>\n<p>An error is answered as application/problem+json (RFC 9457). Programs look at <code>code</code>, which never \
         changes; people read <code>detail</code>.</p>\n\
         <table>\n<tr><th>code</th><th>status</th><th>meaning</th><th>what to do</th></tr>\n{rows}</table>\n"
    )
}
