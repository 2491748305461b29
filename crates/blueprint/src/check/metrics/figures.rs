//! The figures of a metric.

use serde_json::Value;

use super::super::report::{Report, is_member};
use super::fields::Fields;
use super::{MAX_FIGURES, TAKEN, conditions};
use crate::file::metrics::{self as written, Of, Shown};
use crate::model::{Aggregate, Figure, GroupBy};

/// Groups that are told when the file says nothing, and at most.
const DEFAULT_TOP: u32 = 20;
const MAX_TOP: u32 = 100;
const MAX_DECIMALS: u8 = 6;

pub(super) fn check(place: &str, figures: Vec<written::Figure>, fields: &Fields<'_>, series: bool, report: &mut Report) -> Vec<Figure> {
    let at = format!("{place}.figures");
    report.expect((1..=MAX_FIGURES).contains(&figures.len()), &at, format!("must be 1 to {MAX_FIGURES} figures"));
    report.distinct("figure", figures.iter().map(|figure| &figure.name), |i| format!("{at}[{i}].name"));
    let names: Vec<(String, bool)> =
        figures.iter().map(|figure| (figure.name.clone(), figure.of == Of::Ratio || figure.by.is_some())).collect();
    figures.into_iter().enumerate().map(|(i, figure)| one(&format!("{at}[{i}]"), figure, &names, fields, series, report)).collect()
}

fn one(place: &str, figure: written::Figure, names: &[(String, bool)], fields: &Fields<'_>, series: bool, report: &mut Report) -> Figure {
    let at = |name: &str| format!("{place}.{name}");
    report.expect(is_member(&figure.name), at("name"), "must be letters, digits and _");
    report.expect(!TAKEN.contains(&figure.name.as_str()), at("name"), format!("is taken: answers have {} themselves", TAKEN.join(", ")));
    let of = aggregate(place, &figure, names, fields, report);
    let in_series = figure.shown != Shown::Totals && series;
    report.expect(figure.shown != Shown::Series || series, at("in"), "there is no [metrics.series] for it to be in");
    let by = figure.by.as_deref().map(|by| group(place, by, &figure, in_series, fields, report));
    report.expect(figure.top.is_none() || by.is_some(), at("top"), "belongs to a figure with by");
    let default = if matches!(of, Aggregate::Avg(_) | Aggregate::Ratio(..)) { 2 } else { MAX_DECIMALS };
    let decimals = figure.decimals.unwrap_or(default);
    report.expect(decimals <= MAX_DECIMALS, at("decimals"), format!("must be 0 to {MAX_DECIMALS}"));
    let empty = figure.empty.unwrap_or(if of == Aggregate::Count { Value::from(0) } else { Value::Null });
    report.expect(empty.is_number() || empty.is_null(), at("empty"), "must be a number; left out: null");
    Figure {
        name: figure.name,
        of,
        only: conditions(&at("where"), figure.only, fields, report),
        by,
        decimals,
        empty,
        in_totals: figure.shown != Shown::Series,
        in_series,
    }
}

fn aggregate(place: &str, figure: &written::Figure, names: &[(String, bool)], fields: &Fields<'_>, report: &mut Report) -> Aggregate {
    let at = |name: &str| format!("{place}.{name}");
    if figure.of == Of::Ratio {
        return ratio(place, figure, names, report);
    }
    report.expect(figure.figures.is_empty(), at("figures"), "belongs to a ratio");
    if figure.of == Of::Count {
        report.expect(figure.field.is_none(), at("field"), "count counts records; use where to count some of them");
        return Aggregate::Count;
    }
    let Some(field) = figure.field.clone() else {
        report.add(place, "field is missing: the member whose numbers are computed with");
        return Aggregate::Count;
    };
    fields.number(&at("field"), &field, report);
    match figure.of {
        Of::Sum => Aggregate::Sum(field),
        Of::Avg => Aggregate::Avg(field),
        Of::Min => Aggregate::Min(field),
        Of::Max | Of::Count | Of::Ratio => Aggregate::Max(field),
    }
}

/// One figure by another, both of this metric.
fn ratio(place: &str, figure: &written::Figure, names: &[(String, bool)], report: &mut Report) -> Aggregate {
    let at = |name: &str| format!("{place}.{name}");
    let foreign = [("field", figure.field.is_some()), ("by", figure.by.is_some()), ("where", !figure.only.is_empty())];
    for (name, _) in foreign.iter().filter(|(_, given)| *given) {
        report.add(at(name), "does not belong to a ratio: it belongs to the two figures");
    }
    let [over, under] = figure.figures.as_slice() else {
        report.add(at("figures"), "must name two figures: the first is divided by the second");
        return Aggregate::Count;
    };
    for (i, name) in [over, under].into_iter().enumerate() {
        let place = format!("{place}.figures[{i}]");
        if report.known(&place, "figure", name, names.iter().map(|(name, _)| name.as_str())) {
            let single = names.iter().any(|(known, many)| known == name && !many);
            report.expect(single, place, "must be a single figure: no ratio, none with by");
        }
    }
    Aggregate::Ratio(over.clone(), under.clone())
}

fn group(place: &str, by: &str, figure: &written::Figure, in_series: bool, fields: &Fields<'_>, report: &mut Report) -> GroupBy {
    let at = format!("{place}.by");
    let (list, always) = fields.group(&at, by, report);
    report.expect(!list || figure.of == Of::Count, format!("{place}.of"), "the items of a list can be counted, nothing else");
    let bounded = !list && !always.is_empty();
    report.expect(bounded || !in_series, &at, "has any number of values: say in = \"totals\"; a series needs a member with an enum");
    let top = figure.top.unwrap_or(DEFAULT_TOP);
    report.expect((1..=MAX_TOP).contains(&top), format!("{place}.top"), format!("must be 1 to {MAX_TOP}"));
    GroupBy { field: by.to_owned(), list, always, top }
}
