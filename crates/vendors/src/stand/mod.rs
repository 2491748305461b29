//! What every double stands on: a server, the plan of faults, the log of calls, webhooks out, and the pages under `/_double` by which a
//! person or a script of another language does what people do at the vendor's own site.

mod answer;
mod call;
mod control;
mod handle;
mod log;
mod running;
mod serve;
pub mod text;

use kernel::Ambient;
use serde_json::Value;

use crate::faults::{Fault, Kind, Plan};
use crate::outbox::Outbox;

pub use answer::{Answer, Ending};
pub use call::{Call, Form};
pub use handle::handle;
pub use log::{Entry, Log};
pub use running::Double;

/// The vendor's side of the protocol. Everything is synchronous and in memory: a double can be asked without a connection.
pub trait Vendor: Send + Sync + 'static {
    /// The vendor's name, as on the command line.
    fn name(&self) -> &'static str;

    /// The shared part.
    fn stand(&self) -> &Stand;

    /// Answers a call that no fault has taken.
    fn answer(&self, call: &Call) -> Answer;

    /// The vendor's form of a fault: how it says 401, 429 and so on.
    fn refuse(&self, call: &Call, kind: &Kind) -> Answer;

    /// What a person does at the vendor's site, for the control pages: `edit`, `delete`, `merge` and so on.
    ///
    /// Errors: what is wrong with it, for people.
    fn act(&self, act: &str, arguments: &Value) -> Result<Value, String>;
}

/// The part that all doubles share.
#[derive(Debug)]
pub struct Stand {
    /// Clock and chance.
    pub ambient: Ambient,
    /// What goes wrong, and when.
    pub faults: Plan,
    /// What was asked and how it was answered.
    pub log: Log,
    /// Webhooks on their way.
    pub outbox: Outbox,
}

impl Stand {
    /// With a clock, and faults from the start.
    pub fn new(ambient: Ambient, faults: Vec<Fault>) -> Self {
        let plan = Plan::default();
        faults.into_iter().for_each(|fault| plan.add(fault));
        Self { outbox: Outbox::new(ambient.clone(), plan.clone()), faults: plan, log: Log::default(), ambient }
    }

    /// Now, in milliseconds.
    pub fn now(&self) -> i64 {
        self.ambient.now().millis()
    }

    /// `N` random bytes in hexadecimal digits after a prefix.
    pub fn token<const N: usize>(&self, prefix: &str) -> String {
        format!("{prefix}{}", text::hex(&self.ambient.bytes::<N>()))
    }
}
