//! Faults in words for people. A value is never echoed: it may be long, or secret.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use kernel::FieldError;
use serde_json::Value;

/// Longest piece of a schema or value that a text repeats, in characters.
const SHORT: usize = 80;

/// Longest pointer that is repeated, in characters: it consists of names that the caller chose.
const LONGEST_POINTER: usize = 300;

/// The text, cut where it is long.
pub(crate) fn short(text: &str) -> String {
    shortened(text, SHORT)
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// Why a schema does not compile.
pub(super) fn of_schema(error: &ValidationError<'_>) -> String {
    let at = error.instance_path().to_string();
    let what = match error.kind() {
        Kind::Format { format } if format == "regex" => "is not a regular expression that can be compiled".to_owned(),
        kind => detail(kind),
    };
    if at.is_empty() { what } else { format!("{}: {what}", short(&at)) }
}

/// Adds the faults of a value: one, or one for each unknown member.
pub(super) fn of_value(error: &ValidationError<'_>, prefix: &str, faults: &mut Vec<FieldError>) {
    let at = format!("{prefix}{}", shortened(error.instance_path().as_str(), LONGEST_POINTER));
    match error.kind() {
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            for name in unexpected.iter().take(super::MAX_ERRORS) {
                faults.push(FieldError { pointer: member(&at, name), detail: "is not a known field".to_owned() });
            }
        }
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(FieldError { pointer: member(&at, name), detail: "is required".to_owned() });
        }
        kind => {
            let detail = lacking(error).map_or_else(|| detail(kind), |forms| format!("needs {forms}"));
            faults.push(FieldError { pointer: at, detail });
        }
    }
}

/// The pointer of a member (RFC 6901 §3), cut where the name is long.
fn member(at: &str, name: &str) -> String {
    format!("{at}/{}", short(name).replace('~', "~0").replace('/', "~1"))
}

fn detail(kind: &Kind) -> String {
    match kind {
        Kind::Type { kind } => format!("must be {}", type_words(kind)),
        Kind::Enum { options } => format!("must be one of {}", choices(options)),
        Kind::Constant { expected_value } => format!("must be {}", short(&expected_value.to_string())),
        Kind::Format { format } => format!("must be {}", format_words(format)),
        Kind::Pattern { pattern } => format!("must match the pattern {}", short(pattern)),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => "is too costly to match with the pattern".to_owned(),
        Kind::MinLength { limit } => format!("must have at least {}", count(*limit, "character", "characters")),
        Kind::MaxLength { limit } => format!("must have at most {}", count(*limit, "character", "characters")),
        Kind::MinItems { limit } => format!("must have at least {}", count(*limit, "item", "items")),
        Kind::MaxItems { limit } => format!("must have at most {}", count(*limit, "item", "items")),
        Kind::MinProperties { limit } => format!("must have at least {}", count(*limit, "member", "members")),
        Kind::MaxProperties { limit } => format!("must have at most {}", count(*limit, "member", "members")),
        Kind::Minimum { limit } => format!("must be at least {limit}"),
        Kind::Maximum { limit } => format!("must be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("must be a multiple of {multiple_of}"),
        Kind::UniqueItems => "must not contain the same item twice".to_owned(),
        Kind::Contains => "must contain an item of the required form".to_owned(),
        Kind::AdditionalItems { limit } => format!("must have at most {}", count(*limit as u64, "item", "items")),
        Kind::UnevaluatedItems { .. } => "has items that are not allowed".to_owned(),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            format!("has unknown members: {}", short(&unexpected.join(", ")))
        }
        Kind::Required { property } => format!("lacks {}", short(&property.to_string())),
        Kind::PropertyNames { error } => format!("has a member whose name {}", detail(error.kind())),
        Kind::FalseSchema => "is not allowed here".to_owned(),
        Kind::Not { .. } => "has a form that is not allowed here".to_owned(),
        Kind::AnyOf { .. } | Kind::OneOfNotValid { .. } => "has none of the allowed forms".to_owned(),
        Kind::OneOfMultipleValid { .. } => "has more than one of the allowed forms, and must have exactly one".to_owned(),
        Kind::ContentEncoding { content_encoding } => format!("must be encoded as {}", short(content_encoding)),
        Kind::ContentMediaType { content_media_type } => format!("must be of the media type {}", short(content_media_type)),
        Kind::FromUtf8 { .. } => "must be UTF-8 once decoded".to_owned(),
        Kind::Custom { message, .. } => short(message),
        Kind::Referencing(_) => "has a reference that leads nowhere".to_owned(),
    }
}

/// `a and b, or c`: what each form of the value lacks, where none lacks anything else.
fn lacking(error: &ValidationError<'_>) -> Option<String> {
    let (Kind::AnyOf { context } | Kind::OneOfNotValid { context }) = error.kind() else { return None };
    let name = |fault: &ValidationError<'_>| match fault.kind() {
        Kind::Required { property } if fault.instance_path() == error.instance_path() => property.as_str().map(str::to_owned),
        _ => None,
    };
    let form = |faults: &Vec<ValidationError<'_>>| faults.iter().map(name).collect::<Option<Vec<_>>>().map(|names| names.join(" and "));
    let forms: Vec<String> = context.iter().map(form).collect::<Option<_>>()?;
    forms.iter().all(|form| !form.is_empty()).then(|| shortened(&forms.join(", or "), LONGEST_POINTER))
}

fn count(limit: u64, one: &str, many: &str) -> String {
    format!("{limit} {}", if limit == 1 { one } else { many })
}

fn choices(options: &Value) -> String {
    let names = options.as_array().map(|options| options.iter().map(Value::to_string).collect::<Vec<_>>().join(", "));
    short(&names.unwrap_or_default())
}

fn type_words(kind: &TypeKind) -> String {
    let word = |name: &str| match name {
        "array" => "a list".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" => "an integer".to_owned(),
        "object" => "an object".to_owned(),
        "null" => "null".to_owned(),
        other => format!("a {other}"),
    };
    match kind {
        TypeKind::Single(one) => word(&one.to_string()),
        TypeKind::Multiple(many) => many.iter().map(|one| word(&one.to_string())).collect::<Vec<_>>().join(" or "),
    }
}

fn format_words(format: &str) -> String {
    match format {
        "email" | "idn-email" => "an e-mail address".to_owned(),
        "date-time" => "a date and time such as 2025-01-31T09:30:00Z".to_owned(),
        "date" => "a date such as 2025-01-31".to_owned(),
        "time" => "a time such as 09:30:00Z".to_owned(),
        "uri" => "an absolute URI".to_owned(),
        "uuid" => "a UUID".to_owned(),
        "hostname" => "a host name".to_owned(),
        "ipv4" => "an IPv4 address".to_owned(),
        "ipv6" => "an IPv6 address".to_owned(),
        other => format!("of the format {}", short(other)),
    }
}
