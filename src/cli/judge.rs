//! What `scrum review` asks others about the findings: [`judge`] lets the adjudicator and the examiners be heard.
//!
//! Whether it does at all is in the run's record, so that a resumed run goes on with it.

use std::sync::Arc;

use super::{
    error::CliError, interrupt::Interrupt, review::voice, supervise::supervised, ui::Ui, workspace::Workspace,
};
use crate::{
    config::{Config, key_of},
    estimate::Forecast,
    judge::{LONGEST_QUESTION, can_judge},
    prompt::Templates,
    provider::{Opener, sarif::Site},
    report::words,
    reviewer::{Reviewer, Seat},
    run::{
        bounds::Bounds,
        event::channel,
        executor::Pace,
        judging::{Adjudicator, Heard, Judging, JudgingError},
        offline,
        respondent::{Respondent, most_voices},
    },
    store::{
        Cache, RunDir, StoreError,
        record::{JudgingRecord, RunRecord},
    },
    tally::Input,
};

/// Where the findings come from, and who may be asked.
pub(super) struct Session<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) dir: &'a RunDir,
    pub(super) record: &'a RunRecord,
    /// The panel's reviewers that can be asked.
    pub(super) respondents: &'a [Respondent],
    /// Answers of other runs.
    pub(super) cache: &'a Cache,
    /// `--timeout`.
    pub(super) timeout: Option<u64>,
    pub(super) pace: Pace,
}

/// How it ended.
pub(super) enum Ended {
    /// Everything open was put to somebody, or Ctrl-C came. What could not be saved, if anything.
    Judged(Option<StoreError>),
    /// All is to be dropped.
    Dropped,
}

/// What a run is to ask others about its findings; `None`: nothing.
pub(super) fn wanted(config: &Config, verify: bool) -> Option<JudgingRecord> {
    let adjudicator = config.adjudicator.as_ref().map(|reviewer| reviewer.id.to_string());
    let verify = verify || config.verify;
    let prompt_hash = Templates::judgement_hash();
    (verify || adjudicator.is_some()).then_some(JudgingRecord { verify, adjudicator, prompt_hash })
}

/// For `--dry-run`: what may come on top of the requests shown. How many they are depends on what is found.
pub(super) fn announce(config: &Config, verify: bool, panel: &[Reviewer], ui: Ui) {
    let Some(wanted) = wanted(config, verify) else { return };
    if let Some(adjudicator) = &config.adjudicator {
        ui.note(format_args!(
            "{} may be asked once more for each place where claims are not settled, which the estimate leaves out: {} each",
            adjudicator.id,
            most_of_one([adjudicator])
        ));
    }
    if wanted.verify {
        let examiners = panel.iter().filter(|one| can_judge(&(*one).into()));
        ui.note(format_args!(
            "each BLOCK of one lineage may be one request more, to a reviewer of another lineage, which the estimate leaves out: {} each",
            most_of_one(examiners)
        ));
    }
    if config.max_cost_usd.is_none() && config.max_tokens.is_none() {
        ui.note("`--max-cost` and `--max-tokens` hold for these, too");
    }
}

/// The most that one question about claims takes of the dearest of `reviewers`: `at most about 7,200 tokens in, $0.04`.
fn most_of_one<'a>(reviewers: impl IntoIterator<Item = &'a Reviewer>) -> String {
    let forecasts = reviewers.into_iter().map(|one| Forecast::new(one, &[LONGEST_QUESTION], 0));
    let forecasts: Vec<Forecast> = forecasts.collect();
    let tokens = forecasts.iter().map(|one| one.tokens_in).max().unwrap_or(LONGEST_QUESTION);
    let costs: Option<Vec<f64>> = forecasts.iter().map(|one| Some(one.cost_usd?.1)).collect();
    let dearest = costs.and_then(|costs| costs.into_iter().reduce(f64::max));
    let price = dearest.map_or_else(|| "at a price that is not known".to_owned(), words::dollars);
    format!("at most about {} tokens in, {price}", words::grouped(tokens))
}

/// Asks until nothing is open, and puts the judgements into `input`.
pub(super) fn judge(
    session: &Session<'_>,
    input: &mut Input,
    bounds: &mut Bounds,
    ui: Ui,
    interrupt: &Interrupt,
) -> Result<Ended, CliError> {
    let Some(wanted) = &session.record.judging else { return Ok(Ended::Judged(None)) };
    let templates = session.workspace.templates()?;
    let mut judging = Judging {
        dir: session.dir,
        cache: session.cache.clone(),
        templates: &templates,
        nonce: Arc::from(session.record.nonce.as_str()),
        adjudicator: adjudicator(session)?,
        examiners: wanted.verify.then_some(session.respondents),
        pace: session.pace,
        asked: <_>::default(),
        questions: 0,
    };
    while !interrupt.end.is_cancelled() {
        let round = match judging.next(input) {
            Ok(Some(round)) => round,
            Ok(None) => break,
            // The tally is shown all the same.
            Err(JudgingError::Store(error)) => return Ok(Ended::Judged(Some(error))),
            Err(JudgingError::Template(error)) => return Err(error.into()),
        };
        let events = channel(round.requests(), most_voices(round.respondents()), &session.pace);
        let work = async |events: &_, cancel: &_| judging.ask(round, bounds, events, cancel).await;
        let heard = supervised(events, ui, interrupt, work)?;
        let Some(Heard { judgements, unsaved, forgotten }) = heard else { return Ok(Ended::Dropped) };
        if let Some(error) = forgotten {
            ui.warning(format_args!("answers are not kept for other runs: {error}"));
        }
        for judgement in judgements {
            input.judgements.put(judgement);
        }
        if unsaved.is_some() {
            return Ok(Ended::Judged(unsaved));
        }
    }
    Ok(Ended::Judged(None))
}

/// As configured now: its rulings carry its name, so those of another one are no harm.
fn adjudicator(session: &Session<'_>) -> Result<Option<Adjudicator>, CliError> {
    let Some(reviewer) = &session.workspace.config.adjudicator else { return Ok(None) };
    let seated = session.respondents.iter().find(|one| one.reviewer.id == reviewer.id);
    let respondent = match seated {
        Some(seated) => Ok(seated.clone()),
        None => without_seat(reviewer, session.workspace, session.timeout)?,
    };
    Ok(Some(Adjudicator { seat: Seat::from(reviewer), respondent }))
}

/// A respondent for `reviewer`, who is not on the panel; else why neither it nor a stand-in can be asked.
pub(super) fn without_seat(
    reviewer: &Reviewer,
    workspace: &Workspace,
    timeout: Option<u64>,
) -> Result<Result<Respondent, String>, CliError> {
    let environment = workspace.environment;
    let key = key_of(reviewer, environment);
    let absence = key.as_ref().err().map(ToString::to_string);
    let itself = key.ok().map(|key| (reviewer.clone(), key));
    let stand_ins = workspace.config.stand_ins_with_keys(reviewer, environment);
    let surroundings = environment.variables().collect();
    let mut opener = Opener::new(offline::nobody(), Site::nowhere(), surroundings);
    let open = |(reviewer, key)| voice(timeout, reviewer, key, &mut opener);
    let voices: Vec<_> = itself.into_iter().chain(stand_ins).map(open).collect::<Result<_, _>>()?;
    Ok(match absence {
        Some(absence) if voices.is_empty() => Err(absence),
        absence => Ok(Respondent { reviewer: reviewer.clone(), voices, absence }),
    })
}
