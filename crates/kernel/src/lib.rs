//! The shared vocabulary of Tradewind. No I/O happens here.
//!
//! * [`id`]: typed identifiers (TypeID over UUIDv7), [`EventId`] which hosts may choose, [`IdRef`] for `ext:` references.
//! * [`time`], [`chance`]: the clock and the random source as values, so that tests and the simulator own them. [`Ambient`] carries both.
//! * [`caller`]: who is asking ([`Caller`]), and the scope that only an allowed caller obtains ([`TenantScope`], [`OperatorScope`]).
//! * [`permission`]: what may be asked for.
//! * [`error`]: one error type with a stable code and a text for people.
//! * [`histogram`]: durations in buckets that add up.
//! * [`page`]: limits and keyset cursors of lists.
//! * [`event`]: the event as every crate sees it.
//! * [`secret`]: values that cannot be printed.
//! * [`text`]: bounds on text that comes from outside.
//!
//! Invariant: nothing in this crate knows a database, HTTP or a file.

pub mod caller;
pub mod chance;
pub mod error;
pub mod event;
pub mod histogram;
pub mod id;
pub mod page;
pub mod permission;
pub mod secret;
pub mod text;
pub mod time;

pub use caller::{Actor, Authority, Caller, Credential, OperatorScope, RequestInfo, RequestSlot, Scope, TenantScope};
pub use chance::{Ambient, Entropy};
pub use error::{Error, FieldError, Kind, Result};
pub use event::{Event, EventType};
pub use histogram::Histogram;
pub use id::{
    AlertId, AttemptId, AuditId, CallId, ClientId, ConflictId, ConsentId, DeliveryId, DestinationId, EventId, ExpungeId, GrantId, IdRef,
    IntegrationId, InvitationId, JobId, JobScheduleId, KeyId, NodeId, OauthConnectionId, OauthTokenId, PasskeyId, RecordId, ReplayId,
    RequestId, RestEndpointId, ServiceKeyId, SessionId, SourceId, SyncConfigId, SyncRunId, TenantId, UserId,
};
pub use page::{Cursor, Page, PageRequest, Pagination};
pub use permission::{Permission, PermissionSet};
pub use secret::Secret;
pub use time::{Clock, Timestamp};
