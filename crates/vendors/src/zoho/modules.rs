//! Modules and their fields.

use serde_json::{Value, json};

use super::failure::Failure;
use super::org::{FIRST, Org};
use crate::stand::{Answer, Call};
use crate::tables::Table;

/// One field.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    /// As metadata says it: `text`, `email`, `picklist`, `datetime`, `lookup`, …
    pub(super) kind: String,
    pub(super) length: usize,
    pub(super) is_required: bool,
    pub(super) is_unique: bool,
    pub(super) is_read_only: bool,
    pub(super) is_own: bool,
    values: Vec<String>,
    pub(super) looks_up: Option<String>,
}

/// One module.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) name: String,
    pub(super) singular: String,
    number: u64,
    pub(super) fields: Vec<Field>,
    /// What upserts compare where they do not say it.
    pub(super) duplicate_checks: Vec<&'static str>,
    pub(super) rows: Table<Value>,
}

const SYSTEM: &str = "id bigint 0 -; Owner ownerlookup 0; Created_Time datetime 0 -; Modified_Time datetime 0 -; \
Created_By ownerlookup 0 -; \
    Modified_By ownerlookup 0 -; Tag text 0 -";

type Declared = (&'static str, &'static str, &'static str, &'static [&'static str]);

const MODULES: &[Declared] = &[
    (
        "Leads",
        "Lead",
        "Last_Name text 80 !; First_Name text 40; Full_Name text 80 -; Company text 200; Email email 100; Phone phone 30; Mobile phone 30; \
         Lead_Source picklist 120 =Web|Partner; Lead_Status picklist 120 =New|Contacted|Lost; Title text 100; Website website 450; \
         Street text 250; \
         City text 100; State text 100; Zip_Code text 30; Country text 100; Description textarea 32000; Annual_Revenue currency 16; \
         No_of_Employees integer 9; Email_Opt_Out boolean 0",
        &["Email"],
    ),
    (
        "Contacts",
        "Contact",
        "Last_Name text 80 !; First_Name text 40; Full_Name text 80 -; Email email 100; Phone phone 30; Mobile phone 30; Title text 100; \
         Account_Name lookup 0 >Accounts; Date_of_Birth date 0; Mailing_Street text 250; Mailing_City text 100; Mailing_Zip text 30; \
         Mailing_Country text 100; Description textarea 32000; Email_Opt_Out boolean 0",
        &["Email"],
    ),
    (
        "Accounts",
        "Account",
        "Account_Name text 200 !; Phone phone 30; Website website 450; Industry picklist 120 =Education|Energy; \
         Annual_Revenue currency 16; \
         Employees integer 9; Billing_City text 100; Billing_Country text 100; Description textarea 32000",
        &["Account_Name"],
    ),
    (
        "Deals",
        "Deal",
        "Deal_Name text 120 !; Stage picklist 120 ! =Qualification|Negotiation|Closed_Won; Amount currency 16; Closing_Date date 0; \
         Account_Name lookup 0 >Accounts; Contact_Name lookup 0 >Contacts; Description textarea 32000; Probability integer 9",
        &["Deal_Name"],
    ),
];

impl Field {
    /// Reads `name type length flags…`: `!` required, `#` unique, `-` read-only, `=a|b` values, `>Module` lookup.
    pub(super) fn declared(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (name, kind, length) = (words.next()?.to_owned(), words.next()?.to_owned(), words.next()?.parse().ok()?);
        let mut field = Self {
            name,
            kind,
            length,
            is_required: false,
            is_unique: false,
            is_read_only: false,
            is_own: false,
            values: Vec::new(),
            looks_up: None,
        };
        for word in words {
            match word.split_at(1) {
                ("!", _) => field.is_required = true,
                ("#", _) => field.is_unique = true,
                ("-", _) => field.is_read_only = true,
                ("=", values) => field.values = values.split('|').map(|value| value.replace('_', " ")).collect(),
                (">", module) => field.looks_up = Some(module.to_owned()),
                _ => return None,
            }
        }
        Some(field)
    }

    /// What JSON has for it.
    fn json_type(&self) -> &'static str {
        match self.kind.as_str() {
            "boolean" => "boolean",
            "integer" => "integer",
            "currency" | "double" => "double",
            "lookup" | "ownerlookup" => "jsonobject",
            _ => "string",
        }
    }

    fn value(&self, at: u64) -> Value {
        let values: Vec<_> = self
            .values
            .iter()
            .zip(1u64..)
            .map(|(value, place)| {
                json!({"display_value": value, "actual_value": value,
            "reference_value": value, "sequence_number": place, "type": "used",
            "id": (FIRST + 5000 + at * 100 + place).to_string()})
            })
            .collect();
        let lookup = self.looks_up.as_ref().map_or_else(
            || json!({}),
            |module| {
                json!({"display_label": module, "api_name": self.name,
            "module": {"api_name": module, "id": (FIRST + 500).to_string()}, "id": (FIRST + 600 + at).to_string()})
            },
        );
        json!({
            "api_name": self.name, "field_label": self.name.replace('_', " "), "data_type": self.kind, "json_type": self.json_type(),
            "id": (FIRST + 1000 + at).to_string(), "length": self.length, "system_mandatory": self.is_required,
                "read_only": self.is_read_only,
            "field_read_only": self.is_read_only, "custom_field": self.is_own, "visible": true, "pick_list_values": values,
                "lookup": lookup,
            "unique": if self.is_unique { json!({"casesensitive": false}) } else { json!({}) }, "decimal_place": null, "tooltip": null,
            "created_source": "default", "type": "used", "webhook": true, "sequence_number": at, "businesscard_supported": true,
            "view_type": {"view": true, "edit": !self.is_read_only, "create": !self.is_read_only, "quick_create": false},
            "operation_type": {"web_update": true, "api_create": !self.is_read_only, "web_create": true, "api_update": !self.is_read_only},
        })
    }
}

/// By what rows are found: text without regard to case.
fn key(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_lowercase)
}

/// The modules of a new organisation.
pub(super) fn modules() -> Vec<Module> {
    let one = |((name, singular, own, checks), number): (&Declared, u64)| {
        let fields: Vec<_> = [SYSTEM, own].into_iter().flat_map(|text| text.split(';')).filter_map(Field::declared).collect();
        let mut rows = Table::new(FIRST + number * 100_000_000_000 + 1, key);
        checks.iter().for_each(|field| rows.index(field));
        Module { name: (*name).to_owned(), singular: (*singular).to_owned(), number, fields, duplicate_checks: checks.to_vec(), rows }
    };
    MODULES.iter().zip(1..).map(one).collect()
}

impl Module {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn value(&self) -> Value {
        json!({
            "api_name": self.name, "module_name": self.name, "singular_label": self.singular, "plural_label": self.name,
                "id": (FIRST + self.number).to_string(),
            "api_supported": true, "creatable": true, "editable": true, "deletable": true, "viewable": true,
                "convertable": self.name == "Leads",
            "generated_type": "default", "modified_time": null, "modified_by": null, "profiles": [], "visible": true, "show_as_tab": true,
            "web_link": null, "sequence_number": self.number, "quick_create": true, "feeds_required": false, "presence_sub_menu": true,
            "scoring_supported": true, "triggers_supported": true, "emailTemplate_support": true, "inventory_template_supported": false,
            "isBlueprintSupported": true, "recycle_bin_on_delete": true, "global_search_supported": true, "access_type": "org_based",
                "status": "visible",
        })
    }
}

pub(super) fn all(org: &Org) -> Answer {
    Answer::json(200, &json!({"modules": org.modules.iter().map(Module::value).collect::<Vec<_>>()}))
}

pub(super) fn one(org: &Org, name: &str) -> Result<Answer, Failure> {
    Ok(Answer::json(200, &json!({"modules": [org.module(name)?.value()]})))
}

pub(super) fn fields(org: &Org, call: &Call) -> Result<Answer, Failure> {
    let name = call.param("module").ok_or_else(|| {
        Failure::new(400, "REQUIRED_PARAM_MISSING", "One of the expected parameter is missing").with(json!({"param_name": "module"}))
    })?;
    let module = org.module(name)?;
    let fields: Vec<_> = module.fields.iter().zip(1..).map(|(field, at)| field.value(at)).collect();
    Ok(Answer::json(200, &json!({"fields": fields})))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_read() {
        for (module, (name, _, own, checks)) in modules().iter().zip(MODULES) {
            assert_eq!(module.fields.len(), SYSTEM.split(';').count() + own.split(';').count(), "{name}");
            assert!(checks.iter().all(|check| module.field(check).is_some()), "{name}");
        }
    }
}
