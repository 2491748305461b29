//! Names with places for an event's type: `partners.{type}`.

use kernel::{Error, Result};

/// A name with `{…}` places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(&'static str),
}

impl Template {
    /// Reads one that may name `places`. Error: 422 at the field.
    pub(crate) fn parse(field: &str, text: &str, places: &[&'static str]) -> Result<Self> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find(['{', '}']) {
            let (before, after) = rest.split_at(start);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let named = after.strip_prefix('{').and_then(|after| after.split_once('}'));
            let known = named.and_then(|(name, after)| Some((*places.iter().find(|place| **place == name)?, after)));
            let Some((place, after)) = known else {
                let places: Vec<String> = places.iter().map(|place| format!("{{{place}}}")).collect();
                return Err(Error::field(format!("/{field}"), format!("may have in braces only {}", places.join(", "))));
            };
            parts.push(Part::Place(place));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// The name, with each place filled by `value`.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => value(place),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_are_filled() {
        let parse = |text: &str| Template::parse("subject", text, &["type", "year"]);
        let fill = |text: &str| parse(text).unwrap().fill(|place| if place == "type" { "lead.created".into() } else { "2026".into() });
        assert_eq!(fill("partners.{type}"), "partners.lead.created");
        assert_eq!(fill("{year}/{type}/x"), "2026/lead.created/x");
        assert_eq!(fill("plain"), "plain");
        for bad in ["{", "}", "{id}", "a{type", "a}b", "{{type}}"] {
            assert_eq!(parse(bad).unwrap_err().fields()[0].pointer, "/subject", "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_has_no_braces_stays(text in "[^{}]{0,40}") {
            prop_assert_eq!(Template::parse("f", &text, &[]).unwrap().fill(|_| String::new()), text);
        }
    }
}
