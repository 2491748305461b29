//! Zoho's modules in the catalogue.

use crate::{About, Allowance, Auth, Category, ObjectAbout};

/// Items of one write, and ids of one read.
pub(super) const BATCH: usize = 100;

/// Name, label, the field by which an upsert finds a record.
const KNOWN: &[(&str, &str, Option<&str>)] = &[
    ("Leads", "Leads", Some("Email")),
    ("Contacts", "Contacts", Some("Email")),
    ("Accounts", "Accounts", Some("Account_Name")),
    ("Deals", "Deals", None),
];

/// What an account may ask for on the smallest edition; others tell it with each answer.
pub(super) const BUDGETS: &[Allowance] = &[Allowance { window: "daily", limit: 5000, seconds: 86_400 }];

/// The catalogue's entry.
pub(super) fn about() -> About {
    let object = |(name, label, unique): &(&str, &str, Option<&str>)| ObjectAbout {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        incremental: true,
        delete_feed: true,
        writable: true,
        unique_field: unique.map(str::to_owned),
        lag_seconds: 60,
        batch: u32::try_from(BATCH).unwrap_or(1),
    };
    About {
        id: "zoho".to_owned(),
        name: "Zoho CRM".to_owned(),
        description: "Leads, contacts, accounts and deals of a Zoho CRM organisation in any data centre, both ways.".to_owned(),
        category: Category::Crm,
        auth: Auth::OAuth2 { provider: "zoho".to_owned() },
        version: "1.0.0".to_owned(),
        objects: KNOWN.iter().map(object).collect(),
    }
}
