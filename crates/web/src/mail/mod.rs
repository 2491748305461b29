//! E-mail, by the operator's relay.
//!
//! The relay is named by the operator, not by a tenant: it may be on a private address and need not be vetted. What tenants say are recipients and
//! text, which is written into a message by a library, so that no line of theirs becomes a header or a command.

mod fault;
mod mailer;

pub use fault::MailFault;
pub use mailer::{Mail, Mailer, is_address, is_file_sink};
