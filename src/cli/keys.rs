//! `scrum keys`: who may ask a daemon. A key is shown when it is made and never again.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};

use super::{
    Global,
    error::{CliError, Status},
    serve,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    clock,
    config::env,
    digest,
    report::{foreign, words},
    store::{
        callers::{self, Holder},
        database::{Address, Database},
        keep_out_of_git,
    },
};

/// What a key begins with, so that one that lies about is recognised.
const MARK: &str = "scrum_";

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
    /// The daemon's FILE [default: .scrum/scrum.db]
    #[arg(long, value_name = "FILE", env = env::STORE, hide_env_values = true, global = true)]
    store: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key for NAME and print it, this once
    Add {
        /// Whose key it is
        #[arg(value_parser = parse_name)]
        name: String,
        /// The only tenant it may ask for; without it, whichever `x-org-id` names
        #[arg(long, value_name = "TENANT", value_parser = parse_name)]
        tenant: Option<String>,
    },
    /// Say who has a key
    List,
    /// Take the key of NAME away
    Remove {
        /// Whose key it is
        name: String,
    },
}

pub(super) fn run(global: &Global, args: &KeysArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let address = serve::store(&workspace, args.store.as_deref())?;
    let shown = match &address {
        Address::File(path) => workspace.shown(path).to_string(),
        Address::Server(server) => server.to_string(),
    };
    // Looking makes no file.
    let is_there = !matches!(&address, Address::File(path) if !path.exists());
    let existing = || is_there.then(|| Database::at(&address)).transpose();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| CliError::new(format!("cannot start: {error}")))?;
    match &args.command {
        KeysCommand::Add { name, tenant } => {
            let database = Database::at(&address)?;
            database.path().map_or(Ok(()), keep_out_of_git)?;
            runtime.block_on(add(&database, name, tenant.as_deref(), &shown, ui))?;
        }
        KeysCommand::List => {
            let holders =
                existing()?.map(|database| runtime.block_on(callers::all(&database))).transpose()?;
            list(&holders.unwrap_or_default(), &shown, ui)?;
        }
        KeysCommand::Remove { name } => {
            let database = existing()?.ok_or_else(|| no_key(name, &shown))?;
            runtime.block_on(remove(&database, name, &shown, ui))?;
        }
    }
    Ok(Status::Done)
}

async fn add(
    database: &Database,
    name: &str,
    tenant: Option<&str>,
    shown: &str,
    ui: Ui,
) -> Result<(), CliError> {
    let key = format!("{MARK}{}", URL_SAFE_NO_PAD.encode(clock::key()?));
    let holder = Holder {
        name: name.to_owned(),
        tenant: tenant.map(str::to_owned),
        key: digest::sha256_bytes(&[key.as_bytes()]),
        since: clock::now(),
    };
    if !callers::add(database, holder).await? {
        return Err(CliError::new(format!("{name} has a key already in {shown}")).hint(
            "another name, or `scrum keys remove` first: what is kept is a hash, no key can be shown again",
        ));
    }
    Ui::result(&format!("{key}\n"), None)?;
    ui.note("this key is shown once; a daemon that runs takes it within two seconds");
    Ok(())
}

fn list(holders: &[Holder], shown: &str, ui: Ui) -> Result<(), CliError> {
    if holders.is_empty() {
        ui.note(format_args!("nobody has a key in {shown}: `scrum keys add NAME` makes one"));
        return Ok(());
    }
    Ui::result(&table(holders), None)
}

async fn remove(database: &Database, name: &str, shown: &str, ui: Ui) -> Result<(), CliError> {
    let is_removed = callers::remove(database, name).await?;
    let left = callers::all(database).await?;
    let names: Vec<&str> = left.iter().map(|holder| holder.name.as_str()).collect();
    if !is_removed {
        let error = no_key(name, shown);
        let known = || format!("keys: {}", words::list(&names));
        return Err(if names.is_empty() { error } else { error.hint(known()) });
    }
    ui.note(format_args!("{name} has no key any more; a daemon that runs knows within two seconds"));
    if names.is_empty() {
        ui.warning(
            "that was the last one: a daemon that is started now asks nobody for a key on this machine",
        );
    }
    Ok(())
}

fn no_key(name: &str, shown: &str) -> CliError {
    CliError::new(format!("{name} has no key in {shown}"))
}

/// A line each: name, tenant, day.
fn table(holders: &[Holder]) -> String {
    let head = ["name", "tenant", "since"].map(str::to_owned);
    let row = |holder: &Holder| {
        let tenant = holder.tenant.as_deref().unwrap_or("any");
        [
            foreign::one_line(&holder.name),
            foreign::one_line(tenant),
            holder.since.strftime("%Y-%m-%d").to_string(),
        ]
    };
    let rows: Vec<[String; 3]> = std::iter::once(head).chain(holders.iter().map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or_default();
    let [first, second] = [width(0), width(1)];
    let line = |[name, tenant, since]: &[String; 3]| format!("{name:first$}  {tenant:second$}  {since}\n");
    rows.iter().map(line).collect()
}

fn parse_name(name: &str) -> Result<String, String> {
    callers::fit_name(name).map(str::to_owned).map_err(|error| error.to_string())
}
