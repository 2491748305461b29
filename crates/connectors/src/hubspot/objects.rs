//! What HubSpot calls its objects.

use crate::{About, Allowance, Auth, Category, ObjectAbout, Setting};

/// Items of one batch.
pub(super) const BATCH: usize = 100;

/// An object of HubSpot's own.
#[derive(Debug)]
pub(super) struct Known {
    /// The plural, as in paths and in syncs.
    pub(super) name: &'static str,
    label: &'static str,
    /// The singular, as in names of events.
    pub(super) singular: &'static str,
    /// The type's id, as in events of `object.*`.
    pub(super) number: &'static str,
    /// A property by which rows can be read and that is refused twice.
    pub(super) unique: Option<&'static str>,
}

/// The objects that are in the catalogue. Others (`tickets`, `2-1234567`) work by their name too.
pub(super) const KNOWN: &[Known] = &[
    Known { name: "contacts", label: "Contacts", singular: "contact", number: "0-1", unique: Some("email") },
    Known { name: "companies", label: "Companies", singular: "company", number: "0-2", unique: None },
    Known { name: "deals", label: "Deals", singular: "deal", number: "0-3", unique: None },
    Known { name: "leads", label: "Leads", singular: "lead", number: "0-136", unique: None },
    Known { name: "tickets", label: "Tickets", singular: "ticket", number: "0-5", unique: None },
];

/// What is known of an object.
pub(super) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|one| one.name == name)
}

/// The property with the time of the last change.
pub(super) fn modified(object: &str) -> &'static str {
    if object == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" }
}

/// The catalogue's entry.
pub(super) fn about() -> About {
    let object = |known: &Known| ObjectAbout {
        name: known.name.to_owned(),
        label: known.label.to_owned(),
        incremental: true,
        delete_feed: true,
        writable: true,
        unique_field: known.unique.map(str::to_owned),
        lag_seconds: 60,
        batch: u32::try_from(BATCH).unwrap_or(1),
    };
    About {
        id: "hubspot".to_owned(),
        name: "HubSpot".to_owned(),
        description: "Contacts, companies, deals, leads and tickets of a HubSpot account, both ways.".to_owned(),
        category: Category::Crm,
        auth: Auth::OAuth2 { provider: "hubspot".to_owned() },
        version: "1.0.0".to_owned(),
        objects: KNOWN.iter().map(object).collect(),
    }
}

/// The members of the configuration, as [`super::settings`] reads them.
pub(super) fn settings() -> Vec<Setting> {
    let one = |name: &str, label: &str, description: &str, default: Option<&str>| Setting {
        name: name.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        required: false,
        default: default.map(str::to_owned),
        options: Vec::new(),
    };
    vec![
        one("apiVersion", "API version", "A dated version such as 2026-03, or v3 for the older paths.", Some("2026-03")),
        one("lookbackSeconds", "Lookback", "How far an incremental run looks back, in seconds, since searches know late.", Some("120")),
        one("timeZone", "Time zone", "The account's time zone, in which the daily limit begins anew: Europe/Berlin.", None),
        one("uniqueProperties", "Unique properties", "Properties that this account keeps unique: companies.vat, deals.number.", None),
    ]
}

/// What an app may ask of one account.
pub(super) const BUDGETS: &[Allowance] =
    &[Allowance { window: "burst", limit: 110, seconds: 10 }, Allowance { window: "daily", limit: 250_000, seconds: 86_400 }];

/// Where calls go.
pub(super) const BASE: &str = "https://api.hubapi.com";
