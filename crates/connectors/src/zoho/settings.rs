//! What an integration's configuration says to this connector.
//!
//! | setting | default | what |
//! |---|---|---|
//! | `dataCentre` | `us` | where calls go while no token says so (`api_domain`): `us eu in au cn jp ca sa uk` |
//! | `apiVersion` | `v8` | the API's version |
//! | `overlapSeconds` | 60 | how far an incremental run reads back behind the one before; 0 to 86,400 |
//! | `runWorkflows` | `false` | whether what is written here starts the account's workflows there |

use std::time::Duration;

use serde_json::{Map, Value};

use crate::driver;
use crate::{Fault, Session, Setting, Target};

/// Data centres and where their API is.
const CENTRES: &[(&str, &str)] = &[
    ("us", "https://www.zohoapis.com"),
    ("eu", "https://www.zohoapis.eu"),
    ("in", "https://www.zohoapis.in"),
    ("au", "https://www.zohoapis.com.au"),
    ("cn", "https://www.zohoapis.com.cn"),
    ("jp", "https://www.zohoapis.jp"),
    ("ca", "https://www.zohoapis.ca"),
    ("sa", "https://www.zohoapis.sa"),
    ("uk", "https://www.zohoapis.uk"),
];
const VERSION: &str = "v8";
const OVERLAP: u64 = 60;

/// The API's address in the data centre that the configuration names. A token's `api_domain` goes before it.
pub(super) fn base_url(config: &Map<String, Value>) -> Option<String> {
    let centre = config.get("dataCentre").and_then(Value::as_str).unwrap_or("us");
    CENTRES.iter().find(|(name, _)| *name == centre).map(|(_, url)| (*url).to_owned())
}

/// The members, for forms.
pub(super) fn all() -> Vec<Setting> {
    let one = |name: &str, label: &str, description: &str, default: &str, options: &[&str]| Setting {
        name: name.to_owned(),
        label: label.to_owned(),
        description: description.to_owned(),
        required: false,
        default: Some(default.to_owned()),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
    };
    let centres: Vec<_> = CENTRES.iter().map(|(name, _)| *name).collect();
    vec![
        one("dataCentre", "Data centre", "Where the account lives, until it is connected and says so itself.", "us", &centres),
        one("apiVersion", "API version", "The version of Zoho's API.", VERSION, &[]),
        one("overlapSeconds", "Overlap", "How far an incremental run reads back, in seconds.", "60", &[]),
        one("runWorkflows", "Run workflows", "Whether what is written starts the account's workflows.", "false", &["true", "false"]),
    ]
}

/// The settings of one session.
#[derive(Debug)]
pub(super) struct Settings<'s> {
    version: &'s str,
    pub(super) overlap: Duration,
    pub(super) runs_workflows: bool,
}

impl<'s> Settings<'s> {
    /// Reads them. Errors: [`Fault::Refused`] with the setting as its field.
    pub(super) fn of(session: &'s Session) -> Result<Self, Fault> {
        Self::read(&session.config)
    }

    pub(super) fn read(config: &'s Map<String, Value>) -> Result<Self, Fault> {
        let version = match config.get("apiVersion") {
            None | Some(Value::Null) => VERSION,
            Some(value) => {
                let dated = |text: &&str| {
                    text.len() > 1 && text.strip_prefix('v').is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
                };
                value.as_str().filter(dated).ok_or_else(|| Fault::wrong_setting("apiVersion", "is a version such as `v8`"))?
            }
        };
        let overlap = match config.get("overlapSeconds") {
            None | Some(Value::Null) => OVERLAP,
            Some(value) => {
                let seconds = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok());
                seconds
                    .filter(|seconds| *seconds <= 86_400)
                    .ok_or_else(|| Fault::wrong_setting("overlapSeconds", "is a number from 0 to 86,400"))?
            }
        };
        let runs_workflows = match config.get("runWorkflows") {
            None | Some(Value::Null) => false,
            Some(value) if value == true || value == "true" => true,
            Some(value) if value == false || value == "false" => false,
            Some(_) => return Err(Fault::wrong_setting("runWorkflows", "is `true` or `false`")),
        };
        Ok(Self { version, overlap: Duration::from_secs(overlap), runs_workflows })
    }

    /// `/crm/v8/Leads/…`
    pub(super) fn path(&self, parts: &[&str]) -> Result<Target, Fault> {
        driver::path(&[["crm", self.version].as_slice(), parts].concat())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_data_centre_has_its_address() {
        let base = |config: Value| base_url(config.as_object().unwrap());
        assert_eq!(base(json!({})).as_deref(), Some("https://www.zohoapis.com"));
        assert_eq!(base(json!({"dataCentre": "au"})).as_deref(), Some("https://www.zohoapis.com.au"));
        assert_eq!(base(json!({"dataCentre": "moon"})), None);
    }

    #[test]
    fn a_wrong_setting_is_named() {
        for (config, name) in [
            (json!({"apiVersion": "8"}), "apiVersion"),
            (json!({"apiVersion": "v"}), "apiVersion"),
            (json!({"overlapSeconds": "soon"}), "overlapSeconds"),
            (json!({"runWorkflows": 1}), "runWorkflows"),
        ] {
            let fault = Settings::read(config.as_object().unwrap()).unwrap_err();
            assert!(matches!(&fault, Fault::Refused { field: Some(field), .. } if field == name), "{fault:?}");
        }
        let config = json!({"apiVersion": "v7", "overlapSeconds": "5", "runWorkflows": "true"});
        let settings = Settings::read(config.as_object().unwrap()).unwrap();
        assert_eq!(
            (settings.path(&["Leads"]), settings.overlap.as_secs(), settings.runs_workflows),
            (Ok(Target::Path("/crm/v7/Leads".into())), 5, true)
        );
    }
}
