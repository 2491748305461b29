//! How the declared API looks.

use serde_json::Value;

use super::paths;
use super::report::{Report, is_word};
use crate::file::form;
use crate::model::{Envelope, ErrorStyle, Naming, ResetFormat, Style};

pub(super) fn check(style: form::Style, report: &mut Report) -> Style {
    let base_path = style.base_path.unwrap_or_else(|| "/api/v1".to_owned());
    if let Err(why) = paths::base(&base_path) {
        report.add("style.base_path", why);
    }
    let validation_status = style.validation_status.unwrap_or(422);
    report.expect(matches!(validation_status, 400 | 422), "style.validation_status", "must be 422 or 400");
    let mut error_texts = Vec::new();
    for (code, text) in style.error_texts {
        let place = format!("style.error_texts.{code}");
        report.expect(is_word(&code) && !code.contains('-'), &place, "is not an error code; a code is snake_case");
        match text {
            Value::String(text) => {
                report.prose(&place, &text, 1, 1000);
                error_texts.push((code, text));
            }
            _ => report.add(place, "must be a text"),
        }
    }
    Style {
        base_path,
        envelope: match style.envelope {
            form::Envelope::Plain => Envelope::Plain,
            form::Envelope::Success => Envelope::Success,
        },
        errors: match style.errors {
            form::Errors::Problem => ErrorStyle::Problem,
            form::Errors::Success => ErrorStyle::Success,
        },
        validation_status,
        naming: match style.naming {
            form::Naming::Camel => Naming::Camel,
            form::Naming::Snake => Naming::Snake,
        },
        reset: match style.reset {
            form::Reset::UnixSeconds => ResetFormat::UnixSeconds,
            form::Reset::Iso8601 => ResetFormat::Iso8601,
        },
        error_texts,
    }
}
