//! The words of the pages, in every language. One file a language, `messages/<tag>.toml`; a test compares the files with each other and with
//! what the pages ask for.

mod time;

use std::collections::HashMap;
use std::fmt::{Display, Write as _};
use std::sync::LazyLock;
use web::html::escape;

/// A language of the portal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    English,
    /// Hebrew, written from right to left.
    Hebrew,
}

impl Lang {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::English, Self::Hebrew];

    /// Its BCP 47 tag: `en`, `he`.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Hebrew => "he",
        }
    }

    /// The direction of its script, as `dir` has it.
    pub fn dir(self) -> &'static str {
        match self {
            Self::English => "ltr",
            Self::Hebrew => "rtl",
        }
    }

    /// What it calls itself.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Hebrew => "עברית",
        }
    }

    /// The language that a tag means, region or not: `he-IL`, and `iw`, as old browsers say.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        match primary.as_str() {
            "en" => Some(Self::English),
            "he" | "iw" => Some(Self::Hebrew),
            _ => None,
        }
    }

    /// The text of a key. One that is nowhere shows as ⟨?⟩; the test of the files makes sure that there is none.
    pub fn text(self, key: &str) -> &'static str {
        self.known(key).unwrap_or("⟨?⟩")
    }

    /// The text of a key that need not be there.
    pub fn known(self, key: &str) -> Option<&'static str> {
        TABLES[self as usize].get(key).map(String::as_str)
    }

    /// The text with each `{name}` replaced.
    pub fn with(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        filled(self.text(key), values)
    }

    /// The same as HTML: the text is escaped, and so is each value, which stands apart from the direction of the text around it.
    pub fn html(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let text = escape(self.text(key));
        fill(&text, values, |out, value| {
            let _ = write!(out, "<bdi>{}</bdi>", escape(&value.to_string()));
        })
    }

    /// The text for a number: `<key>.one`, `.two` or `.other`, with `{count}` replaced.
    pub fn count(self, key: &str, count: u64) -> String {
        let form = match count {
            1 => "one",
            2 => "two",
            _ => "other",
        };
        self.with(&format!("{key}.{form}"), &[("count", &count)])
    }

    /// How long ago, or in how long, `at` is, seen from `now`.
    pub fn relative(self, at: kernel::Timestamp, now: kernel::Timestamp) -> String {
        time::relative(self, at, now)
    }

    /// The exact time, in UTC.
    pub fn exact(self, at: kernel::Timestamp) -> String {
        time::exact(self, at)
    }
}

/// A text with each `{name}` replaced.
pub(crate) fn filled(text: &str, values: &[(&str, &dyn Display)]) -> String {
    fill(text, values, |out, value| {
        let _ = write!(out, "{value}");
    })
}

fn fill(text: &str, values: &[(&str, &dyn Display)], write: impl Fn(&mut String, &dyn Display)) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            write(&mut out, *value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

type Table = HashMap<String, String>;

static TABLES: LazyLock<[Table; 2]> =
    LazyLock::new(|| [table(include_str!("../../messages/en.toml")), table(include_str!("../../messages/he.toml"))]);

fn table(text: &str) -> Table {
    let parsed: toml::Table = text.parse().expect("a test reads the files of messages");
    let mut table = Table::new();
    flatten("", parsed, &mut table);
    table
}

fn flatten(prefix: &str, values: toml::Table, out: &mut Table) {
    for (name, value) in values {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&key, inner, out),
            toml::Value::String(text) => {
                out.insert(key, text);
            }
            other => unreachable!("a message is a text, which a test checks: {key} = {other}"),
        }
    }
}

/// Every key with its text, for the test of the files.
pub fn messages(lang: Lang) -> impl Iterator<Item = (&'static str, &'static str)> {
    TABLES[lang as usize].iter().map(|(key, text)| (key.as_str(), text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_kept_apart() {
        let text = fill("{who} asks {what}", &[("who", &"<b>"), ("what", &1)], |out, value| {
            let _ = write!(out, "<bdi>{}</bdi>", escape(&value.to_string()));
        });
        assert_eq!(text, "<bdi>&lt;b&gt;</bdi> asks <bdi>1</bdi>");
    }

    #[test]
    fn a_value_is_not_read_as_text() {
        let plain = |text: &str, value: &str| fill(text, &[("a", &value), ("b", &"x")], |out, value| out.push_str(&value.to_string()));
        assert_eq!(plain("{a}{b}", "{b}"), "{b}x");
        assert_eq!(plain("open {", "x"), "open {");
    }

    #[test]
    fn tags_of_browsers_are_understood() {
        for (tag, lang) in [("he-IL", Some(Lang::Hebrew)), ("iw", Some(Lang::Hebrew)), ("EN-us;q=0.8", Some(Lang::English)), ("de", None)] {
            assert_eq!(Lang::of_tag(tag), lang, "{tag}");
        }
    }
}
