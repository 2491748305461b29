//! Links by which a host signs its own people into the portal.

mod create;

pub use create::{CreatePortalSession, PortalSessionUrl};

pub(crate) use create::handle as create;
