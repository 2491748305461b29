//! What is kept of two sides: the links, the outbox, the hints, the intents, the log. Statements of one table a file.

pub(crate) mod dirty;
pub(crate) mod hints;
pub(crate) mod intents;
pub(crate) mod links;
pub(crate) mod log;

use kernel::{Result, SyncConfigId, TenantId};
use store::{Tx, Value};

/// One tenant's one sync: what every statement here names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Of {
    pub(crate) tenant: TenantId,
    pub(crate) sync: SyncConfigId,
}

impl std::fmt::Display for Of {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.tenant, self.sync)
    }
}

/// So many values are looked up in one statement.
const LOOKED_UP: usize = 64;

/// Runs a statement that ends in `IN` over many values, some at a time; `head` uses ?1 for the tenant and ?2 for the sync.
pub(crate) fn among<T>(
    tx: &mut Tx<'_>,
    of: Of,
    head: &str,
    wanted: impl Iterator<Item = String>,
    mut map: impl FnMut(&store::Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let places: Vec<String> = (3..3 + LOOKED_UP).map(|n| format!("?{n}")).collect();
    let sql = format!("{head} ({})", places.join(", "));
    let wanted: Vec<String> = wanted.collect();
    let mut out = Vec::with_capacity(wanted.len());
    for chunk in wanted.chunks(LOOKED_UP) {
        // The last one again fills the list up: one statement for every length.
        let padding = std::iter::repeat_n(&chunk[chunk.len() - 1], LOOKED_UP - chunk.len());
        let values = chunk.iter().chain(padding).map(Value::from);
        let params: Vec<Value> = [of.tenant.into(), of.sync.into()].into_iter().chain(values).collect();
        out.extend(tx.query(&sql, &params, &mut map)?);
    }
    Ok(out)
}

/// The same for a statement that changes; answers how many rows it changed. A row whose value fills the list up is changed once.
fn change_among(tx: &mut Tx<'_>, of: Of, head: &str, more: &[Value], wanted: impl Iterator<Item = String>) -> Result<u64> {
    let first = 3 + more.len();
    let places: Vec<String> = (first..first + LOOKED_UP).map(|n| format!("?{n}")).collect();
    let sql = format!("{head} ({})", places.join(", "));
    let wanted: Vec<String> = wanted.collect();
    let mut changed = 0;
    for chunk in wanted.chunks(LOOKED_UP) {
        let padding = std::iter::repeat_n(&chunk[chunk.len() - 1], LOOKED_UP - chunk.len());
        let values = chunk.iter().chain(padding).map(Value::from);
        let params: Vec<Value> = [of.tenant.into(), of.sync.into()].into_iter().chain(more.iter().cloned()).chain(values).collect();
        changed += tx.exec(&sql, &params)?;
    }
    Ok(changed)
}

/// Why something waits to be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// A stable code.
    pub(crate) code: String,
    /// For people; bounded.
    pub(crate) message: String,
    /// The field that is meant.
    pub(crate) field: Option<String>,
    /// It may pass by itself.
    pub(crate) passes: bool,
}

/// Longest message that is kept, in characters.
const MAX_MESSAGE: usize = 500;

impl Trouble {
    pub(crate) fn new(code: impl Into<String>, message: impl AsRef<str>) -> Self {
        let message = message.as_ref().chars().filter(|c| *c != '\0').take(MAX_MESSAGE).collect();
        Self { code: code.into(), message, field: None, passes: false }
    }

    pub(crate) fn at(mut self, field: Option<String>) -> Self {
        self.field = field;
        self
    }

    /// Of a refusal by our own records.
    pub(crate) fn of_error(error: &kernel::Error) -> Self {
        let field = error.fields().first().map(|fault| fault.pointer.trim_start_matches('/').to_owned());
        let about = error.fields().iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect::<Vec<_>>().join("; ");
        let message = if about.is_empty() { error.detail().to_owned() } else { format!("{} {about}", error.detail()) };
        Self { passes: error.kind() == kernel::Kind::Unavailable, ..Self::new(error.code(), message).at(field) }
    }

    /// Of a vendor's answer.
    pub(crate) fn of_fault(fault: &connectors::Fault) -> Self {
        use connectors::Fault;
        let (message, field) = match fault {
            Fault::Unauthorized { message }
            | Fault::Forbidden { message }
            | Fault::NotFound { message }
            | Fault::Stale { message }
            | Fault::Unavailable { message }
            | Fault::Lost { message } => (message.clone(), None),
            Fault::RateLimited { .. } => ("The vendor wants fewer calls.".to_owned(), None),
            Fault::Exhausted { until } => (format!("The account has nothing left until {until}."), None),
            Fault::Refused { code, message, field } => (format!("{code}: {message}"), field.clone()),
        };
        Self { passes: fault.passes(), ..Self::new(fault.code(), message).at(field) }
    }

    /// Of a record that the mapping does not let through.
    pub(crate) fn of_mapping(mapped: &mappings::Mapped) -> Option<Self> {
        let first = mapped.problems.first()?;
        let passes = mapped.problems.iter().any(mappings::Problem::passes);
        Some(Self { passes, ..Self::new(format!("mapping_{}", first.rule), &first.message).at(Some(first.field.clone())) })
    }

    /// How long to wait after so many attempts: what passes by itself is tried soon, what somebody must mend rarely.
    pub(crate) fn wait(&self, attempts: i64) -> std::time::Duration {
        use std::time::Duration;
        let (first, most) = if self.passes {
            (Duration::from_secs(15), Duration::from_hours(1))
        } else {
            (Duration::from_mins(10), Duration::from_hours(24))
        };
        let doublings = u32::try_from(attempts.clamp(0, 16)).unwrap_or(16);
        first.saturating_mul(1 << doublings).min(most)
    }
}
