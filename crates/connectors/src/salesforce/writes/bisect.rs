//! A collection is refused whole when one of its rows cannot even be read (a text in a number's field). Nothing was done then, and halving
//! finds the row.

use futures_util::future::BoxFuture;

use super::Job;
use super::parts::Part;
use crate::{Fault, Outcome};

/// So many calls are spent on finding; then the refusal is every remaining item's.
const CALLS: u32 = 24;

/// Sends a part; a row that spoils it gets the refusal as its outcome, the others are written.
///
/// Errors: as [`super::send::send`].
pub(super) async fn send(job: &Job<'_>, part: &Part, outcomes: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let mut left = CALLS;
    halves(job, part, outcomes, &mut left).await
}

fn halves<'a>(
    job: &'a Job<'_>,
    part: &'a Part,
    outcomes: &'a mut [Option<Outcome>],
    left: &'a mut u32,
) -> BoxFuture<'a, Result<(), Fault>> {
    Box::pin(async move {
        let fault = match super::send::send(job, part, outcomes).await {
            Err(fault) if is_of_one_row(&fault) => fault,
            other => return other,
        };
        *left = left.saturating_sub(1);
        if part.items.len() == 1 || *left == 0 {
            for item in &part.items {
                outcomes[*item] = Some(Outcome::Failed(fault.clone()));
            }
            return Ok(());
        }
        let (first, second) = part.items.split_at(part.items.len() / 2);
        for items in [first, second] {
            let half = Part { act: part.act.clone(), items: items.to_vec() };
            halves(job, &half, outcomes, left).await?;
        }
        Ok(())
    })
}

/// Whether a refusal of the whole may come from one row.
fn is_of_one_row(fault: &Fault) -> bool {
    let Fault::Refused { code, .. } = fault else { return false };
    matches!(code.as_str(), "JSON_PARSER_ERROR" | "INVALID_FIELD" | "MALFORMED_ID" | "INVALID_FIELD_FOR_INSERT_UPDATE")
}
