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
use serde_json::{Value, json};

use crate::faults::{Fault, Kind, Plan};
use crate::oauth::{Grants, Issued};
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

    /// Runs `work` on what was granted.
    fn with_grants(&self, work: &mut dyn FnMut(&mut Grants));

    /// Tokens without the dance.
    fn issue(&self) -> Issued {
        let mut issued = None;
        self.with_grants(&mut |grants| issued = Some(grants.issue(&self.stand().ambient)));
        issued.expect("the work was run")
    }

    /// The user ends what was allowed: the app is uninstalled.
    fn withdraw(&self) {
        self.with_grants(&mut |grants| {
            grants.withdraw(grants.user);
        });
    }

    /// Every access token is dead, refresh tokens are not.
    fn expire_tokens(&self) {
        self.with_grants(&mut Grants::expire_all);
    }

    /// The next user says no.
    fn deny_next(&self) {
        self.with_grants(&mut |grants| grants.deny = true);
    }

    /// How many grants are alive.
    fn grants(&self) -> usize {
        let mut alive = 0;
        self.with_grants(&mut |grants| alive = grants.alive().count());
        alive
    }

    /// What a person does at this vendor's site and not at the others': `edit`, `delete`, `merge` and so on.
    ///
    /// Errors: what is wrong with it, for people.
    fn own_act(&self, act: &str, arguments: &Value) -> Result<Value, String>;

    /// What a person does at the vendor's site, for the control pages.
    ///
    /// Errors: what is wrong with it, for people.
    fn act(&self, act: &str, arguments: &Value) -> Result<Value, String> {
        match act {
            "token" => {
                let issued = self.issue();
                return Ok(json!({"access_token": issued.access_token, "refresh_token": issued.refresh_token}));
            }
            "expire" => self.expire_tokens(),
            "deny" => self.deny_next(),
            "withdraw" => self.withdraw(),
            _ => return self.own_act(act, arguments),
        }
        Ok(json!({}))
    }
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
