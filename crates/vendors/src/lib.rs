//! Stateful doubles of the vendors that connectors talk to, and the receiver of the demo. A development crate: `tradewind` uses it only
//! under its default feature `demo`.
//!
//! * [`receiver`]: what a partner's webhook endpoint should look like: it verifies before it believes.
//! * [`salesforce`], [`hubspot`], [`pipedrive`], [`zoho`]: a vendor each. Its page says what it does and what not. They are judged by
//!   the vendors' own clients (`tests/it`): jsforce, simple-salesforce, HubSpot's for JavaScript and Python, Pipedrive's, Zoho's SDK;
//!   Pipedrive's also by Prism over its OpenAPI description. What was not looked up or run against a client is marked as doubtful below.
//! * [`acme`]: a CRM that does not exist, for the guide to connectors.
//! * What they share: [`stand`] (server, log of calls, control pages), [`faults`], [`oauth`], [`tables`], [`outbox`] (webhooks) and
//!   [`limits`].
//!
//! ```no_run
//! # async fn run() -> std::io::Result<()> {
//! use vendors::faults::Fault;
//! use vendors::hubspot::{HubSpot, Options};
//! use vendors::stand::{Double, Vendor as _};
//!
//! let double = Double::start(HubSpot::new(Options::new())).await?; // a free port of 127.0.0.1; it stops when dropped
//! let token = double.issue().access_token; // or go through the code flow at double.url()
//! double.stand().faults.add(Fault::parse("rate-limit,path=/search,after=2,times=1").expect("it is one"));
//! double.add("contacts", &serde_json::json!({"email": "ann@example.com"})).expect("a person may"); // by hand, not by API
//! assert_eq!(double.rows("contacts").len(), 1);
//! # drop(token); Ok(()) }
//! ```
//!
//! By hand: `cargo run -p vendors -- hubspot --rows 1000 --fault html,times=1` (`--help` has the faults). Without a connection, as a
//! simulation wants it: [`stand::handle`] answers a [`stand::Call`], and [`outbox::Outbox::take`] gives what would have been sent. The
//! time is [`kernel::Ambient`]'s throughout, so a test that moves its clock moves tokens' lives, limits, lags and feeds; only the pauses
//! between two tries of a webhook and [`faults::Kind::Slow`] are real.
//!
//! Invariants: a double listens on loopback only, keeps a bounded log and queue, and never talks to anything outside the machine. A call
//! that failed has changed nothing and told nobody, except where the vendor does so row by row. The rows themselves are kept in memory
//! without a bound.
//!
//! Doubtful, because neither a client nor a description speaks of it: the status of a Zoho call whose rows all failed (202 here) and the
//! code of a lost optimistic lock (`ALREADY_MODIFIED`); which fields of one row HubSpot takes over in a merge; the text of most messages.

#![allow(clippy::result_large_err, reason = "an error is an answer here; doubles refuse rarely and are not measured by it")]
#![allow(clippy::type_complexity, reason = "pairs of results and errors have no life of their own")]

pub mod acme;
pub mod faults;
pub mod hubspot;
pub mod limits;
pub mod oauth;
pub mod outbox;
pub mod pipedrive;
pub mod receiver;
pub mod salesforce;
mod soql;
pub mod stand;
pub mod tables;
pub mod zoho;
