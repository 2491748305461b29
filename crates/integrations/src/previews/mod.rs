//! `mappings.preview`: what a mapping makes of records, before it is saved.

use std::sync::Arc;

use axum::extract::State;
use connectors::{PageAsk, Span};
use kernel::{Caller, Error, IntegrationId, Permission, Result, TenantScope};
use mappings::{Direction, FieldMapping, Mapped, Mapping, MappingInput, Problem, Scripts, nest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Integrations;
use crate::integrations::into_error;

/// Most records of a preview.
const MOST: usize = 100;
/// Most of the vendor's records that are fetched for one.
const MOST_FETCHED: u32 = 50;

/// A mapping, and what to try it on: records in the body, or an integration's.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MappingPreviewInput)]
pub struct PreviewInput {
    /// The fields, as a sync has them.
    pub field_mappings: Vec<FieldMapping>,
    /// Which way: `to_remote` (the default; our records as the vendor's) or `to_local`.
    #[serde(default)]
    pub direction: Option<Direction>,
    /// Records to map; at most 100.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Object>>)]
    pub records: Option<Vec<Map<String, Value>>>,
    /// In place of `records`: the vendor's own, as they are now, mapped to ours.
    #[serde(default)]
    pub integration_id: Option<IntegrationId>,
    /// The vendor's object; with `integrationId`.
    #[serde(default)]
    pub object: Option<String>,
    /// How many of the vendor's records: 1 to 50; default 10.
    #[serde(default)]
    pub limit: Option<u32>,
    /// For telephone numbers without a country's code: `DE`.
    #[serde(default)]
    pub default_country: Option<String>,
}

/// What came out.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MappingPreview)]
pub struct Preview {
    /// The mapped records, in order. A field with a problem is left out.
    #[schema(value_type = Vec<Object>)]
    pub records: Vec<Map<String, Value>>,
    /// The records that they come from, where the vendor's were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<Object>>)]
    pub sources: Option<Vec<Map<String, Value>>>,
    /// Why records would not be sent.
    pub problems: Vec<PreviewProblem>,
    /// What is allowed and perhaps not meant.
    pub warnings: Vec<Problem>,
}

/// A problem of one record.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RecordProblem)]
pub struct PreviewProblem {
    /// Which record, counted from 0.
    pub record: usize,
    /// Which rule, field and value.
    #[serde(flatten)]
    pub problem: Problem,
}

impl Integrations {
    /// Tries a mapping. Nothing is kept and nothing is sent to the vendor.
    ///
    /// Errors: 403 `insufficient_scope`; 404; 409, 502 and 503 as for objects, where the vendor is asked; 422 `invalid_mapping` with every fault's
    /// place, `validation_failed`.
    pub async fn preview(self: &Arc<Self>, caller: &Caller, input: PreviewInput) -> Result<Preview> {
        let scope = caller.allow(Permission::IntegrationsRead)?;
        let written = MappingInput {
            field_mappings: input.field_mappings.clone(),
            one_way: input.direction,
            default_country: input.default_country.clone(),
            ..MappingInput::default()
        };
        let mapping = Mapping::compile(&written).map_err(invalid)?;
        let scripts = Scripts::new(self.parts.scripts.clone(), scope.tenant(), self.parts.ambient.now());
        if mapping.has_scripts() {
            mapping.check(&scripts).await.map_err(invalid)?;
        }
        let is_fetched = input.integration_id.is_some();
        let (records, direction) = match (input.records, input.integration_id) {
            (Some(records), None) => (records, input.direction.unwrap_or(Direction::ToRemote)),
            (None, Some(id)) => {
                let object = input.object.ok_or_else(|| Error::field("/object", "is required beside integrationId"))?;
                (self.fetch(&scope, id, &object, &mapping, input.limit).await?, Direction::ToLocal)
            }
            _ => return Err(Error::field("/records", "give records, or integrationId and object")),
        };
        if records.len() > MOST {
            return Err(Error::field("/records", format!("must have at most {MOST} items")));
        }
        let (mapped, sources) = match direction {
            Direction::ToLocal => {
                let whole: Vec<Map<String, Value>> = records.iter().map(|record| whole(&mapping, record)).collect();
                (mapping.to_local(&scripts, &whole).await, is_fetched.then_some(records))
            }
            _ => (mapping.to_remote(&scripts, &records).await, None),
        };
        Ok(answer(mapped, sources, direction, &mapping))
    }

    async fn fetch(
        self: &Arc<Self>,
        scope: &TenantScope,
        id: IntegrationId,
        object: &str,
        mapping: &Mapping,
        limit: Option<u32>,
    ) -> Result<Vec<Map<String, Value>>> {
        let limit = limit.unwrap_or(10);
        if !(1..=MOST_FETCHED).contains(&limit) {
            return Err(Error::field("/limit", format!("must be 1 to {MOST_FETCHED}")));
        }
        let (connector, session) = self.session(scope, id).await?;
        if connector.about().objects.iter().all(|about| about.name != object) {
            return Err(Error::field("/object", "is not an object of this integration"));
        }
        let fields: Vec<String> = mapping.remote_fields().map(str::to_owned).collect();
        let ask = PageAsk { object, span: Span::Full, fields: &fields, filter: None, token: None };
        let page = connector.page(&session, ask).await.map_err(|fault| into_error(&fault))?;
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(page.records.into_iter().take(most).map(|record| record.fields).collect())
    }
}

/// A vendor's record that somebody wrote down is whole: what it does not have is empty.
fn whole(mapping: &Mapping, record: &Map<String, Value>) -> Map<String, Value> {
    let mut whole = record.clone();
    for field in mapping.remote_fields() {
        whole.entry(field).or_insert(Value::Null);
    }
    whole
}

fn answer(mapped: Vec<Mapped>, sources: Option<Vec<Map<String, Value>>>, direction: Direction, mapping: &Mapping) -> Preview {
    let mut records = Vec::with_capacity(mapped.len());
    let mut problems = Vec::new();
    for (record, mapped) in mapped.into_iter().enumerate() {
        problems.extend(mapped.problems.into_iter().map(|problem| PreviewProblem { record, problem }));
        records.push(if direction == Direction::ToLocal { nest(&mapped.values) } else { mapped.values });
    }
    Preview { records, sources, problems, warnings: mapping.warnings().to_vec() }
}

/// A mapping's faults as the answer to a request that brought it.
pub fn invalid(problems: Vec<Problem>) -> Error {
    let mut error = Error::invalid("invalid_mapping", "The mapping has faults; see errors.");
    for problem in problems {
        error = error.at(problem.field, problem.message);
    }
    error
}

pub(crate) async fn handle(
    State(integrations): State<Arc<Integrations>>,
    web::Auth(caller): web::Auth,
    web::Json(input): web::Json<PreviewInput>,
) -> web::Result<web::Json<Preview>> {
    Ok(web::Json(integrations.preview(&caller, input).await?))
}
