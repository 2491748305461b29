//! The server's side of connections.
//!
//! * [`serve`]: accepts connections, speaks TLS on them where asked to, serves HTTP/1.1 and HTTP/2, and lets them finish at the end.
//! * [`Certificates`]: the server's certificate, read again when its files change.
//! * [`Live`]: the router that is served, replaceable while connections stand.
//! * [`Edge`]: what happens to each request before the router: a host that must be named, the peer's address; where switched on, a trace and a
//!   line in the access log.
//!
//! No tables, no events. Invariants: a certificate that cannot be used never replaces one that can; replacing certificate or router drops no
//! connection; with trace and access log switched off a request passes through untouched.

mod access_log;
mod certificates;
mod edge;
mod host;
mod serve;

pub use access_log::{AccessLog, Target};
pub use certificates::{Certificates, Renewal};
pub use edge::{Edge, Live};
pub use serve::{Door, bind, serve};
