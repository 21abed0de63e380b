//! tmp
use crate::{
    bundle::Split,
    change::{Commit, RangeInfo},
    provider::{AnswerBuiltin, builtin::RuleSet},
};
use std::{path::PathBuf, sync::Arc};
/// tmp
pub fn answerer(
    _: RuleSet,
    _: Option<PathBuf>,
    _: &RangeInfo,
    _: &[Commit],
    _: &Arc<Split>,
) -> AnswerBuiltin {
    Arc::new(|_, _| "VERDICT: ship\n".to_owned())
}
