//! From what people write to one expression that gives their function.

/// The first line of what is evaluated; the source begins on the second.
const EXPRESSION: (&str, &str) = ("(function () { \"use strict\"; return (", "\n); })");
const PROGRAM: (&str, &str) = ("(function () { \"use strict\";", "\n;return typeof handler === \"undefined\" ? undefined : handler; })");

/// Lines before the source.
pub(super) const LINES_BEFORE: u32 = 1;

/// The source as one function expression: `v => …`, `function (webhook) { … }`.
pub(super) fn as_expression(source: &str) -> String {
    let source = without_export(source);
    wrap(EXPRESSION, source.trim_end().trim_end_matches([';', ' ', '\t', '\r', '\n']))
}

/// The source as a program that declares `handler`.
pub(super) fn as_program(source: &str) -> String {
    wrap(PROGRAM, &without_export(source))
}

fn wrap((before, after): (&str, &str), source: &str) -> String {
    format!("{before}\n{source}{after}")
}

/// `export default` or `export` at the beginning is written over with spaces, so that places stay as they are.
fn without_export(source: &str) -> String {
    let start = source.len() - after_comments(source).len();
    let rest = &source[start..];
    let word = |text: &str, word: &str| {
        let after = text.strip_prefix(word)?;
        after.starts_with(char::is_whitespace).then_some(word.len())
    };
    let Some(mut length) = word(rest, "export") else { return source.to_owned() };
    let gap = rest[length..].len() - rest[length..].trim_start().len();
    if let Some(default) = word(&rest[length + gap..], "default") {
        length += gap + default;
    }
    let blank: String = rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    format!("{}{blank}{}", &source[..start], &rest[length..])
}

/// What follows white space and comments.
fn after_comments(source: &str) -> &str {
    let mut rest = source.trim_start();
    loop {
        let next = if let Some(line) = rest.strip_prefix("//") {
            line.split_once('\n').map(|(_, rest)| rest)
        } else if let Some(block) = rest.strip_prefix("/*") {
            block.split_once("*/").map(|(_, rest)| rest)
        } else {
            None
        };
        match next {
            Some(next) => rest = next.trim_start(),
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_become_spaces() {
        assert_eq!(without_export("export default function handler(w) {}"), "               function handler(w) {}");
        assert_eq!(without_export("// a\n/* b */ export const handler = 1"), "// a\n/* b */        const handler = 1");
        assert_eq!(without_export("export\ndefault w => w"), "      \n        w => w");
        for as_it_is in ["exports = 1", "const s = `\nexport default 1`", "// export default", "/* export default"] {
            assert_eq!(without_export(as_it_is), as_it_is);
        }
    }

    #[test]
    fn a_source_begins_on_its_line() {
        for wrapped in [as_expression("v => v;\n"), as_program("v => v")] {
            assert_eq!(wrapped.lines().nth(LINES_BEFORE as usize), Some("v => v"), "{wrapped}");
        }
    }
}
