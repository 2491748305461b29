//! The transforms that have names.

use jiff::tz::TimeZone;

use super::dates::DateForm;

/// A transform with its options.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    Trim,
    Lower,
    Upper,
    Title,
    Digits,
    Truncate { length: usize },
    Replace { from: String, to: String },
    Prefix { text: String },
    StripPrefix { text: String },
    Suffix { text: String },
    StripSuffix { text: String },
    PhoneE164 { country: Option<String> },
    DateFormat { from: DateForm, to: DateForm, zone: TimeZone },
    Split { separator: String },
    Join { separator: String },
    Part { separator: String, index: usize },
    MinorUnits { digits: i32 },
    MajorUnits { digits: i32 },
    JsonText,
    JsonValue,
    Concat { fields: Vec<String>, separator: String },
}

/// Every name, for the text of a problem.
pub(super) const NAMES: [&str; 21] = [
    "trim",
    "lower",
    "upper",
    "title",
    "digits",
    "truncate",
    "replace",
    "prefix",
    "strip_prefix",
    "suffix",
    "strip_suffix",
    "phone_e164",
    "date_format",
    "split",
    "join",
    "part",
    "minor_units",
    "major_units",
    "json_text",
    "json_value",
    "concat",
];

impl Named {
    /// As it is written.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Trim => "trim",
            Self::Lower => "lower",
            Self::Upper => "upper",
            Self::Title => "title",
            Self::Digits => "digits",
            Self::Truncate { .. } => "truncate",
            Self::Replace { .. } => "replace",
            Self::Prefix { .. } => "prefix",
            Self::StripPrefix { .. } => "strip_prefix",
            Self::Suffix { .. } => "suffix",
            Self::StripSuffix { .. } => "strip_suffix",
            Self::PhoneE164 { .. } => "phone_e164",
            Self::DateFormat { .. } => "date_format",
            Self::Split { .. } => "split",
            Self::Join { .. } => "join",
            Self::Part { .. } => "part",
            Self::MinorUnits { .. } => "minor_units",
            Self::MajorUnits { .. } => "major_units",
            Self::JsonText => "json_text",
            Self::JsonValue => "json_value",
            Self::Concat { .. } => "concat",
        }
    }
}
