//! What endpoints answer in place of the envelope.

use super::endpoints::Context;
use super::paths;
use super::report::Report;
use crate::answer::{Answer, Source};
use crate::file::json as json_of;
use crate::model::{Endpoint, Operation};
use crate::{Fault, suggest};

pub(super) fn check(context: &Context<'_>, checked: &mut Endpoint, report: &mut Report) {
    if let Some(status) = context.written.status {
        report.expect((200..=299).contains(&status), context.at("status"), "must be a success: 200 to 299");
        if status == 204 && context.written.answer.is_some() {
            report.add(context.at("status"), "204 has no body, and answer is one");
        }
    }
    let Some(written) = context.written.answer.clone() else { return };
    let at = context.at("answer");
    let template = match json_of(written).map(|value| Answer::parse(&value)) {
        Err(why) => return report.add(at, why),
        Ok(Err((inner, why))) => return report.add(format!("{at}{inner}"), why),
        Ok(Ok(template)) => template,
    };
    if matches!(checked.operation, Operation::Export | Operation::Batch | Operation::Import | Operation::JobBatch) {
        report.add(&at, "does not belong here: what is answered is a stream, or a result for each item");
    }
    let names = paths::placeholders(context.base, &context.written.path).unwrap_or_default();
    for reference in template.references(Source::Path) {
        let name = &reference.path[0];
        if !names.contains(&name.as_str()) {
            let suggestion = suggest::nearest(name, names.iter().copied()).map(|name| format!("$path.{name}"));
            report.faults.push(Fault { suggestion, ..Fault::new(&at, format!("the path has no placeholder {name:?}")) });
        }
    }
    if let Some(manage) = &checked.manage {
        for reference in template.references(Source::Query) {
            let name = &reference.path[0];
            report.known(&at, "query parameter", name, manage.query.iter().map(|query| query.name.as_str()));
        }
    }
    checked.answer = Some(template);
}
