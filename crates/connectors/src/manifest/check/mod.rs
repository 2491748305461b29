//! From a text to a manifest, or to every fault of the text.

mod objects;
mod report;
mod requests;
mod top;
mod webhook;

use blueprint::{Fault, Faults};
use serde_json::{Map, Value};

use super::model::Model;
use report::Report;
pub(super) use top::name as window;

/// Longest manifest, in bytes.
pub(super) const MAX_TEXT: usize = 256 * 1024;

/// The parts of a manifest.
const SECTIONS: &[&str] = &[
    "id",
    "name",
    "description",
    "category",
    "version",
    "base_url",
    "headers",
    "auth",
    "errors",
    "settings",
    "budgets",
    "test",
    "objects",
    "webhook",
];

pub(super) fn read(text: &str, origin: &str) -> Result<Model, Faults> {
    let faulty = |faults| Faults::of("connector", origin, faults);
    if text.len() > MAX_TEXT {
        return Err(faulty(vec![Fault::new("", format!("the file is larger than {MAX_TEXT} bytes"))]));
    }
    let (content, lines) = blueprint::read_toml(text).map_err(faulty)?;
    let mut report = Report::default();
    let model = model(content, &mut report);
    match model {
        Some(model) if report.faults.is_empty() => Ok(model),
        _ => {
            lines.fill(&mut report.faults);
            Err(faulty(report.faults))
        }
    }
}

fn model(mut content: Map<String, Value>, report: &mut Report) -> Option<Model> {
    for name in content.keys().filter(|name| !SECTIONS.contains(&name.as_str())).cloned().collect::<Vec<_>>() {
        report.unknown(&name, "is not a part of a connector", SECTIONS);
        content.remove(&name);
    }
    let mut take = |name: &str| content.shift_remove(name);
    let (settings, budgets, test) = (take("settings"), take("budgets"), take("test"));
    let (objects, webhook) = (take("objects"), take("webhook"));
    let settings = top::settings(settings, report);
    let (budgets, allowances) = top::budgets(budgets, report);
    let top = top::top(content, report);
    let headers = top.as_ref().map(|top| top.headers.clone()).unwrap_or_default();
    let context = requests::Context { settings: &settings, headers: &headers };
    let test = context.test(test, report);
    let objects = context.objects(objects, top.as_ref().map(|top| &top.errors), report);
    let webhook = webhook::read(webhook, report);
    let top = top?;
    let base_url = context.base_url(top.base_url.as_deref(), report);
    let about = top::about(&top, objects.iter().map(objects::about).collect(), report);
    Some(Model { about, settings, allowances, budgets, base_url, errors: top.errors, test: test?, objects, webhook })
}
