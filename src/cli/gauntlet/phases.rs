//! The phases of a gauntlet, carried out one by one: checks, review, comparisons.

use std::sync::Arc;

use super::{PhaseName, Session};
use crate::{
    cli::{
        error::CliError,
        parity,
        review::{self, Reviewed},
        smoke,
    },
    config::parity as specs,
    gauntlet::{
        carried,
        conclude::Phase,
        document::{CheckWord, GapEntry, Smoke, SpecEntry},
        parity::{Report, Spec, markdown, wire},
        smoke::{OnFailure, files::file_names},
    },
    store::RunDir,
};

/// A comparison that was carried out, or could not be.
pub(super) struct Comparison {
    pub(super) entry: SpecEntry,
    /// `None` where nothing was compared.
    report: Option<Report>,
}

impl Session<'_> {
    /// Every spec that is declared, read and checked.
    pub(super) fn specs(&self) -> Result<Vec<Arc<Spec>>, CliError> {
        let specs = self.declared.parity.iter().map(|path| Ok(Arc::new(specs::load(path)?)));
        let specs: Vec<Arc<Spec>> = specs.collect::<Result<_, CliError>>()?;
        for (at, spec) in specs.iter().enumerate() {
            if specs[..at].iter().any(|other| other.name == spec.name) {
                let message = format!("two of the specs of {} are named {:?}", self.file, spec.name);
                return Err(CliError::new(message)
                    .hint("known gaps are told apart by the names: give one another `name`"));
            }
        }
        Ok(specs)
    }

    pub(super) fn smoke(&self, dir: &RunDir) -> Result<Phase<Smoke>, CliError> {
        let chain = &self.declared.chain;
        if let Some(phase) = self.unbegun(PhaseName::Smoke, !chain.checks.is_empty(), false) {
            return Ok(phase);
        }
        let done = smoke::carry_out(&self.base, chain, dir, &self.interrupt, self.ui)?;
        Ok(done.map_or_else(dropped, |smoke| Phase::Carried(carried::chain(&smoke))))
    }

    /// Whether nothing more is to be begun, as the chain stops where a check fails.
    pub(super) fn is_over(&self, smoke: &Phase<Smoke>) -> bool {
        let has_failed = |smoke: &Smoke| smoke.checks.iter().any(|check| check.result == CheckWord::Failed);
        self.declared.chain.on_failure == OnFailure::Stop
            && matches!(smoke, Phase::Carried(smoke) if has_failed(smoke))
    }

    pub(super) fn review(
        &self,
        ready: Option<&mut review::Phase>,
        is_over: bool,
    ) -> Result<Phase<Option<Reviewed>>, CliError> {
        if let Some(phase) = self.unbegun(PhaseName::Review, self.declared.review.is_some(), is_over) {
            return Ok(phase);
        }
        let reviewed = ready.map(|ready| ready.perform(&self.interrupt, self.ui)).transpose()?;
        Ok(Phase::Carried(reviewed.flatten()))
    }

    pub(super) fn parity(
        &self,
        specs: &[Arc<Spec>],
        is_over: bool,
    ) -> Result<Phase<Vec<Comparison>>, CliError> {
        if let Some(phase) = self.unbegun(PhaseName::Parity, !specs.is_empty(), is_over) {
            return Ok(phase);
        }
        let files = file_names(specs.iter().map(|spec| spec.name.as_str()));
        let compared = specs.iter().zip(files).map(|(spec, file)| {
            let mut one = self.compare(spec)?;
            let stem = file.trim_end_matches(".txt");
            one.entry.report = one.report.as_ref().map(|_| format!("parity/{stem}.md"));
            Ok(one)
        });
        compared.collect::<Result<_, CliError>>().map(Phase::Carried)
    }

    fn compare(&self, spec: &Arc<Spec>) -> Result<Comparison, CliError> {
        let unasked = |why: &str| Ok(Comparison { entry: carried::unasked(spec, why), report: None });
        if self.is_interrupted() {
            return unasked("interrupted");
        }
        match parity::carry_out(&self.base, spec, 1, Vec::new(), &self.interrupt, self.ui)? {
            Some(Ok(done)) => {
                Ok(Comparison { entry: carried::spec(&done.report), report: Some(done.report) })
            }
            Some(Err(error)) => unasked(&error.to_string()),
            None => unasked("ended at once"),
        }
    }

    /// Why a phase is not carried out; `None` where it is to be.
    fn unbegun<T>(&self, phase: PhaseName, is_declared: bool, is_over: bool) -> Option<Phase<T>> {
        if !is_declared {
            return Some(Phase::NotDeclared);
        }
        if let Some(by) = self.args.left_out(phase) {
            return Some(Phase::LeftOut(by));
        }
        if self.is_interrupted() {
            return Some(Phase::Unbegun("interrupted".to_owned()));
        }
        is_over.then(|| Phase::Unbegun("the chain stops where a check fails".to_owned()))
    }
}

impl Comparison {
    /// Writes its own report, with what is accepted by `entry` and `gaps`.
    pub(super) fn keep(
        &mut self,
        entry: &SpecEntry,
        gaps: &[GapEntry],
        dir: &RunDir,
    ) -> Result<(), CliError> {
        let (Some(report), Some(file)) = (&mut self.report, &entry.report) else { return Ok(()) };
        carried::accept(report, entry, gaps);
        dir.write_parity(file, &markdown(report))?;
        Ok(dir.write_parity(&file.replace(".md", ".json"), &wire::json(report))?)
    }
}

fn dropped<T>() -> Phase<T> {
    Phase::Unbegun("ended at once".to_owned())
}
