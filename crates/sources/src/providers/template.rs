//! What a generic signature covers: a text with places for the parts of the call, such as `{timestamp}.{body}`.

use kernel::{Error, Result};

/// Most characters of a template.
const MAX: usize = 200;

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

/// A part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    Body,
    Timestamp,
    Id,
    Method,
    Url,
    Path,
}

impl Template {
    /// Reads a template. Error: 422 `validation_failed` at `/settings/template`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let fault = |detail: &str| Error::field("/settings/template", detail);
        kernel::text::prose("/settings/template", text, MAX)?;
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or_else(|| fault("has a { without its }"))?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match name {
                "body" => Part::Body,
                "timestamp" => Part::Timestamp,
                "id" => Part::Id,
                "method" => Part::Method,
                "url" => Part::Url,
                "path" => Part::Path,
                _ => return Err(fault("knows {body}, {timestamp}, {id}, {method}, {url} and {path}")),
            });
            rest = tail;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let template = Self(parts);
        if !template.has(&Part::Body) {
            return Err(fault("must contain {body}: a signature that does not cover the body proves nothing about it"));
        }
        Ok(template)
    }

    /// Whether a part stands in it.
    pub(crate) fn has(&self, part: &Part) -> bool {
        self.0.contains(part)
    }

    /// The parts, in order.
    pub(crate) fn parts(&self) -> &[Part] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Part, Template};

    #[test]
    fn reads_places_and_text() {
        let read = Template::parse("v1:{timestamp}.{body}").unwrap();
        assert_eq!(read.parts(), [Part::Text("v1:".into()), Part::Timestamp, Part::Text(".".into()), Part::Body]);
        for bad in ["", "{timestamp}", "{body", "{body}{secret}", "{body}{}"] {
            assert_eq!(Template::parse(bad).unwrap_err().fields()[0].pointer, "/settings/template", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in ".{0,60}|(\\{|\\}|body|timestamp|x){0,8}") {
            let _ = Template::parse(&text);
        }
    }
}
