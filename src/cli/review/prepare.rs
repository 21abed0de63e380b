//! Everything up to the first request: [`prepare`] makes a [`Job`] of a change.

use std::sync::Arc;

use super::{
    Material, ReviewArgs,
    asked::{Asked, asked, memory},
    preview,
    pull::Pulled,
};
use crate::{
    VERSION,
    bundle::{Bundle, Split},
    change::{Change, RangeInfo},
    cli::{
        bundle,
        error::CliError,
        found,
        guidance::guidance,
        judge, pull, report,
        ui::Ui,
        workspace::{Reading, Workspace},
    },
    clock,
    config::{Choice, Seats},
    judgement::Judgements,
    prompt::Templates,
    report::preview::Prospect,
    reviewer::{Access, Builtin, Panel, Reviewer},
    route::Routes,
    run::{
        self,
        recall::Memory,
        routing::{self, Assignment},
    },
    store::{RunDir, record::RunRecord},
    tally::{
        self, Input, RunInfo, TaskReply,
        gate::{self, Policy},
        since::Since,
    },
};

/// A run that is ready to be asked.
pub(super) struct Job {
    pub(super) dir: RunDir,
    pub(super) record: RunRecord,
    pub(super) material: Material,
    pub(super) policy: Policy,
    pub(super) asked: Asked,
    pub(super) memory: Arc<Memory>,
    pub(super) earlier: Vec<TaskReply>,
    pub(super) judgements: Judgements,
    /// The last review of the same pull request.
    pub(super) since: Option<Since>,
}

/// Everything up to the first request. `None` when there is nothing to ask, and it has been said.
pub(super) fn prepare(
    workspace: &mut Workspace,
    args: &ReviewArgs,
    pulled: Option<Pulled>,
    ui: Ui,
) -> Result<Option<Job>, CliError> {
    let policy = args.gate.over(workspace.policy());
    let choice = Choice { panel: args.panel.clone(), reviewers: args.reviewers.clone() };
    let mut leaves = false;
    let mut since = None;
    if let Some(pulled) = pulled {
        leaves = found::add(workspace, &choice)?;
        since = Some(pulled.since(workspace, args, &choice, &policy, ui)?);
    }
    let has_last = since.as_ref().is_some_and(|since| since.last.is_some());
    let change = match workspace.change(&args.change, ui)? {
        Reading::Files(change) => change,
        // What the last review left is told all the same.
        Reading::NoFile(range) if has_last => Change { range, ..Change::default() },
        Reading::NoFile(range) => {
            document_of_nothing(args, &policy, range, ui)?;
            return Ok(None);
        }
    };
    let (range, commits) = (change.range.clone(), change.commits.clone());
    leaves |= !change.files.is_empty() && found::add(workspace, &choice)?;
    let looks_back = |one: &Reviewer| one.access == Access::Builtin(Builtin::History);
    let past = routing::anybody(&workspace.config, &choice)?.iter().any(looks_back).then(|| change.clone());
    let (split, growth) = bundle::split(workspace, &args.change, change, ui)?;
    let templates = workspace.templates()?;
    let guidance = guidance(workspace, &range, &split, &templates, ui)?;
    let (seats, routes) = seats(workspace, &choice, &policy, &split)?;
    let material = Material { growth, ..Material::new(split, range, commits, guidance) };
    if args.dry_run {
        preview::show(workspace, args, &material, &templates, (&seats, &routes), ui)?;
        bundle::check_sizes(workspace, &material.split, ui)?;
        return Ok(None);
    }
    bundle::check_sizes(workspace, &material.split, ui)?;
    let nonce = clock::nonce()?;
    let mut record = record(&nonce, &templates, &material, &seats.panel(), &policy);
    record.judging = judge::wanted(&workspace.config, args.verify);
    record.guidance = material.guidance_told();
    record.repository = pull::repository_page(workspace, since.as_ref());
    record.routes = routes.iter().map(Into::into).collect();
    let in_place = seats.in_place();
    let opener = workspace.opener(&seats, &material, past)?;
    let asked = asked(args.timeout, seats, opener, &material, &templates, &nonce)?;
    let memory =
        memory(workspace, args, &material, &templates, asked.respondents.iter().map(|one| &one.reviewer))?;
    if leaves {
        let reviewers: Vec<Reviewer> = asked.respondents.iter().map(|one| one.reviewer.clone()).collect();
        let forecasts = preview::forecasts((&reviewers, &in_place), &material, &templates, &routes, &memory)?;
        let panel = Prospect {
            reviewers: &reviewers,
            in_place: &in_place,
            forecasts: &forecasts,
            today: preview::today(),
        };
        found::announce(workspace, &choice, panel, ui);
    }
    let dir = workspace.store.create(&record, &material.manifest(), &material.split)?;
    since.iter().try_for_each(|since| dir.write_since(since))?;
    let (earlier, judgements) = <_>::default();
    Ok(Some(Job { dir, record, material, policy, asked, memory, earlier, judgements, since }))
}

/// Everybody who is asked about a bundle of `split`, with keys, and who is asked about which.
fn seats(
    workspace: &Workspace,
    choice: &Choice,
    policy: &Policy,
    split: &Split,
) -> Result<(Seats, Routes), CliError> {
    if split.bundles.is_empty() && split.excluded.is_empty() {
        return Ok(<_>::default());
    }
    let Assignment { reviewers, routes } = routing::assign(&workspace.config, choice, &split.bundles)?;
    let panel = Panel { reviewers: reviewers.iter().map(Into::into).collect() };
    let least = least(&routes, &panel, &split.bundles, policy);
    let seats = workspace.config.seated(reviewers, least, workspace.environment)?;
    Ok((seats, routes))
}

/// Fewest lineages that must be there for every bundle to have been answered by as many as it needs.
pub(super) fn least(routes: &Routes, panel: &Panel, bundles: &[Bundle], policy: &Policy) -> usize {
    let needed = bundles.iter().map(|bundle| routes.needed(&bundle.id, panel, policy.min_lineages));
    needed.max().unwrap_or(policy.min_lineages)
}

/// The tally of a change without files, for a reader that expects a document; a person has been told.
fn document_of_nothing(args: &ReviewArgs, policy: &Policy, range: RangeInfo, ui: Ui) -> Result<(), CliError> {
    if args.dry_run {
        return Ok(());
    }
    let now = run::timestamp(clock::now());
    let run = RunInfo {
        started_at: now.clone(),
        finished_at: Some(now),
        tool_version: VERSION.to_owned(),
        ..RunInfo::default()
    };
    let (panel, bundles, excluded, replies, judgements, dispositions, since) = <_>::default();
    let tally = tally::tally(Input {
        run,
        range,
        panel,
        bundles,
        excluded,
        replies,
        judgements,
        dispositions,
        since,
    });
    report::print_document(&tally, &gate::evaluate(&tally, policy), &args.output, ui)
}

/// The record of a run that starts now.
pub(in crate::cli) fn record(
    nonce: &str,
    templates: &Templates,
    material: &Material,
    panel: &Panel,
    policy: &Policy,
) -> RunRecord {
    let now = clock::now();
    RunRecord {
        schema: RunRecord::SCHEMA.to_owned(),
        id: run::run_id(now, nonce),
        tool_version: VERSION.to_owned(),
        prompt_hash: templates.hash(),
        nonce: nonce.to_owned(),
        started_at: run::timestamp(now),
        finished_at: None,
        range: (&material.range).into(),
        repository: None,
        commits: material.commits.iter().map(Into::into).collect(),
        masked: material.masks.iter().map(Into::into).collect(),
        cut_short: None,
        panel: panel.reviewers.iter().map(Into::into).collect(),
        gate: policy.into(),
        routes: Vec::new(),
        judging: None,
        context: (&material.growth).into(),
        guidance: Vec::new(),
    }
}
