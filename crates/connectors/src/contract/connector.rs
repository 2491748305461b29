//! The trait.

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{
    About, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Verified, WebhookPlan, Write,
};

/// What an operation comes to.
pub type Step<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// What knows a vendor.
pub trait Connector: Send + Sync + 'static {
    /// What it is and can.
    fn about(&self) -> &About;

    /// One harmless call that proves that the account can be used; answers who we are there, for people.
    fn test<'a>(&'a self, session: &'a Session) -> Step<'a, String>;

    /// An object's fields as they are today.
    fn describe<'a>(&'a self, session: &'a Session, object: &'a str) -> Step<'a, ObjectSchema>;

    /// A part of the records.
    ///
    /// Errors: [`Fault::Stale`] when the span's cursor is too old.
    fn page<'a>(&'a self, session: &'a Session, ask: PageAsk<'a>) -> Step<'a, Page>;

    /// The records with these ids, in any order; those that are not there are absent. One that was merged says where it went. Never through
    /// an index that lags. At most 100 ids.
    fn get<'a>(&'a self, session: &'a Session, object: &'a str, ids: &'a [String], fields: &'a [String]) -> Step<'a, Vec<RemoteRecord>>;

    /// The records with this value in this field; at most 10. May go through an index that lags ([`super::ObjectAbout::lag_seconds`]),
    /// except for the object's unique field where the vendor can be asked by it.
    fn find<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        value: &'a Value,
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>>;

    /// Writes; answers one outcome per item, in order. At most the object's `batch`. An error is one that concerns all and means that nothing
    /// was done; what may have been done is [`Outcome::Unknown`] per item.
    fn write<'a>(&'a self, session: &'a Session, object: &'a str, writes: &'a [Write]) -> Step<'a, Vec<Outcome>>;

    /// What was deleted since the cursor of an earlier page; `None` as cursor: from now on (the page then has a cursor and no deletions).
    ///
    /// Errors: [`Fault::Stale`] when the feed does not reach back so far: only a complete scan can tell.
    fn deleted<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        cursor: Option<&'a str>,
        token: Option<&'a str>,
    ) -> Step<'a, DeletedPage>;

    /// Asks the vendor to call `url` about an object's changes, or to go on doing so for `existing`; `secret` is what proves the calls where
    /// the vendor lets us choose. `None`: the vendor cannot be asked (its webhooks belong to the app, or there are none).
    fn watch<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        url: &'a str,
        secret: &'a kernel::Secret<String>,
        existing: Option<&'a str>,
    ) -> Step<'a, Option<WebhookPlan>>;

    /// Ends what [`Connector::watch`] set up. Something that is not there is ended.
    fn unwatch<'a>(&'a self, session: &'a Session, object: &'a str, id: &'a str) -> Step<'a, ()>;

    /// Verifies a vendor's call on its raw bytes and reads it. `None`: it is not the vendor's.
    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified>;
}
