//! What the names in a file mean: from the file's structs to the model, or to all faults.

use crate::file::Lines;
use crate::file::form::File;
use crate::model::{Blueprint, Product};
use crate::{Fault, suggest};

mod access;
mod answers;
mod endpoints;
mod events;
mod history;
mod jobs;
mod managed;
mod metrics;
mod of_records;
mod paths;
mod proxied;
mod report;
mod resources;
mod retirement;
mod structure;
mod style;
mod upstreams;
mod webhooks;

use report::Report;

/// Validates a file.
pub(crate) fn blueprint(file: File, lines: &Lines) -> Result<Blueprint, Vec<Fault>> {
    let mut report = Report::default();
    let report_ref = &mut report;
    if !report::is_word(&file.name) {
        report_ref.add("name", "must be lower-case letters, digits, - and _, first a letter, at most 64 of them");
    }
    let naming = file.style.naming;
    let product = product(file.product, report_ref);
    let style = style::check(file.style, report_ref);
    let scopes = access::scopes(file.scopes, report_ref);
    let keys = access::keys(file.keys, &scopes, report_ref);
    let tiers = access::tiers(file.tiers, &file.default_tier, report_ref);
    let on_schema_fault = events::on_schema_fault(file.publishing.on_schema_fault);
    let events = events::check(file.events, on_schema_fault, report_ref);
    let kinds = resources::Declared { naming, events: &events, scopes: &scopes };
    let resources = resources::check(file.resources, &kinds, report_ref);
    let jobs = jobs::Declared { scopes: &scopes, events: &events, resources: &resources }.check(file.jobs, report_ref);
    let metrics = metrics::check(file.metrics, &resources, report_ref);
    let upstreams = upstreams::check(file.upstreams, report_ref);
    let declared = endpoints::Declared {
        base: &style.base_path,
        scopes: &scopes,
        events: &events,
        resources: &resources,
        upstreams: &upstreams,
        metrics: &metrics,
        jobs: &jobs,
    };
    let endpoints = endpoints::check(file.endpoints, &declared, report_ref);
    let webhooks = webhooks::check(file.webhooks, &events, report_ref);
    if !report.faults.is_empty() {
        lines.fill(&mut report.faults);
        return Err(report.faults);
    }
    let (name, default_tier) = (file.name, file.default_tier);
    Ok(Blueprint {
        name,
        product,
        style,
        keys,
        scopes,
        tiers,
        default_tier,
        events,
        on_schema_fault,
        resources,
        endpoints,
        upstreams,
        webhooks,
        jobs,
        metrics,
    })
}

fn product(product: crate::file::form::Product, report: &mut Report) -> Product {
    report.prose("product.title", &product.title, 1, 200);
    report.prose("product.description", &product.description, 0, 4000);
    let tenant_word = product.tenant_word.unwrap_or_else(|| "Tenant".to_owned());
    report.prose("product.tenant_word", &tenant_word, 1, 40);
    if let Some(email) = &product.contact_email {
        let fits = email.len() <= 254 && email.split_once('@').is_some_and(|(who, host)| !who.is_empty() && !host.is_empty());
        report.expect(fits && !email.contains(char::is_whitespace), "product.contact_email", "is not an e-mail address");
    }
    let place = |i: usize| format!("product.docs_paths[{i}]");
    for (i, path) in product.docs_paths.iter().enumerate() {
        if let Err(why) = paths::fixed(path) {
            report.add(place(i), why);
        } else if path.starts_with("/docs/") || path == "/docs" {
            report.add(place(i), "is served already");
        }
    }
    report.distinct("path", &product.docs_paths, place);
    let languages = languages(product.languages, report);
    Product {
        words: words(product.words, report),
        languages,
        title: product.title,
        description: product.description,
        contact_email: product.contact_email,
        tenant_word,
        docs_paths: product.docs_paths,
    }
}

/// The portal's words for our things.
fn words(words: serde_json::Map<String, serde_json::Value>, report: &mut Report) -> Vec<(String, String)> {
    let mut kept = Vec::new();
    for (ours, word) in words {
        let place = format!("product.words.{ours}");
        report.known(&place, "word", &ours, crate::WORDS.iter().copied());
        match word {
            serde_json::Value::String(word) => {
                report.prose(place, &word, 1, 40);
                kept.push((ours, word));
            }
            _ => report.add(place, "must be a text"),
        }
    }
    kept
}

fn languages(languages: Vec<String>, report: &mut Report) -> Vec<String> {
    for (i, language) in languages.iter().enumerate() {
        report.known(format!("product.languages[{i}]"), "language", language, crate::LANGUAGES.iter().copied());
    }
    report.distinct("language", &languages, |i| format!("product.languages[{i}]"));
    if languages.is_empty() { vec!["en".to_owned()] } else { languages }
}

/// A choice among names, for faults that are not about declared things.
fn nearest(name: &str, choices: &[&str]) -> Option<String> {
    suggest::nearest(name, choices.iter().copied()).map(str::to_owned)
}
