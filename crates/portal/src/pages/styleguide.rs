//! `/admin/styleguide`: every piece of the pages, for whoever changes them; a test photographs it.

use std::time::Duration;

use askama::Template;
use axum::response::Response;
use kernel::Timestamp;

use crate::answer;
use crate::view::{Operator, View};

#[derive(Template)]
#[template(path = "styleguide.html")]
struct Page<'a> {
    v: &'a View,
    grounds: [&'a str; 3],
    inks: [&'a str; 7],
    before: Timestamp,
    no_fault: Option<&'a str>,
    some_fault: Option<&'a str>,
}

pub(crate) async fn show(person: Operator) -> Response {
    let v = &*person.view;
    answer::ok(&Page {
        v,
        grounds: ["paper", "paper-2", "sea-soft"],
        inks: ["ink-2", "ink-3", "sea", "good", "warn", "bad", "idle"],
        before: v.now.minus(Duration::from_hours(3)),
        no_fault: None,
        some_fault: Some(v.t("fault.second_step_failed")),
    })
}
