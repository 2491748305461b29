//! The listener from outside: real sockets, real TLS.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(clippy::disallowed_methods, reason = "the tests are the clients: they open plain connections")]

mod access_log;
mod bed;
mod draining;
mod host;
mod tls;
