//! What must hold of a value before it is written.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::bounds::{MAX_PATTERN, MAX_VALUES};
use crate::forms::decimal;
use crate::input::RulesInput;
use crate::scripts::Script;

/// Memory of a compiled pattern, in bytes.
const PATTERN_MEMORY: usize = 1024 * 1024;

/// Rules, read.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) required: bool,
    pattern: Option<Regex>,
    min: Option<f64>,
    max: Option<f64>,
    min_length: Option<usize>,
    max_length: Option<usize>,
    one_of: Option<Vec<Value>>,
    email: bool,
    pub(crate) custom: Option<Script>,
}

impl Rules {
    /// Errors: which member is wrong, and how.
    pub(crate) fn new(input: &RulesInput) -> Result<Self, (&'static str, String)> {
        let pattern = input.pattern.as_deref().map(pattern).transpose().map_err(|fault| ("pattern", fault))?;
        if let (Some(min), Some(max)) = (input.min, input.max)
            && min > max
        {
            return Err(("min", "min is not larger than max".to_owned()));
        }
        if let (Some(least), Some(most)) = (input.min_length, input.max_length)
            && least > most
        {
            return Err(("minLength", "minLength is not larger than maxLength".to_owned()));
        }
        if input.one_of.as_ref().is_some_and(|values| values.is_empty() || values.len() > MAX_VALUES) {
            return Err(("enum", format!("enum has 1 to {MAX_VALUES} values")));
        }
        let custom = input.custom.as_deref().map(Script::new).transpose().map_err(|fault| ("custom", fault))?;
        let length = |found: Option<u32>| found.and_then(|found| usize::try_from(found).ok());
        Ok(Self {
            required: input.required,
            pattern,
            min: input.min,
            max: input.max,
            min_length: length(input.min_length),
            max_length: length(input.max_length),
            one_of: input.one_of.clone(),
            email: input.email,
            custom,
        })
    }

    /// The rules that a value breaks, each with a text; all but the custom one.
    pub(crate) fn broken(&self, value: &Value) -> Vec<(&'static str, String)> {
        let mut broken = Vec::new();
        if is_empty(value) {
            if self.required {
                broken.push(("required", "a value is required".to_owned()));
            }
            return broken;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let Some(pattern) = &self.pattern
            && !pattern.is_match(&text)
        {
            broken.push(("pattern", format!("a text with the pattern {} is asked for", pattern.as_str())));
        }
        self.range(value, &mut broken);
        let length = value.as_array().map_or_else(|| text.chars().count(), Vec::len);
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            broken.push(("minLength", format!("a length of at least {least} is asked for; it is {length}")));
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            broken.push(("maxLength", format!("a length of at most {most} is asked for; it is {length}")));
        }
        if let Some(values) = &self.one_of {
            let allowed = |item: &Value| values.iter().any(|allowed| allowed == item);
            if !value.as_array().map_or_else(|| allowed(value), |items| items.iter().all(allowed)) {
                broken.push(("enum", "one of the declared values is asked for".to_owned()));
            }
        }
        if self.email && !value.as_str().is_some_and(is_email) {
            broken.push(("email", "an e-mail address is asked for".to_owned()));
        }
        broken
    }

    fn range(&self, value: &Value, broken: &mut Vec<(&'static str, String)>) {
        if self.min.is_none() && self.max.is_none() {
            return;
        }
        let number = decimal(value).and_then(|plain| plain.parse::<f64>().ok());
        if let Some(min) = self.min.filter(|min| number.is_none_or(|number| number < *min)) {
            broken.push(("min", format!("a number of at least {min} is asked for")));
        }
        if let Some(max) = self.max.filter(|max| number.is_none_or(|number| number > *max)) {
            broken.push(("max", format!("a number of at most {max} is asked for")));
        }
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    if text.len() > MAX_PATTERN {
        return Err(format!("a pattern has at most {MAX_PATTERN} bytes"));
    }
    let built = RegexBuilder::new(text).size_limit(PATTERN_MEMORY).dfa_size_limit(PATTERN_MEMORY).build();
    built.map_err(|_| "it is no regular expression, or too large (look-around and back-references are not understood)".to_owned())
}

/// Nothing: `null`, an empty text or list.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// What vendors take for an address: one `@`, something before it, a host with a dot after it (RFC 5321's lengths; no quoted parts).
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let is_local = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte) || byte >= 0x80;
    let label = |label: &str| {
        let is_inner = |letter: char| letter.is_alphanumeric() || letter == '-';
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(is_inner)
    };
    let local_is_good = (1..=64).contains(&local.len()) && local.bytes().all(is_local);
    let dots_are_good = !local.starts_with('.') && !local.ends_with('.') && !local.contains("..");
    text.len() <= 254 && local_is_good && dots_are_good && host.contains('.') && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn addresses() {
        for good in ["a@b.co", "o'neil+x@mail.example.com", "jörg@münchen.example"] {
            assert!(is_email(good), "{good}");
        }
        for bad in ["", "a", "a@b", "@b.co", "a@.co", "a@b..co", "a b@c.de", "a@b.co, c@d.ef", ".a@b.co", "a@-b.co", "a@@b.co"] {
            assert!(!is_email(bad), "{bad}");
        }
    }

    #[test]
    fn every_broken_rule_is_named() {
        let input = json!({"required": true, "pattern": "^A", "minLength": 3, "maxLength": 4, "enum": ["ABC"], "email": true, "min": 5});
        let rules = Rules::new(&serde_json::from_value(input).unwrap()).unwrap();
        let names = |value: Value| rules.broken(&value).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
        assert_eq!(names(json!("b")), ["pattern", "min", "minLength", "enum", "email"]);
        assert_eq!(names(json!("bbbbb")), ["pattern", "min", "maxLength", "enum", "email"]);
        assert_eq!(names(json!("  ")), ["required"]);
        assert_eq!(names(Value::Null), ["required"]);
    }

    #[test]
    fn a_pattern_that_would_cost_too_much_is_refused() {
        for bad in ["(", "a{1000}{1000}{1000}", "(?=a)b"] {
            let input = RulesInput { pattern: Some(bad.to_owned()), ..RulesInput::default() };
            assert_eq!(Rules::new(&input).unwrap_err().0, "pattern", "{bad}");
        }
    }
}
