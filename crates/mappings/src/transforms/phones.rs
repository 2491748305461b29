//! Telephone numbers in the form of E.164: `+4930123456`.

use phonelib::PhoneNumber;

/// `country`: for numbers that are written as within a country.
pub(super) fn e164(text: &str, country: Option<&str>) -> Result<String, String> {
    let text = text.trim();
    let number = match country {
        Some(country) => PhoneNumber::parse_with_country(text, country),
        None => match text.strip_prefix("00") {
            Some(rest) => PhoneNumber::parse(&format!("+{rest}")),
            None if text.starts_with('+') => PhoneNumber::parse(text),
            None => return Err("a telephone number with its country's code was expected: +49 30 123456 (or name a country)".to_owned()),
        },
    };
    number.map(|number| number.e164().to_owned()).ok_or_else(|| "a telephone number was expected".to_owned())
}

/// Whether it is a country's code that numbers can be read for: `DE`.
pub(super) fn is_country(code: &str) -> bool {
    phonelib::country_by_code(code).is_some()
}
