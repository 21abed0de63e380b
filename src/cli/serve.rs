//! `scrum serve`: makes the configured models reachable for many at once, until it is told to end.

use std::{
    fmt::Display,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use tokio::{net::TcpListener, runtime};

use super::{
    Global,
    error::{CliError, Status},
    found,
    interrupt::{self, Interrupt},
    secrets::secrets,
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    coalesce::Switches,
    config::{Choice, LogForm, env, key_of},
    git::Repo,
    process,
    provider::{Opener, Provider, Surroundings, sarif::Site},
    reviewer::Reviewer,
    serve::{Callers, GuardError, Kept, Server, Workplace, document, doubts, log},
    store::{
        database::{Address, Database, Server as StoreServer},
        keep_out_of_git,
    },
};

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:4001]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Keep threads, jobs and callers' keys in FILE, or at `postgres://USER@HOST/NAME` [default: .scrum/scrum.db]
    #[arg(long, value_name = "FILE", env = env::STORE, hide_env_values = true)]
    store: Option<PathBuf>,
    /// Let everybody in who can reach ADDR, as long as there are no keys (`scrum keys`)
    #[arg(long)]
    without_keys: bool,
    /// Copy the store into FILE, which must not be there yet, also while a daemon uses it; serve nothing
    #[arg(long, value_name = "FILE")]
    backup: Option<PathBuf>,
    /// Print what can be asked as an `OpenAPI` document, and serve nothing
    #[arg(long)]
    openapi: bool,
}

/// Where the daemon says what is not about a request or a job: to people beside the log, to programs as a line of it.
#[derive(Clone, Copy)]
struct Voice {
    ui: Ui,
    log: LogForm,
}

impl Voice {
    fn note(self, text: impl Display) {
        match self.log {
            LogForm::Text => self.ui.note(text),
            LogForm::Json => tracing::info!("{text}"),
        }
    }

    fn warning(self, text: impl Display) {
        match self.log {
            LogForm::Text => self.ui.warning(text),
            LogForm::Json => tracing::warn!("{text}"),
        }
    }
}

/// Serves until SIGTERM or Ctrl-C.
pub(super) fn run(global: &Global, args: &ServeArgs, ui: Ui) -> Result<Status, CliError> {
    if args.openapi {
        Ui::result(&document(), None)?;
        return Ok(Status::Done);
    }
    let mut workspace = Workspace::open_anywhere(global, ui)?;
    if let Some(to) = &args.backup {
        return backup(&store(&workspace, args.store.as_deref())?, &workspace.resolve(to), ui);
    }
    found::add(&mut workspace, &Choice::default())?;
    let mut settings = workspace.config.serve.clone();
    if let Some(listen) = &args.listen {
        settings.listen.clone_from(listen);
    }
    let listen = settings.listen.clone();
    let voice = Voice { ui, log: settings.log };
    let _ending = log::begin(settings.log, settings.log_level);
    let database = Database::at_for_daemon(&store(&workspace, args.store.as_deref())?)?;
    database.path().map_or(Ok(()), keep_out_of_git)?;
    let kept =
        Kept { database: database.clone(), runs: workspace.store.clone(), templates: workspace.templates()? };
    let folder = jobs_folder(&workspace, database.path());
    let cannot_work =
        |error: io::Error| CliError::new(format!("cannot make {} for jobs: {error}", folder.display()));
    let place = Workplace {
        program: std::env::current_exe().map_err(cannot)?,
        folder: folder.clone(),
        repository: workspace.repo.as_ref().map(Repo::root),
        config: workspace.configuration(global),
        secrets: secrets(&workspace).names,
    };
    process::conceal();
    for (entry, words) in doubts(&settings, workspace.environment) {
        let place = workspace.config.place_of(&entry).map(|place| format!("{place}: ")).unwrap_or_default();
        voice.warning(format_args!("{place}{entry}: {words}"));
    }
    let endpoints = endpoints(&workspace, voice)?;
    let server = Server::new(settings, switches(&workspace)?, endpoints, kept, place).map_err(cannot_work)?;
    let interrupt = interrupt::watched()?;
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(cannot)?;
    let guarding = async |address| Callers::new(&database, address, args.without_keys).await;
    let done = runtime.block_on(serve(&server, &listen, guarding, &interrupt, voice));
    runtime.shutdown_background();
    done
}

/// Copies the store where that is ours to do.
fn backup(store: &Address, to: &Path, ui: Ui) -> Result<Status, CliError> {
    match store {
        Address::File(path) => {
            Database::copy(path, to)?;
            ui.note(format_args!("{} has all of {}", to.display(), path.display()));
            Ok(Status::Done)
        }
        Address::Server(server) => Err(CliError::new(format!("{server} is not copied by scrum"))
            .hint("`pg_dump --format=custom --file=FILE` does it, also while daemons use it")),
    }
}

async fn serve(
    server: &Server,
    listen: &str,
    guarding: impl AsyncFnOnce(IpAddr) -> Result<Callers, GuardError>,
    interrupt: &Interrupt,
    voice: Voice,
) -> Result<Status, CliError> {
    let refused = |error: std::io::Error| {
        CliError::new(format!("cannot listen on {listen}: {error}"))
            .hint("another address: `--listen 127.0.0.1:0` takes a free port")
    };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let address: SocketAddr = listener.local_addr().map_err(refused)?;
    let callers = guarding(address.ip()).await?;
    let models = server.models();
    if models.is_empty() {
        voice.warning(
            "no model can be asked: configure a [[reviewer]] that is an endpoint, or set a provider's key",
        );
    } else {
        voice.note(format_args!("models: {}", models.join(", ")));
    }
    voice.note(format_args!(
        "dashboard: http://{}/",
        SocketAddr::new(reachable(address.ip()), address.port())
    ));
    Ui::result(&format!("listening on http://{address}\n"), None)?;
    tokio::select! {
        is_whole = server.serve(listener, callers, &interrupt.end) => {
            if !is_whole {
                voice.warning("some answers were broken off: they took longer than `grace_secs` in [serve]");
            }
            Ok(Status::Done)
        }
        () = interrupt.drop_all.cancelled() => Ok(Status::Interrupted),
    }
}

/// The address that a browser on this machine finds it at.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(one) if one.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(one) if one.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    }
}

/// Where the daemon keeps things: `named` on the command line, else configured.
pub(super) fn store(workspace: &Workspace, named: Option<&Path>) -> Result<Address, CliError> {
    let configured = &workspace.config.serve.store;
    let told = named.unwrap_or(configured).to_string_lossy();
    if told.contains("://") {
        // Not repeated: there may be a password in it.
        let server = StoreServer::parse(&told).map_err(|problem| {
            CliError::new(format!("the store cannot be used: {problem}"))
                .hint("`--store postgres://USER@HOST/NAME`, with %XX for what is special in an address, or `--store FILE`")
        })?;
        return Ok(Address::Server(server));
    }
    Ok(Address::File(named.map_or_else(|| workspace.root().join(configured), |path| workspace.resolve(path))))
}

/// Where jobs work: as configured, else beside the store where that is a file.
fn jobs_folder(workspace: &Workspace, store: Option<&Path>) -> PathBuf {
    let configured = workspace.config.serve.queue.folder.as_ref().map(|folder| workspace.root().join(folder));
    let beside = || store.map(|store| store.with_file_name("jobs"));
    configured.or_else(beside).unwrap_or_else(|| workspace.root().join(".scrum/jobs"))
}

fn switches(workspace: &Workspace) -> Result<Switches, CliError> {
    let is_on = |name| workspace.environment.is_on(name).map_err(CliError::new);
    Ok(Switches { coalesce: is_on(env::COALESCE_ENABLED)?, streams: is_on(env::STREAM_FANOUT_ENABLED)? })
}

/// The reviewers that are endpoints and have their key, opened. It is said who has none.
fn endpoints(workspace: &Workspace, voice: Voice) -> Result<Vec<(Reviewer, Provider)>, CliError> {
    let nobody = Arc::new(|_, _: &_| Err("not asked here".to_owned()));
    let mut opener = Opener::new(nobody, Site::nowhere(), Surroundings::from_iter([]));
    let mut endpoints = Vec::new();
    for reviewer in workspace.config.reviewers.iter().filter(|one| one.access.base_url().is_some()) {
        match key_of(reviewer, workspace.environment) {
            Ok(key) => endpoints.push((reviewer.clone(), opener.open(reviewer, key)?)),
            Err(obstacle) => voice.warning(format_args!("{} cannot be asked: {obstacle}", reviewer.id)),
        }
    }
    Ok(endpoints)
}

fn cannot(error: impl Display) -> CliError {
    CliError::new(format!("cannot serve: {error}"))
}
