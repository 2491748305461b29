//! The trait and the data that pass through it.

mod about;
mod connector;
mod fault;
mod page;
mod record;
mod schema;
mod session;
mod webhook;
mod write;

pub use about::{About, Allowance, Auth, Category, ObjectAbout, Setting};
pub use connector::{Connector, Step};
pub use fault::Fault;
pub use page::{DeletedPage, Deletion, Page, PageAsk, Span};
pub use record::RemoteRecord;
pub use schema::{FieldAbout, FieldKind, ObjectSchema};
pub use session::{Body, BudgetNews, Call, Carrier, Renewal, Reply, Session, Target};
pub use webhook::{Hint, HintKind, InboundCall, Verified, WebhookPlan};
pub use write::{Outcome, Write, WriteAct};
