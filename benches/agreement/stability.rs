//! How often a finding more makes another one's convergence fall: [`print`].
//!
//! Every recorded finding is taken away once, and the tally made without it is held against the whole one.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]

use std::{collections::HashMap, path::Path};

use scrum::{
    change::RangeInfo,
    coverage::{Outcome, State},
    reviewer::{Lineage, Panel, ReviewerId, Seat},
    tally::{Input, RunInfo, TaskReply, tally},
};

use crate::data::{entries, text};

/// One answer: whose, and its findings as text.
struct Answer {
    by: String,
    blocks: Vec<String>,
}

/// Prints how many of the others' convergences one finding more raised and lowered.
pub(crate) fn print(folder: &Path) {
    let (mut added, mut raised, mut lowered) = (0, 0, 0);
    for pull in entries(folder) {
        let answers: Vec<_> = entries(&pull).iter().filter_map(|file| answer(file)).collect();
        let whole = convergences(&answers, None);
        for (at, answer) in answers.iter().enumerate() {
            for block in 0..answer.blocks.len() {
                added += 1;
                for (finding, without) in convergences(&answers, Some((at, block))) {
                    let with = whole.get(&finding).copied().unwrap_or_default();
                    raised += usize::from(with > without);
                    lowered += usize::from(with < without);
                }
            }
        }
    }
    println!(
        "\n{added} findings added last, one by one: raised the convergence of {raised} others, lowered that of {lowered}"
    );
}

fn answer(file: &Path) -> Option<Answer> {
    let by = file.file_stem().filter(|_| file.extension().is_some_and(|end| end == "md"))?;
    let whole = text(file);
    let blocks = whole.split("SEVERITY:").skip(1).map(|block| format!("SEVERITY:{block}")).collect();
    Some(Answer { by: by.to_string_lossy().into_owned(), blocks })
}

/// The convergence that each finding has part in, by reviewer and claim.
fn convergences(answers: &[Answer], without: Option<(usize, usize)>) -> HashMap<(String, String), usize> {
    let id = |one: &Answer| ReviewerId::new(&one.by).unwrap_or_else(|error| panic!("{error}"));
    let seat = |one: &Answer| Seat {
        id: id(one),
        provider: "replay".to_owned(),
        model: one.by.clone(),
        lineage: Lineage::new(&one.by),
    };
    let reply = |(at, one): (usize, &Answer)| TaskReply {
        outcome: Outcome::new("c1".to_owned(), id(one), State::Answered),
        text: Some(
            one.blocks
                .iter()
                .enumerate()
                .filter(|(block, _)| without != Some((at, *block)))
                .map(|(_, text)| text.as_str())
                .collect(),
        ),
    };
    let input = Input {
        run: RunInfo::default(),
        range: RangeInfo::default(),
        panel: Panel { reviewers: answers.iter().map(seat).collect() },
        bundles: Vec::new(),
        excluded: Vec::new(),
        replies: answers.iter().enumerate().map(reply).collect(),
        judgements: <_>::default(),
        dispositions: Vec::new(),
        since: None,
    };
    let issues = tally(input).issues;
    let members = issues.iter().flat_map(|issue| issue.members.iter().map(|one| (one, issue.convergence())));
    members
        .map(|(one, count)| ((one.reviewer.to_string(), one.anchored.finding.what.clone()), count))
        .collect()
}
