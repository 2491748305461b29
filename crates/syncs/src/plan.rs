//! A sync's mapping, ready for the engine: which pairs of fields go which way, by whom conflicts are decided, by which field records are matched.

use mappings::{Mapping, MappingInput, Policy};
use records::Record;
use serde_json::{Map, Value};

use crate::configs::{Direction, Settings};
use crate::merge::Ways;

/// A pair of fields under the sync's direction.
#[derive(Clone, Debug)]
pub(crate) struct PairPlan {
    /// Our field, as a path.
    pub(crate) local: String,
    /// The vendor's.
    pub(crate) remote: String,
    pub(crate) ways: Ways,
    pub(crate) policy: Policy,
}

/// By which records of both sides are matched.
#[derive(Clone, Debug)]
pub(crate) struct KeyPlan {
    pub(crate) local: String,
    pub(crate) remote: String,
}

/// What the engine must know of a mapping.
pub(crate) struct Plan {
    pub(crate) mapping: Mapping,
    pub(crate) pairs: Vec<PairPlan>,
    /// The vendor's fields that pages are asked for.
    pub(crate) remote_fields: Vec<String>,
    pub(crate) key: Option<KeyPlan>,
}

/// What a mapping is compiled of.
pub(crate) fn input(settings: &Settings) -> MappingInput {
    let one_way = if settings.direction == Direction::Pull { mappings::Direction::ToLocal } else { mappings::Direction::ToRemote };
    MappingInput {
        field_mappings: settings.field_mappings.clone(),
        one_way: Some(one_way),
        conflict_resolution: Some(settings.conflict_resolution),
        default_country: settings.default_country.clone(),
    }
}

impl Plan {
    /// `unique`: the field that the vendor keeps unique.
    ///
    /// Errors: what is wrong with the mapping.
    pub(crate) fn compile(settings: &Settings, unique: Option<&str>) -> Result<Self, Vec<mappings::Problem>> {
        let mapping = Mapping::compile(&input(settings))?;
        let pairs: Vec<PairPlan> = mapping
            .pairs()
            .map(|pair| PairPlan {
                local: pair.local.to_owned(),
                remote: pair.remote.to_owned(),
                ways: Ways {
                    to_remote: pair.direction.to_remote() && settings.direction.pushes(),
                    to_local: pair.direction.to_local() && settings.direction.pulls(),
                },
                policy: mapping.policy(pair.local),
            })
            .collect();
        let key = mapping.key().map(|key| KeyPlan { local: key.local.to_owned(), remote: key.remote.to_owned() });
        let key = key.or_else(|| guessed(&pairs, unique));
        let remote_fields = mapping.remote_fields().map(str::to_owned).collect();
        Ok(Self { mapping, pairs, remote_fields, key })
    }

    /// Our record as the mapping reads it: its members, its id and the host's.
    pub(crate) fn view(record: &Record) -> Map<String, Value> {
        let mut view = record.document.clone();
        view.entry("id").or_insert_with(|| Value::String(record.id.to_string()));
        if let Some(external) = &record.external_id {
            view.entry("externalId").or_insert_with(|| Value::String(external.clone()));
        }
        view
    }

    /// Our value of a pair.
    pub(crate) fn local<'a>(view: &'a Map<String, Value>, pair: &PairPlan) -> &'a Value {
        mappings::get(view, &pair.local).unwrap_or(&Value::Null)
    }

    /// The vendor's values of all pairs that a record carries, as they are agreed on.
    pub(crate) fn remote_values(&self, fields: &Map<String, Value>) -> Map<String, Value> {
        self.pairs.iter().filter_map(|pair| Some((pair.remote.clone(), fields.get(&pair.remote)?.clone()))).collect()
    }

    /// Whether anything comes from the vendor.
    pub(crate) fn reads(&self) -> bool {
        self.pairs.iter().any(|pair| pair.ways.to_local)
    }
}

/// Where nothing is said: the field that the vendor keeps unique, or an e-mail address.
fn guessed(pairs: &[PairPlan], unique: Option<&str>) -> Option<KeyPlan> {
    let is_email = |name: &str| matches!(name.to_ascii_lowercase().as_str(), "email" | "emails" | "email_address" | "emailaddress");
    let found = pairs.iter().find(|pair| Some(pair.remote.as_str()) == unique);
    let found = found.or_else(|| pairs.iter().find(|pair| is_email(&pair.remote) || is_email(&pair.local)));
    found.map(|pair| KeyPlan { local: pair.local.clone(), remote: pair.remote.clone() })
}
