//! A call's way through a double: the log, the faults, the vendor.

use super::{Answer, Call, Ending, Entry, Vendor, control, text};
use crate::faults::Kind;

/// Answers a call, faults included. This is all that the server does with it; a simulation may call it by itself.
pub fn handle<V: Vendor + ?Sized>(vendor: &V, call: Call) -> Answer {
    if call.segments.first().is_some_and(|first| first == control::ROOT) {
        return control::answer(vendor, &call);
    }
    let (at, method, target) = (vendor.stand().now(), call.method.to_string(), call.target.clone());
    // Vendors' clocks are in their answers (RFC 9110 §6.6.1); the server would name the machine's, which is not always the double's.
    let answer = played(vendor, call).with("date", &text::http_date(at));
    vendor.stand().log.add(Entry { at, method, target, status: answer.status.as_u16() });
    answer
}

fn played<V: Vendor + ?Sized>(vendor: &V, mut call: Call) -> Answer {
    let kinds = vendor.stand().faults.hit(&call);
    if let Some(refusal) = kinds.iter().find_map(|kind| refused(vendor, &call, kind)) {
        return refusal;
    }
    call.faults = kinds;
    let mut answer = vendor.answer(&call);
    for kind in &call.faults {
        match kind {
            Kind::Slow(by) => answer.delay += *by,
            Kind::LostAnswer => answer.ending = Ending::Never,
            Kind::CutBody => answer.ending = Ending::Half,
            _ => {}
        }
    }
    answer
}

/// The answer of a fault that keeps the call from the vendor.
fn refused<V: Vendor + ?Sized>(vendor: &V, call: &Call, kind: &Kind) -> Option<Answer> {
    const PAGE: &str =
        "<!DOCTYPE html><html><head><title>Down for maintenance</title></head><body><h1>We'll be right back</h1></body></html>";
    match kind {
        Kind::LostRequest => Some(Answer { ending: Ending::Never, ..Answer::empty(503) }),
        Kind::Html(status) => Some(Answer::raw(*status, "text/html; charset=utf-8", PAGE)),
        Kind::RateLimit(_) | Kind::Unauthorized | Kind::Forbidden | Kind::ScopeRemoved | Kind::ServerError(_) | Kind::ErrorInside => {
            Some(vendor.refuse(call, kind))
        }
        _ => None,
    }
}
