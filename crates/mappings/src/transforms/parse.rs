//! A transformer as it is written, read.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::dates::DateForm;
use super::named::NAMES;
use super::{Named, Step, money, phones};
use crate::bounds::{MAX_DEPTH, MAX_STEPS};
use crate::compile::check_name;
use crate::input::TransformInput;
use crate::scripts::Script;

/// Longest text of an option, in bytes.
const MAX_OPTION: usize = 1_000;

/// What a mapping says for all of its transforms.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Defaults<'a> {
    pub(crate) country: Option<&'a str>,
}

/// The steps of a transformer.
///
/// Errors: what is wrong, for people.
pub(crate) fn parse(input: &TransformInput, defaults: Defaults<'_>) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    add(input, defaults, &mut steps, 0)?;
    Ok(steps)
}

fn add(input: &TransformInput, defaults: Defaults<'_>, steps: &mut Vec<Step>, depth: usize) -> Result<(), String> {
    if steps.len() >= MAX_STEPS || depth > 2 {
        return Err(format!("a transformer has at most {MAX_STEPS} steps"));
    }
    match input {
        TransformInput::Steps(inner) => {
            for input in inner {
                add(input, defaults, steps, depth + 1)?;
            }
        }
        TransformInput::Text(text) => {
            let text = text.trim();
            let is_name = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
            steps.push(if is_name { Step::Named(named(text, Map::new(), defaults)?) } else { Step::Script(Script::new(text)?) });
        }
        TransformInput::Options(options) => {
            let mut options = options.clone();
            if let Some(source) = options.remove("javascript") {
                let source = source.as_str().ok_or("javascript is the text of a function")?;
                no_others(&options, "javascript")?;
                steps.push(Step::Script(Script::new(source)?));
                return Ok(());
            }
            let name = options.remove("name");
            let name = name.as_ref().and_then(Value::as_str).ok_or("a transform with options has a name: {\"name\": \"split\", …}")?;
            steps.push(Step::Named(named(name, options, defaults)?));
        }
    }
    Ok(())
}

fn named(name: &str, options: Map<String, Value>, defaults: Defaults<'_>) -> Result<Named, String> {
    let mut options = Options { name, rest: options };
    let named = match name {
        "trim" => Named::Trim,
        "lower" => Named::Lower,
        "upper" => Named::Upper,
        "title" => Named::Title,
        "digits" => Named::Digits,
        "json_text" => Named::JsonText,
        "json_value" => Named::JsonValue,
        "truncate" => Named::Truncate { length: options.whole("length", 1, 100_000)? },
        "replace" => Named::Replace { from: options.text("from")?, to: options.text_or("to", "")? },
        "prefix" => Named::Prefix { text: options.text("text")? },
        "strip_prefix" => Named::StripPrefix { text: options.text("text")? },
        "suffix" => Named::Suffix { text: options.text("text")? },
        "strip_suffix" => Named::StripSuffix { text: options.text("text")? },
        "phone_e164" => Named::PhoneE164 { country: options.country(defaults.country)? },
        "date_format" => options.date_format()?,
        "split" => Named::Split { separator: options.text_or("separator", ";")? },
        "join" => Named::Join { separator: options.text_or("separator", ";")? },
        "part" => Named::Part { separator: options.text_or("separator", " ")?, index: options.whole("index", 0, 100)? },
        "minor_units" => Named::MinorUnits { digits: options.digits()? },
        "major_units" => Named::MajorUnits { digits: options.digits()? },
        "concat" => Named::Concat { fields: options.fields()?, separator: options.text_or("separator", " ")? },
        other => return Err(format!("there is no transform {other:?}; there are {}", NAMES.join(", "))),
    };
    no_others(&options.rest, name)?;
    Ok(named)
}

fn no_others(options: &Map<String, Value>, name: &str) -> Result<(), String> {
    options.keys().next().map_or(Ok(()), |other| Err(format!("{name} has no option {other:?}")))
}

struct Options<'a> {
    name: &'a str,
    rest: Map<String, Value>,
}

impl Options<'_> {
    fn text(&mut self, option: &str) -> Result<String, String> {
        match self.rest.remove(option) {
            Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_OPTION => Ok(text),
            _ => Err(format!("{} needs the option {option:?}, a text of at most {MAX_OPTION} bytes", self.name)),
        }
    }

    fn text_or(&mut self, option: &str, default: &str) -> Result<String, String> {
        let empty_is_meant = default.is_empty() && self.rest.get(option).is_some_and(|value| value == "");
        if empty_is_meant {
            self.rest.remove(option);
        }
        if self.rest.contains_key(option) { self.text(option) } else { Ok(default.to_owned()) }
    }

    fn whole(&mut self, option: &str, least: u64, most: u64) -> Result<usize, String> {
        let found = self.rest.remove(option).and_then(|value| value.as_u64()).filter(|found| (least..=most).contains(found));
        let found = found.and_then(|found| usize::try_from(found).ok());
        found.ok_or_else(|| format!("{} needs the option {option:?}, a whole number from {least} to {most}", self.name))
    }

    fn country(&mut self, default: Option<&str>) -> Result<Option<String>, String> {
        let Some(value) = self.rest.remove("country") else { return Ok(default.map(str::to_owned)) };
        match value.as_str() {
            Some(code) if phones::is_country(code) => Ok(Some(code.to_owned())),
            _ => Err("country is a code of two capital letters: DE".to_owned()),
        }
    }

    fn digits(&mut self) -> Result<i32, String> {
        if self.rest.contains_key("digits") {
            return self.whole("digits", 0, 8).map(|digits| i32::try_from(digits).unwrap_or(2));
        }
        let currency = self.text("currency")?;
        money::digits(&currency).ok_or_else(|| format!("currency is a code of three capital letters (EUR), not {currency:?}"))
    }

    fn date_format(&mut self) -> Result<Named, String> {
        let (from, to) = (DateForm::parse(&self.text("from")?)?, DateForm::parse(&self.text("to")?)?);
        let zone = self.text_or("zone", "UTC")?;
        let zone = TimeZone::get(&zone).map_err(|_| format!("there is no time zone {zone:?}; Europe/Berlin is one"))?;
        Ok(Named::DateFormat { from, to, zone })
    }

    fn fields(&mut self) -> Result<Vec<String>, String> {
        let expected = "concat needs the option \"fields\", a list of two to ten names of fields";
        let Some(Value::Array(items)) = self.rest.remove("fields") else { return Err(expected.to_owned()) };
        let fields: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        let fields = fields.filter(|fields| (2..=10).contains(&fields.len())).ok_or(expected)?;
        fields.iter().try_for_each(|field| check_name(field, MAX_DEPTH))?;
        Ok(fields)
    }
}

/// Whether it is a country that a mapping may name.
pub(crate) fn is_country(code: &str) -> bool {
    phones::is_country(code)
}
