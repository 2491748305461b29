//! What the catalogue says.

use crate::{About, Auth, Category, ObjectAbout, Setting};

/// The standard objects that are offered; any other object can be named too, custom ones as well, and can do the same.
const OBJECTS: [(&str, &str); 7] = [
    ("Lead", "Lead"),
    ("Contact", "Contact"),
    ("Account", "Account"),
    ("Opportunity", "Opportunity"),
    ("Case", "Case"),
    ("Campaign", "Campaign"),
    ("Task", "Task"),
];

/// What the connector is and can.
pub(super) fn about() -> About {
    let object = |(name, label): &(&str, &str)| ObjectAbout {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        incremental: true,
        delete_feed: true,
        writable: true,
        // Only fields of the org's own are kept unique; describe says which.
        unique_field: None,
        // Queries see what was committed. (Its text search does not; it is not used.)
        lag_seconds: 0,
        batch: u32::try_from(super::writes::MAX).unwrap_or(200),
    };
    About {
        id: "salesforce".to_owned(),
        name: "Salesforce".to_owned(),
        description: "Leads, contacts, accounts, opportunities and custom objects of a Salesforce organisation, both ways.".to_owned(),
        category: Category::Crm,
        auth: Auth::OAuth2 { provider: "salesforce".to_owned() },
        version: "1.0.0".to_owned(),
        objects: OBJECTS.iter().map(object).collect(),
    }
}

/// The members of an integration's configuration.
pub(super) fn settings() -> Vec<Setting> {
    let setting = |name: &str, label: &str, description: &str, default: &str, options: &[&str]| Setting {
        name: name.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        required: false,
        default: Some(default.to_owned()).filter(|default| !default.is_empty()),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    vec![
        setting("apiVersion", "API version", "The version of Salesforce's REST API that is spoken.", "v62.0", &[]),
        setting("pageSize", "Page size", "Records of one page, 200 to 2000. Without it Salesforce decides.", "", &[]),
        setting(
            "bulkThreshold",
            "Bulk from",
            "Records from which on a first load is a bulk job; 0: never, also not for writes.",
            "50000",
            &[],
        ),
        setting(
            "overlapSeconds",
            "Look back",
            "How far an incremental read looks back behind its cursor, in seconds, for what Salesforce shows late.",
            "300",
            &[],
        ),
        setting(
            "allowDuplicates",
            "Allow duplicates",
            "Whether a record may be saved although a duplicate rule of the organisation objects.",
            "false",
            &["false", "true"],
        ),
    ]
}
