//! One running server, put together: the settings as they hold, every feature built over one store, the routes of all of them, and the
//! explicit lists in which features meet. No rules and no logic of features live here; the command line is the binary's.
//!
//! Start at [`system::System`]: what lives as long as the process is in `system.rs`, what is made of the blueprint, and replaced with it, in
//! `front.rs`.

mod agents;
mod archive;
pub mod authorization;
mod documentation;
mod following;
pub mod front;
pub mod outlook;
pub mod product;
pub mod providers;
pub mod reload;
pub mod settings;
mod subjects;
pub mod system;
mod traced;
