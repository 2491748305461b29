//! What happens to a value on its way, step by step.

mod back;
mod dates;
mod lists;
mod money;
mod named;
mod parse;
mod phones;
mod texts;

use serde_json::{Map, Value};

pub(crate) use back::backwards;
pub(crate) use named::Named;
pub(crate) use parse::{Defaults, is_country, parse};

use crate::bounds::MAX_TEXT;
use crate::scripts::Script;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// One of ours.
    Named(Named),
    /// A tenant's function.
    Script(Script),
}

impl Step {
    /// Its name in a problem.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Named(named) => named.name(),
            Self::Script(_) => "javascript",
        }
    }

    /// Other fields of the record that it reads.
    pub(crate) fn reads(&self) -> impl Iterator<Item = &str> {
        let fields = match self {
            Self::Named(Named::Concat { fields, .. }) => fields.as_slice(),
            _ => &[],
        };
        fields.iter().map(String::as_str)
    }
}

impl Named {
    /// Applies it. Nothing stays nothing, except where other fields make up the value.
    ///
    /// Errors: what was expected, for people.
    pub(crate) fn apply(&self, value: Value, record: &Map<String, Value>) -> Result<Value, String> {
        if let Self::Concat { fields, separator } = self {
            return texts::concat(fields, separator, record).and_then(bounded);
        }
        if value.is_null() {
            return Ok(value);
        }
        let done = match self {
            Self::Trim => texts::each(value, |text| text.trim().to_owned()),
            Self::Lower => texts::each(value, str::to_lowercase),
            Self::Upper => texts::each(value, str::to_uppercase),
            Self::Title => texts::each(value, texts::title),
            Self::Digits => texts::each(value, texts::digits),
            Self::Truncate { length } => texts::each(value, |text| text.chars().take(*length).collect()),
            Self::Replace { from, to } => texts::each(value, |text| text.replace(from.as_str(), to)),
            Self::Prefix { text } => texts::required(value, |found| Ok(format!("{text}{found}"))),
            Self::StripPrefix { text } => {
                texts::required(value, |found| texts::strip(found.strip_prefix(text.as_str()), "begins with", text))
            }
            Self::Suffix { text } => texts::required(value, |found| Ok(format!("{found}{text}"))),
            Self::StripSuffix { text } => {
                texts::required(value, |found| texts::strip(found.strip_suffix(text.as_str()), "ends with", text))
            }
            Self::PhoneE164 { country } => texts::required(value, |text| phones::e164(text, country.as_deref())),
            Self::DateFormat { from, to, zone } => dates::reformat(&value, from, to, zone),
            Self::Split { separator } => lists::split(value, separator),
            Self::Join { separator } => lists::join(value, separator),
            Self::Part { separator, index } => lists::part(value, separator, *index),
            Self::MinorUnits { digits } => money::minor(&value, *digits),
            Self::MajorUnits { digits } => money::major(&value, *digits),
            Self::JsonText => Ok(Value::String(value.to_string())),
            Self::JsonValue => texts::json_value(value),
            Self::Concat { .. } => Ok(value),
        };
        done.and_then(bounded)
    }
}

fn bounded(value: Value) -> Result<Value, String> {
    match value.as_str() {
        Some(text) if text.len() > MAX_TEXT => Err(format!("a text of at most {} KB was expected", MAX_TEXT / 1024)),
        _ => Ok(value),
    }
}
