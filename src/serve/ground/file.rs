//! What else a task says: [`check`] its file and its panel.

use super::NotAllowed;
use crate::job::{Kind, Task};

/// Most characters of a path or a name.
const LONGEST: usize = 400;

/// Says what of `task` cannot be an argument of its command.
pub(super) fn check(task: &Task) -> Result<(), NotAllowed> {
    let is_said =
        |text: &String| !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    if let Some(file) = &task.file
        && !(is_said(file) && is_below(file))
    {
        return Err(NotAllowed::File { file: file.chars().take(LONGEST).collect() });
    }
    if task.panel.as_ref().is_some_and(|panel| !is_said(panel) || panel.starts_with('-')) {
        return Err(NotAllowed::Panel);
    }
    match task.kind {
        Kind::Parity | Kind::Eval if task.file.is_none() => Err(NotAllowed::NoFile { kind: task.kind }),
        Kind::Review if task.file.is_some() => Err(NotAllowed::FileOfReview),
        Kind::Review | Kind::Parity | Kind::Smoke | Kind::Gauntlet | Kind::Eval | Kind::Noop => Ok(()),
    }
}

/// A path that leads down from the repository's root.
fn is_below(path: &str) -> bool {
    !path.contains('\\')
        && path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.starts_with('-'))
}
