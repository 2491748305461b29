//! `tradewind connector list / check FILE / schema / try FILE`.

use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use connectors::manifest::{MAX_MANIFEST, Manifest, editor_schema};
use connectors::{About, Connector, Direct, Fault, PageAsk, Session, Span, built_in};
use kernel::{Ambient, Secret};
use serde_json::{Map, Value, json};
use web::outbound::{Client, ClientConfig, UrlPolicy};

use super::answer;
use crate::cli::{CheckFormat, ConnectorCommand, TryArgs};

/// Records of a first page that are shown.
const SHOWN: usize = 3;

pub(super) async fn run(command: ConnectorCommand) -> anyhow::Result<()> {
    match command {
        ConnectorCommand::List => {
            built_in().iter().for_each(|connector| answer(&summary(connector.about())));
            Ok(())
        }
        ConnectorCommand::Schema => {
            answer(&serde_json::to_string_pretty(&editor_schema())?);
            Ok(())
        }
        ConnectorCommand::Check { file, format } => check(&file, format),
        ConnectorCommand::Try(args) => attempt(args).await,
    }
}

fn text(file: &str) -> anyhow::Result<String> {
    let most = u64::try_from(MAX_MANIFEST).unwrap_or(u64::MAX) + 1;
    let bytes = blueprint::read_regular(file, most).with_context(|| format!("The connector's file {file} cannot be read"))?;
    String::from_utf8(bytes).with_context(|| format!("{file} is no text in UTF-8"))
}

fn check(file: &str, format: CheckFormat) -> anyhow::Result<()> {
    let found = Manifest::read(&text(file)?, file);
    if format == CheckFormat::Json {
        let fault = |fault: &blueprint::Fault| json!({"place": fault.path, "line": fault.line, "column": fault.column, "message": fault.message, "suggestion": fault.suggestion});
        let faults: Vec<_> = found.as_ref().err().into_iter().flat_map(blueprint::Faults::list).map(fault).collect();
        answer(&serde_json::to_string_pretty(&json!({"valid": faults.is_empty(), "faults": faults}))?);
        ensure!(faults.is_empty(), "{file} has faults");
        return Ok(());
    }
    answer(&format!("{}: no faults", summary(found?.about())));
    Ok(())
}

fn summary(about: &About) -> String {
    let objects: Vec<_> = about.objects.iter().map(|object| object.name.as_str()).collect();
    format!("{} {}: {}", about.id, about.version, objects.join(", "))
}

/// A connector's file against the vendor itself: who we are, which fields there are, the first records. Nothing is written.
async fn attempt(args: TryArgs) -> anyhow::Result<()> {
    let manifest = Manifest::read(&text(&args.file)?, &args.file)?;
    let mut config = Map::new();
    for setting in &args.settings {
        let (name, value) = setting.split_once('=').with_context(|| format!("{setting:?} is not of the form name=value"))?;
        config.insert(name.to_owned(), Value::from(value));
    }
    let base =
        args.base_url.or_else(|| manifest.base_url(&config)).context("the file has no base_url that can be used; give --base-url")?;
    // Whoever types the command chose the address, and it may be this machine.
    let networks = ["127.0.0.0/8", "::1/128"].into_iter().filter_map(|network| network.parse().ok()).collect();
    let client = Client::new(ClientConfig::new(UrlPolicy { allow_http: true, allow_networks: networks }))?;
    let token = args.token.map(Secret::new);
    let carrier = Direct::new(client, &base, &manifest.about().auth, token.as_ref()).map_err(anyhow::Error::msg)?;
    let session = Session { carrier: Arc::new(carrier), config: Arc::new(config), ambient: Ambient::system() };
    let who = manifest.test(&session).await.map_err(|fault| told("test", &fault))?;
    answer(&format!("signed in as {who}"));
    let wanted = |name: &str| args.object.as_ref().is_none_or(|object| object == name);
    let objects: Vec<_> = manifest.about().objects.iter().map(|object| object.name.clone()).filter(|name| wanted(name)).collect();
    ensure!(!objects.is_empty(), "the connector has no object {:?}", args.object.unwrap_or_default());
    for object in objects {
        show(&manifest, &session, &object).await?;
    }
    Ok(())
}

async fn show(manifest: &Manifest, session: &Session, object: &str) -> anyhow::Result<()> {
    let schema = manifest.describe(session, object).await.map_err(|fault| told(object, &fault))?;
    let names: Vec<_> = schema.fields.iter().map(|field| field.name.clone()).collect();
    answer(&format!("{object}: {} fields: {}", names.len(), names.join(", ")));
    let ask = PageAsk { object, span: Span::Full, fields: &names, filter: None, token: None };
    let page = manifest.page(session, ask).await.map_err(|fault| told(object, &fault))?;
    let total = page.total.map_or_else(String::new, |total| format!(" of {total}"));
    let more = if page.next.is_some() { ", and there is another page" } else { "" };
    answer(&format!("{object}: the first page has {} records{total}{more}", page.records.len()));
    for record in page.records.iter().take(SHOWN) {
        let changed = record.modified_at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
        answer(&format!("  {} changed {changed} {}", record.id, Value::Object(record.fields.clone())));
    }
    let blind = !page.records.is_empty() && page.records.iter().all(|record| record.fields.is_empty());
    if blind {
        bail!("the records have none of these fields: is `fields_at` right?");
    }
    Ok(())
}

fn told(what: &str, fault: &Fault) -> anyhow::Error {
    let why = match fault {
        Fault::Unauthorized { message }
        | Fault::Forbidden { message }
        | Fault::NotFound { message }
        | Fault::Stale { message }
        | Fault::Unavailable { message }
        | Fault::Lost { message } => message.clone(),
        Fault::Refused { code, message, .. } => format!("{code}: {message}"),
        Fault::RateLimited { after } => after.map_or_else(String::new, |after| format!("again in {} s", after.as_secs())),
        Fault::Exhausted { until } => format!("again at {until}"),
    };
    anyhow::anyhow!("{what}: {}: {why}", fault.code())
}
