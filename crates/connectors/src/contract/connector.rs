//! The trait.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{
    About, Allowance, DeletedPage, Fault, InboundCall, ObjectSchema, Outcome, Page, PageAsk, RemoteRecord, Session, Setting, Verified,
    WebhookPlan, Write,
};

/// What an operation comes to.
pub type Step<'a, T> = BoxFuture<'a, Result<T, Fault>>;

/// What knows a vendor.
pub trait Connector: Send + Sync + 'static {
    /// What it is and can.
    fn about(&self) -> &About;

    /// The members of an integration's configuration, for forms and for checking.
    fn settings(&self) -> &[Setting] {
        &[]
    }

    /// Whether a configuration is one that calls can be made with, beyond what the settings say. Error: [`Fault::Refused`], naming the setting.
    fn check(&self, config: &Map<String, Value>) -> Result<(), Fault> {
        let _ = config;
        Ok(())
    }

    /// Where calls go when neither the token (`instance_url`, `api_domain`) nor the configuration (`baseUrl`) says so: an absolute URL without
    /// a slash at the end.
    fn base_url(&self, config: &Map<String, Value>) -> Option<String> {
        let _ = config;
        None
    }

    /// What an account may ask for, as far as it is known before the vendor says it.
    fn budgets(&self) -> &[Allowance] {
        &[]
    }

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

    /// [`Connector::find`] for several values at once: the records that have one of them, in any order. At most 100 values; where the vendor can be
    /// asked for many in one call, it is, else one after the other.
    fn find_any<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        field: &'a str,
        values: &'a [Value],
        fields: &'a [String],
    ) -> Step<'a, Vec<RemoteRecord>> {
        Box::pin(async move {
            let mut found = Vec::new();
            for value in values {
                found.append(&mut self.find(session, object, field, value, fields).await?);
            }
            Ok(found)
        })
    }

    /// Whether [`super::WriteAct::Create`] may name this field as the unique one: also a field of the account's own, of which the catalogue does
    /// not know.
    fn makes_once(&self, object: &str, field: &str) -> bool {
        let mut objects = self.about().objects.iter();
        objects.any(|about| about.name.eq_ignore_ascii_case(object) && about.unique_field.as_deref() == Some(field))
    }

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
    /// the vendor lets us choose. `None`, as here: the vendor cannot be asked (its webhooks belong to the app, or there are none).
    fn watch<'a>(
        &'a self,
        session: &'a Session,
        object: &'a str,
        url: &'a str,
        secret: &'a kernel::Secret<String>,
        existing: Option<&'a str>,
    ) -> Step<'a, Option<WebhookPlan>> {
        let _ = (session, object, url, secret, existing);
        Box::pin(async { Ok(None) })
    }

    /// Ends what [`Connector::watch`] set up. Something that is not there is ended.
    fn unwatch<'a>(&'a self, session: &'a Session, object: &'a str, id: &'a str) -> Step<'a, ()> {
        let _ = (session, object, id);
        Box::pin(async { Ok(()) })
    }

    /// Verifies a vendor's call on its raw bytes and reads it. `None`: it is not the vendor's.
    fn webhook(&self, call: InboundCall<'_>) -> Option<Verified>;
}
