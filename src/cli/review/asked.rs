//! Whom to ask what: [`Asked`] holds the questions, and reviewers made ready to be asked.
//!
//! It opens providers but sends nothing.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;

use super::{Material, ReviewArgs};
use crate::{
    bundle::Bundle,
    cli::{error::CliError, ui::Ui, workspace::Workspace},
    config::Seats,
    prompt::Templates,
    provider::{Opener, Question},
    reviewer::{Reviewer, ReviewerId},
    run::{
        recall::Memory,
        respondent::{Respondent, Voice},
    },
};

/// Whom to ask what.
pub(in crate::cli) struct Asked {
    pub(in crate::cli) questions: Vec<Arc<Question>>,
    pub(in crate::cli) respondents: Vec<Respondent>,
    pub(in crate::cli) skipped: Vec<(ReviewerId, String)>,
}

impl Asked {
    /// Everybody who may be sent a question, stand-ins too.
    pub(super) fn reviewers(&self) -> impl Iterator<Item = &Reviewer> {
        self.respondents.iter().flat_map(|seat| &seat.voices).map(|voice| &voice.reviewer)
    }

    /// Says who is not asked as one would expect, and why.
    pub(in crate::cli) fn announce(&self, ui: Ui) {
        for (reviewer, reason) in &self.skipped {
            ui.warning(format_args!("{reviewer} is not asked: {reason}"));
        }
        for Respondent { reviewer, voices, absence } in &self.respondents {
            if let (Some(absence), Some(first)) = (absence, voices.first()) {
                ui.warning(format_args!(
                    "{} is asked in the place of {}: {absence}",
                    first.reviewer.id, reviewer.id
                ));
            }
        }
    }
}

/// Puts `material` to `seats`; `timeout` in seconds goes over their own.
pub(in crate::cli) fn asked(
    timeout: Option<u64>,
    seats: Seats,
    mut opener: Opener,
    material: &Material,
    templates: &Templates,
    nonce: &str,
) -> Result<Asked, CliError> {
    let questions = material.questions(templates, nonce)?;
    let skipped = seats.skipped.iter();
    let skipped = skipped.map(|seat| (seat.reviewer.id.clone(), seat.obstacle.to_string())).collect();
    let respondents = respondents(timeout, seats, &mut opener)?;
    Ok(Asked { questions, respondents, skipped })
}

/// The seats that can be asked, each with those who may answer for it.
fn respondents(
    timeout: Option<u64>,
    mut seats: Seats,
    opener: &mut Opener,
) -> Result<Vec<Respondent>, CliError> {
    let own = seats.usable.into_iter().map(|(reviewer, key)| (reviewer.clone(), Some((reviewer, key)), None));
    let absent =
        seats.substituted.into_iter().map(|seat| (seat.reviewer, None, Some(seat.obstacle.to_string())));
    let respondent = |(reviewer, own, absence): (Reviewer, Option<_>, _)| {
        let voices = own.into_iter().chain(seats.stand_ins.remove(&reviewer.id).unwrap_or_default());
        let voices = voices.map(|(reviewer, key)| voice(timeout, reviewer, key, opener));
        Ok(Respondent { voices: voices.collect::<Result<_, _>>()?, reviewer, absence })
    };
    own.chain(absent).map(respondent).collect()
}

/// `reviewer` made ready to be asked; `timeout` in seconds goes over its own.
pub(in crate::cli) fn voice(
    timeout: Option<u64>,
    mut reviewer: Reviewer,
    key: Option<SecretString>,
    opener: &mut Opener,
) -> Result<Voice, CliError> {
    reviewer.timeout = timeout.map_or(reviewer.timeout, Duration::from_secs);
    let provider = opener.open(&reviewer, key)?;
    Ok(Voice { reviewer, provider })
}

/// What `reviewers` answered about `material` in earlier runs.
pub(super) fn memory<'a>(
    workspace: &Workspace,
    args: &ReviewArgs,
    material: &Material,
    templates: &Templates,
    reviewers: impl IntoIterator<Item = &'a Reviewer>,
) -> Result<Arc<Memory>, CliError> {
    let digest =
        |(bundle, guidance): &(Bundle, String)| Ok((bundle.id.clone(), templates.digest(bundle, guidance)?));
    let questions = material.shown().iter().map(digest).collect::<Result<Vec<_>, CliError>>()?;
    Ok(Arc::new(Memory::new(workspace.cache(!args.no_cache), &questions, reviewers)))
}
