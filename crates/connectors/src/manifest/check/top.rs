//! Everything but requests.

use serde_json::{Map, Value};

use super::super::form;
use super::report::Report;
use crate::{About, Allowance, Auth, ObjectAbout, Setting};

/// Most settings, budgets, rules.
const MOST: usize = 50;

pub(super) fn top(content: Map<String, Value>, report: &mut Report) -> Option<form::Top> {
    let top: form::Top = report.typed("", Value::Object(content), super::SECTIONS)?;
    let slug = |text: &str| {
        (2..=63).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    report.expect(slug(&top.id), "id", "has 2 to 63 lower-case letters, digits and hyphens and begins with a letter: acme-crm");
    report.line("name", &top.name, 1, 100);
    report.line("description", &top.description, 0, 500);
    let is_version = top.version.split('.').count() == 3 && top.version.split('.').all(|part| part.parse::<u32>().is_ok());
    report.expect(is_version, "version", "is the connector's own version of three numbers: 1.0.0");
    errors(&top.errors, report);
    Some(top)
}

fn errors(errors: &form::Errors, report: &mut Report) {
    for (name, pointers) in [("code", &errors.code), ("message", &errors.message), ("field", &errors.field)] {
        for (i, pointer) in pointers.iter().enumerate() {
            report.pointer(&format!("errors.{name}[{i}]"), pointer);
        }
    }
    report.expect(errors.rules.len() <= MOST, "errors.rules", format!("has more than {MOST} items"));
    for (i, rule) in errors.rules.iter().enumerate() {
        let place = format!("errors.rules[{i}]");
        let has_condition =
            !rule.status.is_empty() || !rule.code.is_empty() || rule.contains.is_some() || rule.when.is_some() || rule.header.is_some();
        report.expect(has_condition, &place, "says not when it holds: status, code, contains, when or header");
        let fits = rule.status.iter().all(|status| (200..600).contains(status));
        report.expect(fits, format!("{place}.status"), "is an HTTP status from 200 to 599");
        // Without more, each good answer would be one.
        let is_narrow = rule.status.is_empty()
            || rule.status.iter().all(|status| *status >= 300)
            || !rule.code.is_empty()
            || rule.contains.is_some()
            || rule.when.is_some();
        report.expect(is_narrow, format!("{place}.status"), "would make every good answer a fault; add code, contains or when");
        let is_code = rule.code.is_empty() || !errors.code.is_empty();
        report.expect(is_code, format!("{place}.code"), "is compared with what stands at errors.code, which names no place");
        if let Some(when) = &rule.when {
            report.pointer(&format!("{place}.when.pointer"), &when.pointer);
        }
        report.pointer_if(&format!("{place}.id"), rule.id.as_ref());
        use form::Meaning;
        report.expect(rule.id.is_none() || rule.means == Meaning::Duplicate, format!("{place}.id"), "goes with means = \"duplicate\" only");
        let waits = (rule.after_seconds.is_none() && rule.after_header.is_none()) || rule.means == Meaning::RateLimited;
        report.expect(waits, format!("{place}.after_seconds"), "goes with means = \"rate_limited\" only");
        let names = [rule.header.as_ref().map(|header| &header.name), rule.after_header.as_ref()];
        let named = names.into_iter().flatten().all(|name| http::HeaderName::try_from(name.as_str()).is_ok());
        report.expect(named, &place, "names a header that cannot be one");
        let parks = rule.until.is_some() == (rule.means == Meaning::Exhausted);
        report.expect(parks, &place, "means = \"exhausted\" and until go together: until = \"utc_day\", \"hour\" or \"month\"");
    }
}

pub(super) fn settings(value: Option<Value>, report: &mut Report) -> Vec<Setting> {
    let written: Vec<(String, form::Setting)> = report.list("settings", value, MOST);
    report.distinct("settings", written.iter().map(|(place, setting)| (format!("{place}.name"), setting.name.as_str())));
    let one = |(place, setting): (String, form::Setting)| {
        let is_name =
            !setting.name.is_empty() && setting.name.len() <= 63 && setting.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        report.expect(is_name, format!("{place}.name"), "is made of letters, digits and underscores");
        report.expect(setting.name != "baseUrl", format!("{place}.name"), "is one that every integration has");
        let fits = setting.options.is_empty() || setting.default.as_ref().is_none_or(|default| setting.options.contains(default));
        report.expect(fits, format!("{place}.default"), "is none of the options");
        let form::Setting { name, label, description, required, default, options } = setting;
        Setting { label: label.unwrap_or_else(|| name.clone()), name, description, required, default, options }
    };
    written.into_iter().map(one).collect()
}

pub(super) fn budgets(value: Option<Value>, report: &mut Report) -> (Vec<form::Budget>, Vec<Allowance>) {
    let mut budgets = Vec::new();
    let mut allowances = Vec::new();
    for (place, budget) in report.list::<form::Budget>("budgets", value, 2) {
        match (budget.max, budget.seconds) {
            (Some(limit @ 1..), Some(seconds @ 1..)) => allowances.push(Allowance { window: name(budget.window), limit, seconds }),
            (None, None) => {}
            _ => report.add(&place, "max and seconds go together and are at least 1"),
        }
        for (member, header) in
            [("limit_header", &budget.limit_header), ("remaining_header", &budget.remaining_header), ("reset_header", &budget.reset_header)]
        {
            let fits = header.as_ref().is_none_or(|header| http::HeaderName::try_from(header.as_str()).is_ok());
            report.expect(fits, format!("{place}.{member}"), "is no name of a header");
        }
        budgets.push(budget);
    }
    (budgets, allowances)
}

/// The window's name as budgets have it.
pub(in crate::manifest) fn name(window: form::Window) -> &'static str {
    match window {
        form::Window::Burst => "burst",
        form::Window::Daily => "daily",
    }
}

pub(super) fn about(top: &form::Top, objects: Vec<ObjectAbout>, report: &mut Report) -> About {
    let auth = match &top.auth {
        form::Auth::OAuth2 { provider } => Auth::OAuth2 { provider: provider.clone() },
        form::Auth::ApiKey { header, prefix } => {
            auth_header(header, report);
            report.expect(http::HeaderValue::try_from(prefix.as_str()).is_ok(), "auth.prefix", "cannot stand in a header");
            Auth::ApiKey { header: header.clone(), prefix: prefix.clone() }
        }
        form::Auth::Basic => Auth::Basic,
        form::Auth::None => Auth::None,
    };
    About {
        id: top.id.clone(),
        name: top.name.clone(),
        description: top.description.clone(),
        category: top.category,
        auth,
        version: top.version.clone(),
        objects,
    }
}

/// The header that an account signs in by: `Authorization` or one of the vendor's own, none by which the connection or the body is told.
fn auth_header(header: &str, report: &mut Report) {
    let Ok(name) = http::HeaderName::try_from(header) else {
        report.add("auth.header", "is no name of a header");
        return;
    };
    let tells_the_body = ["content-type", "content-encoding", "accept", "accept-encoding", "range"].contains(&name.as_str());
    let allowed = name == http::header::AUTHORIZATION || !(tells_the_body || super::requests::is_ours(&name));
    report.expect(allowed, "auth.header", "is the connection's own: a credential goes in Authorization, or in one like X-Api-Key");
}
