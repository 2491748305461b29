//! The receiver and the doubles over real connections, and the vendors' own clients as judges of the doubles.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "whoever runs the tests must see what was left out")]

mod dance;
mod faults;
mod hubspot;
mod judges;
mod pipedrive;
mod prism;
mod receiver;
mod salesforce;
mod stage;

mod zoho;
