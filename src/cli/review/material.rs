//! What is reviewed: [`Material`], and the questions about it.
//!
//! Who is asked them is `asked`'s matter.

use std::sync::Arc;

use crate::{
    bundle::{Bundle, Split, context::Growth},
    change::{Commit, RangeInfo},
    cli::error::CliError,
    mask::{self, Mask},
    prompt::{Templates, guidance::Told},
    provider::Question,
    store::record::{GuidanceRecord, Manifest},
};

/// What is reviewed.
pub(in crate::cli) struct Material {
    pub(in crate::cli) split: Arc<Split>,
    pub(in crate::cli) range: RangeInfo,
    /// Their messages as they are told.
    pub(in crate::cli) commits: Vec<Commit>,
    /// What is masked in both.
    pub(in crate::cli) masks: Vec<Mask>,
    /// What became of showing more around the hunks.
    pub(in crate::cli) growth: Growth,
    /// What the maintainers tell about each bundle, in the bundles' order.
    pub(in crate::cli) guidance: Vec<Told>,
}

impl Material {
    /// A change with its credentials found; they are masked in `commits`.
    pub(in crate::cli) fn new(
        split: Split,
        range: RangeInfo,
        mut commits: Vec<Commit>,
        guidance: Vec<Told>,
    ) -> Self {
        let masks = mask::find(&split.bundles, &mut commits);
        Self { split: Arc::new(split), range, commits, masks, growth: Growth::default(), guidance }
    }

    pub(in crate::cli) fn manifest(&self) -> Manifest {
        Manifest { context: (&self.growth).into(), ..Manifest::new(&self.range, &self.split) }
    }

    /// For the run's record.
    pub(in crate::cli) fn guidance_told(&self) -> Vec<GuidanceRecord> {
        let of_bundle = |(bundle, told): (&Bundle, &Told)| {
            let sources = told.sources.clone().into_iter();
            sources.map(|source| GuidanceRecord::new(&bundle.id, source)).collect::<Vec<_>>()
        };
        self.split.bundles.iter().zip(&self.guidance).flat_map(of_bundle).collect()
    }

    /// What is to be asked, a question a bundle.
    pub(super) fn questions(
        &self,
        templates: &Templates,
        nonce: &str,
    ) -> Result<Vec<Arc<Question>>, CliError> {
        let nonce: Arc<str> = nonce.into();
        let question = |(bundle, (shown, guidance)): (&Bundle, (Bundle, String))| {
            let prompt = templates.render(&shown, &self.commits, &guidance, &nonce)?;
            let bundle = Arc::new(bundle.clone());
            Ok(Arc::new(Question { bundle, prompt, nonce: Arc::clone(&nonce) }))
        };
        self.split.bundles.iter().zip(self.shown()).map(question).collect()
    }

    /// What reviewers see of each bundle, and the guidance that goes with it: both without values of credentials.
    pub(super) fn shown(&self) -> Vec<(Bundle, String)> {
        let bundles = mask::shown(&self.split.bundles, &self.masks).into_owned();
        let guidance = self.guidance.iter().map(|told| mask::without_credentials(&told.text));
        bundles.into_iter().zip(guidance).collect()
    }
}
