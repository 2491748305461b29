//! Objects and their fields.

use serde_json::{Value, json};

/// One field.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its API name.
    pub name: String,
    /// Its type as describe says it: `string`, `email`, `double`, `picklist`, …
    pub kind: String,
    /// The longest value, in characters; 0 where that means nothing.
    pub length: usize,
    /// Whether a row must have it.
    pub is_required: bool,
    /// Whether it identifies rows for upserts.
    pub is_external_id: bool,
    /// Whether it cannot be written.
    pub is_read_only: bool,
    /// The values of a picklist.
    pub values: Vec<String>,
    /// The object that a reference names.
    pub refers_to: Option<String>,
}

impl Field {
    /// Reads `Name type length flags…`: `!` required, `#` external id, `-` read-only, `=a|b` picklist values, `>Object` reference.
    pub(super) fn declared(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (name, kind) = (words.next()?.to_owned(), words.next()?.to_owned());
        let length = words.next()?.parse().ok()?;
        let mut field = Self {
            name,
            kind,
            length,
            is_required: false,
            is_external_id: false,
            is_read_only: false,
            values: Vec::new(),
            refers_to: None,
        };
        for word in words {
            match word.split_at(1) {
                ("!", _) => field.is_required = true,
                ("#", _) => field.is_external_id = true,
                ("-", _) => field.is_read_only = true,
                ("=", values) => field.values = values.split('|').map(|value| value.replace('_', " ")).collect(),
                (">", object) => field.refers_to = Some(object.to_owned()),
                _ => return None,
            }
        }
        Some(field)
    }

    /// Whether an account added it.
    pub fn is_custom(&self) -> bool {
        self.name.ends_with("__c")
    }

    /// The name under which the row that a reference names is reached.
    pub fn relationship(&self) -> Option<String> {
        self.refers_to.as_ref()?;
        self.name.strip_suffix("Id").map(str::to_owned).or_else(|| Some(self.name.replace("__c", "__r")))
    }

    /// As describe writes it.
    pub(super) fn described(&self) -> Value {
        let values: Vec<_> = self
            .values
            .iter()
            .map(|value| json!({"active": true, "defaultValue": false, "label": value, "validFor": null, "value": value}))
            .collect();
        let soap = match self.kind.as_str() {
            "boolean" => "xsd:boolean",
            "double" | "currency" | "percent" => "xsd:double",
            "int" => "xsd:int",
            "date" => "xsd:date",
            "datetime" => "xsd:dateTime",
            "id" | "reference" => "tns:ID",
            _ => "xsd:string",
        };
        json!({
            "name": self.name, "label": self.name.trim_end_matches("__c").replace('_', " "), "type": self.kind, "length": self.length,
            "byteLength": self.length * 3, "nillable": !self.is_required && self.kind != "boolean", "createable": !self.is_read_only,
            "updateable": !self.is_read_only, "custom": self.is_custom(), "externalId": self.is_external_id,
                "idLookup": self.is_external_id,
            "unique": self.is_external_id, "picklistValues": values, "restrictedPicklist": false, "calculated": false,
            "referenceTo": self.refers_to.iter().collect::<Vec<_>>(), "relationshipName": self.relationship(), "soapType": soap,
            "filterable": true, "sortable": true, "groupable": true, "aggregatable": true, "caseSensitive": false, "defaultValue": null,
            "defaultedOnCreate": false, "deprecatedAndHidden": false, "precision": if soap == "xsd:double" { 18 } else { 0 }, "scale": 0,
            "digits": 0, "inlineHelpText": null, "nameField": self.name == "Name", "permissionable": true, "encrypted": false,
        })
    }
}

/// One kind of row.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its API name.
    pub name: String,
    /// The first three characters of its ids.
    pub prefix: String,
    /// Its fields.
    pub fields: Vec<Field>,
}

impl Object {
    /// A field by its name, in whatever case.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name))
    }

    /// The reference that is followed under this name.
    pub(super) fn relationship(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.relationship().is_some_and(|one| one.eq_ignore_ascii_case(name)))
    }
}

/// Fields that every object has.
const SYSTEM: &str = "Id id 18 -; IsDeleted boolean 0 -; CreatedDate datetime 0 -; CreatedById reference 18 - >User; \
    LastModifiedDate datetime 0 -; LastModifiedById reference 18 - >User; SystemModstamp datetime 0 -; OwnerId reference 18 >User";

/// The objects of a new account: prefix, name, fields.
const OBJECTS: &[(&str, &str, &str)] = &[
    (
        "001",
        "Account",
        "Name string 255 !; MasterRecordId reference 18 - >Account; ParentId reference 18 >Account; Type picklist 255 =Prospect|Customer; \
         Phone phone 40; Website url 255; Industry picklist 255 =Banking|Education|Energy; AnnualRevenue currency 0; \
         NumberOfEmployees int 0; Description textarea 32000; BillingStreet textarea 255; BillingCity string 40; BillingState string 80; \
         BillingPostalCode string 20; BillingCountry string 80; External_Id__c string 255 #",
    ),
    (
        "003",
        "Contact",
        "Name string 121 -; FirstName string 40; LastName string 80 !; MasterRecordId reference 18 - >Contact; \
         AccountId reference 18 >Account; \
         Email email 80; Phone phone 40; MobilePhone phone 40; Title string 128; Birthdate date 0; \
         LeadSource picklist 255 =Web|Phone_Inquiry|Other; \
         MailingStreet textarea 255; MailingCity string 40; MailingState string 80; MailingPostalCode string 20; MailingCountry string 80; \
         HasOptedOutOfEmail boolean 0; Description textarea 32000; External_Id__c string 255 #; Score__c double 0",
    ),
    (
        "00Q",
        "Lead",
        "Name string 121 -; FirstName string 40; LastName string 80 !; Company string 255 !; MasterRecordId reference 18 - >Lead; \
         Email email 80; \
         Phone phone 40; MobilePhone phone 40; Title string 128; \
         Status picklist 255 =Open_-_Not_Contacted|Working_-_Contacted|Closed_-_Converted; \
         LeadSource picklist 255 =Web|Phone_Inquiry|Other; Industry picklist 255 =Banking|Education|Energy; AnnualRevenue currency 0; \
         NumberOfEmployees int 0; Street textarea 255; City string 40; State string 80; PostalCode string 20; Country string 80; \
         Website url 255; Description textarea 32000; HasOptedOutOfEmail boolean 0; IsConverted boolean 0 -; \
         ConvertedContactId reference 18 - >Contact; \
         External_Id__c string 255 #; Score__c double 0",
    ),
    (
        "006",
        "Opportunity",
        "Name string 120 !; StageName picklist 255 ! =Prospecting|Qualification|Closed_Won|Closed_Lost; CloseDate date 0 !; \
         Amount currency 0; \
         AccountId reference 18 >Account; Probability percent 0; Type picklist 255 =New_Business; Description textarea 32000; \
         External_Id__c string 255 #",
    ),
];

/// The objects of a new account.
pub(super) fn objects() -> Vec<Object> {
    let fields = |own: &str| [SYSTEM, own].into_iter().flat_map(|text| text.split(';')).filter_map(Field::declared).collect();
    OBJECTS
        .iter()
        .map(|(prefix, name, own)| Object { name: (*name).to_owned(), prefix: (*prefix).to_owned(), fields: fields(own) })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_read() {
        for (object, (_, name, own)) in objects().iter().zip(OBJECTS) {
            assert_eq!(object.fields.len(), SYSTEM.split(';').count() + own.split(';').count(), "{name}");
        }
        let contact = &objects()[1];
        assert_eq!(contact.field("accountid").unwrap().relationship().as_deref(), Some("Account"));
        assert!(contact.field("LastName").unwrap().is_required && contact.field("External_Id__c").unwrap().is_external_id);
    }
}
