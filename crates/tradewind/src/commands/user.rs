//! `tradewind user create / reset-password`: works on the data directory or database, with the server up or down.

use std::io::BufRead as _;

use kernel::{Ambient, Secret};
use people::users::{self, CreateUser};

use super::answer;
use crate::cli::{CreateUserArgs, UserCommand};
use assembly::settings::Resolved;
use assembly::system::open_store;

pub(super) async fn run(settings: &Resolved, command: UserCommand) -> anyhow::Result<()> {
    anyhow::ensure!(settings.has_database(), "there is no database in {}: is TRADEWIND_DATA_DIR right?", settings.data_dir.display());
    let store = open_store(settings, &Ambient::system(), false).await?;
    let link = match command {
        UserCommand::Create(args) => {
            let password = if args.password_stdin { Some(read_password()?) } else { None };
            users::create_on_command_line(&store, &settings.public_url, input(args)?, password).await?
        }
        UserCommand::ResetPassword { email } => Some(users::reset_link_on_command_line(&store, &settings.public_url, &email).await?),
    };
    if let Some(link) = link {
        answer(link.reveal());
    }
    Ok(())
}

/// Without a tenant, the role is one of the operator's people.
fn input(args: CreateUserArgs) -> kernel::Result<CreateUser> {
    let (operator_role, role) = match &args.tenant {
        Some(_) => (None, args.role.as_deref().map(str::parse).transpose()?),
        None => (Some(args.role.as_deref().unwrap_or("admin").parse()?), None),
    };
    Ok(CreateUser { email: args.email, name: args.name, operator_role, tenant: args.tenant, role })
}

/// One line of standard input, so that the password is in no list of processes and no shell's history.
fn read_password() -> anyhow::Result<Secret<String>> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
