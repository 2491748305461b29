//! `tradewind service-key create / list / revoke / rotate`: works on the data directory or database, with the server up or down.

use std::time::Duration;

use access::service_keys::{self, NewServiceKey, ServiceKey};
use kernel::Ambient;

use super::answer;
use crate::cli::ServiceKeyCommand;
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, command: ServiceKeyCommand) -> anyhow::Result<()> {
    if !settings.has_database() {
        let dir = settings.data_dir.display();
        anyhow::ensure!(matches!(command, ServiceKeyCommand::Create(_)), "there is no database in {dir}: is TRADEWIND_DATA_DIR right?");
        tracing::warn!("making a new database in {dir}: a server that uses another directory will not know this key");
    }
    let store = open_store(settings, &Ambient::system(), false).await?;
    match command {
        ServiceKeyCommand::Create(args) => {
            let permissions = Some(args.scopes).filter(|scopes| !scopes.is_empty());
            let input = NewServiceKey { name: Some(args.name), tenant: args.tenant, permissions };
            answer(service_keys::create(&store, input).await?.key.reveal());
        }
        ServiceKeyCommand::List => {
            for key in service_keys::list(&store).await? {
                answer(&line(&key));
            }
        }
        ServiceKeyCommand::Revoke { id } => answer(&line(&service_keys::revoke(&store, &id).await?)),
        ServiceKeyCommand::Rotate { id, grace } => {
            answer(service_keys::rotate(&store, &id, Duration::from_secs(grace)).await?.key.reveal());
        }
    }
    Ok(())
}

fn line(key: &ServiceKey) -> String {
    let tenant = key.tenant.map_or_else(|| "any tenant".to_owned(), |tenant| tenant.to_string());
    let permissions = key.permissions.as_ref().map_or_else(|| "everything".to_owned(), |names| names.join(","));
    format!("{}  {:<8}  {}  {}  {tenant}  {permissions}  {}", key.id, key.status, key.mask, key.created_at, key.name)
}
