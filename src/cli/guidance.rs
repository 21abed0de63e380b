//! What `scrum review` tells reviewers in the maintainers' name: [`guidance`] bundle by bundle, [`announce`] in a dry run.

use std::collections::BTreeMap;

use super::{error::CliError, ui::Ui, workspace::Workspace};
use crate::{
    bundle::Split,
    change::RangeInfo,
    prompt::{Templates, guidance::Told},
    report::words,
};

/// What is told about each bundle of `split`, in their order.
pub(super) fn guidance(
    workspace: &Workspace,
    range: &RangeInfo,
    split: &Split,
    templates: &Templates,
    ui: Ui,
) -> Result<Vec<Told>, CliError> {
    let guidance = workspace.guidance(range, split, templates, ui)?;
    Ok(split.bundles.iter().map(|bundle| guidance.about(bundle)).collect())
}

/// For `--dry-run`: what comes on top of the bundles, each source with the most that is told of it.
pub(super) fn announce(guidance: &[Told], ui: Ui) {
    let mut most: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for source in guidance.iter().flat_map(|told| &told.sources) {
        let (told, _) = most.entry(&source.name).or_insert((0, source.bytes));
        *told = source.told.max(*told);
    }
    let one = |(name, (told, bytes)): (&&str, &(usize, usize))| {
        if told == bytes {
            format!("{name} ({bytes} bytes)")
        } else {
            format!("{name} ({told} of {bytes} bytes)")
        }
    };
    if !most.is_empty() {
        let sources: Vec<String> = most.iter().map(one).collect();
        ui.note(format_args!("guidance on top of the bundles: {}", words::list_up_to(&sources, 8)));
    }
}
