//! Asking targets whether they are well, and closing connections that lie idle.

use std::sync::{Arc, Weak};
use std::time::Duration;

use blueprint::model::UpstreamHealth;
use http::{HeaderValue, Request, header};
use tokio::time::Instant;
use web::Tally;
use web::outbound::backend::{Holder, Outgoing, Pace};

use super::{Target, Upstream};

/// How often idle connections are looked at where no health is asked for.
const SWEEP: Duration = Duration::from_secs(10);

/// Begins the work beside the calls. It ends with the upstream.
pub(crate) fn watch(upstream: &Arc<Upstream>) {
    let task = tokio::spawn(run(Arc::downgrade(upstream)));
    upstream.set_watch(task.abort_handle());
}

async fn run(weak: Weak<Upstream>) {
    let mut streaks: Vec<i64> = Vec::new();
    loop {
        let Some(upstream) = weak.upgrade() else { return };
        streaks.resize(upstream.targets.len(), 0);
        let mut pause = SWEEP;
        if let Some(health) = &upstream.settings.health {
            for (target, streak) in upstream.targets.iter().zip(&mut streaks) {
                let well = is_well(&upstream, target, health).await;
                judge(&upstream, target, health, well, streak);
            }
            pause = Duration::from_millis(health.interval_ms);
        }
        for target in &upstream.targets {
            target.backend.sweep();
        }
        drop(upstream);
        tokio::time::sleep(pause).await;
    }
}

/// Counts good answers upwards from 0 and bad ones downwards.
fn judge(upstream: &Upstream, target: &Target, health: &UpstreamHealth, well: bool, streak: &mut i64) {
    *streak = if well { (*streak).max(0) + 1 } else { (*streak).min(0) - 1 };
    let (up, down) = (i64::from(health.healthy_after), -i64::from(health.unhealthy_after));
    let news = if *streak == up {
        target.set_down(false)
    } else if *streak == down {
        target.set_down(true)
    } else {
        false
    };
    if news {
        let shown = target.backend.address().shown();
        if well {
            tracing::info!(upstream = %upstream.name, target = shown, "a target is well again");
        } else {
            tracing::warn!(upstream = %upstream.name, target = shown, "a target is not well and gets no calls");
        }
    }
}

/// Whether a GET is answered 200 to 399 in time.
async fn is_well(upstream: &Upstream, target: &Target, health: &UpstreamHealth) -> bool {
    let limit = Duration::from_millis(health.timeout_ms);
    let pace = Pace { first_byte: limit, idle: limit, until: Some(Instant::now() + limit) };
    let mut request = Request::new(Outgoing::empty());
    let address = target.backend.address();
    let Ok(uri) = format!("{}{}", address.path(), health.path).parse() else { return false };
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(header::HOST, address.host_header().clone());
    headers.insert(header::USER_AGENT, HeaderValue::from_static("tradewind-health"));
    headers.extend(upstream.settings.headers.iter().cloned());
    match tokio::time::timeout(limit, target.backend.send(request, Holder::default(), &pace, Tally::new())).await {
        Ok(Ok(answer)) => answer.status().is_success() || answer.status().is_redirection(),
        _ => false,
    }
}
