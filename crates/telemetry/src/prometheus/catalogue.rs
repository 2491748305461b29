//! Every metric there is. A test compares this list with the code and with docs/metrics.md.

use metrics::{describe_counter, describe_gauge, describe_histogram};

/// How a metric counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Only goes up.
    Counter,
    /// Goes up and down.
    Gauge,
    /// A distribution in buckets.
    Histogram,
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// How it counts.
    pub form: Form,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// One line about it.
    pub help: &'static str,
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, form: Form::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, form: Form::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Metric {
    Metric { name, form: Form::Histogram, labels, help }
}

/// See the module. In the order of the documentation.
pub const CATALOGUE: &[Metric] = &[
    // The gate.
    counter("tradewind_requests_total", &["status"], "Requests that passed the gate, by class of their status (2xx …)"),
    histogram(
        "tradewind_gate_seconds",
        &["phase"],
        "Time of a request by phase: whole (every request), authenticate, limit, operation (one in sixteen)",
    ),
    counter("tradewind_credential_cache_total", &["outcome"], "Credentials looked up: hit (in memory) or miss (one indexed read)"),
    counter("tradewind_rate_limited", &["policy"], "Requests refused by a rate limit"),
    counter("tradewind_authentication_held_up", &[], "Requests refused because too many credentials of their address failed"),
    gauge("tradewind_limits_redis_up", &[], "1 while Redis answers; 0: each node limits alone"),
    counter("tradewind_limits_redis_calls", &[], "Questions to Redis"),
    counter("tradewind_deprecated_requests_total", &["endpoint"], "Requests to endpoints that are deprecated"),
    counter("tradewind_maintenance_refusals_total", &[], "Requests refused while maintenance was switched on"),
    counter("tradewind_oauth_replays_total", &["what"], "Codes and refresh tokens that were shown twice; what came of them was ended"),
    counter("tradewind_usage_write_failures", &[], "Groups of request log rows that could not be written"),
    // Jobs.
    gauge("tradewind_jobs_pending", &["type"], "Jobs that could begin now and have not, over all nodes; counted to 100,000"),
    gauge("tradewind_jobs_oldest_seconds", &["type"], "How long the next job of the type has been waiting; 0 where there is none"),
    gauge("tradewind_jobs_running", &["type"], "Jobs under way, over all nodes"),
    counter("tradewind_jobs_started_total", &["type"], "Jobs that were queued"),
    counter("tradewind_jobs_ended_total", &["type", "status"], "Jobs that ended: completed, failed or cancelled"),
    counter("tradewind_job_retries_total", &["type"], "Attempts that failed and are tried again"),
    counter("tradewind_job_leases_lost_total", &["type"], "Leases that ran out: workers that fell silent"),
    histogram("tradewind_job_seconds", &["type"], "From a job's first attempt to its end"),
    // Deliveries.
    gauge("tradewind_queue_pending", &[], "Deliveries that are pending, in the queue or on slips, over all nodes; counted to 100,000"),
    gauge("tradewind_queue_oldest_seconds", &[], "Age of the oldest delivery that is pending, over all nodes; 0 where there is none"),
    gauge("tradewind_dispatch_deliveries", &["state"], "Deliveries in this node's memory"),
    gauge("tradewind_dispatch_lanes", &[], "Destinations in this node's memory"),
    gauge("tradewind_dispatch_breakers_open", &[], "Destinations whose circuit breaker is open"),
    counter("tradewind_delivery_attempts_total", &["outcome"], "Attempts to deliver"),
    histogram("tradewind_delivery_attempt_seconds", &[], "Time of an attempt"),
    counter("tradewind_delivery_outcomes_refused_total", &[], "Outcomes that another node had taken over"),
    counter("tradewind_attempt_log_lost_total", &[], "Attempts that could not be logged"),
    // Events.
    counter("tradewind_events_schema_warnings_total", &["type"], "Events accepted although they break their schema"),
    counter("tradewind_events_quarantined_total", &["type"], "Events kept apart because they break their schema"),
    counter("tradewind_inbound_calls", &["provider", "outcome"], "Calls to sources"),
    // Upstreams and alerts.
    counter("tradewind_upstream_faults", &["upstream", "fault"], "Calls to upstreams that failed, by kind"),
    counter("tradewind_upstream_retries", &["upstream"], "Calls to upstreams that were repeated"),
    counter("tradewind_upstream_ejections", &["upstream"], "Targets of upstreams that were taken out for a while"),
    gauge("tradewind_alerts_open", &["severity"], "Open alerts, where this node is the one that looks"),
    counter("tradewind_signals_dropped", &[], "Counts of failures that found no room in memory"),
    // Retention.
    counter("tradewind_retention_export_failures_total", &[], "Exports that failed"),
    counter("tradewind_retention_rows_total", &["what"], "Rows that retention removed"),
    counter("tradewind_retention_days_dropped_total", &[], "Days that retention dropped as a whole"),
    gauge("tradewind_retention_days_blocked", &[], "Days that cannot be dropped yet"),
    // Store.
    histogram("tradewind_store_group_size", &[], "Functions in one commit"),
    histogram("tradewind_store_commit_seconds", &[], "Time of a commit"),
    // Connections.
    gauge("tradewind_connections", &[], "Open connections of clients"),
    counter("tradewind_tls_handshake_failures_total", &["reason"], "TLS handshakes that failed"),
    gauge("tradewind_tls_certificate_expires_seconds", &[], "When the server's certificate expires, in Unix seconds"),
    counter("tradewind_access_log_lost_total", &[], "Lines that the access log could not take"),
    counter("tradewind_otlp_export_failures_total", &[], "Exports of traces or logs that failed"),
    // Installation.
    gauge("tradewind_maintenance", &[], "1 while maintenance is switched on"),
    counter("tradewind_reloads_total", &["outcome"], "Reloads of the blueprint: applied, unchanged, refused"),
    gauge("tradewind_build_info", &["version", "blueprint"], "1; which version and blueprint run"),
    gauge("tradewind_disk_free_bytes", &[], "Free space where the data directory is"),
    // The process.
    gauge("process_resident_memory_bytes", &[], "Memory in use"),
    gauge("process_virtual_memory_bytes", &[], "Address space"),
    counter("process_cpu_seconds_total", &[], "Processor time, user and system"),
    gauge("process_threads", &[], "Threads"),
    gauge("process_open_fds", &[], "Open files and sockets"),
];

/// The line about a metric. Empty if there is no such metric, which a test finds.
pub fn help(name: &str) -> &'static str {
    CATALOGUE.iter().find(|metric| metric.name == name).map_or("", |metric| metric.help)
}

/// Tells the recorder.
pub(super) fn describe() {
    for metric in CATALOGUE {
        match metric.form {
            Form::Counter => describe_counter!(metric.name, metric.help),
            Form::Gauge => describe_gauge!(metric.name, metric.help),
            Form::Histogram => describe_histogram!(metric.name, metric.help),
        }
    }
}
