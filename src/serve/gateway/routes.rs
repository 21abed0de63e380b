//! Which model is asked where: [`Routes`].

use std::sync::Arc;

use super::upstream::Upstream;

/// The configured reviewers that are endpoints, in order of configuration.
pub(in crate::serve) struct Routes(Vec<Arc<Upstream>>);

impl Routes {
    pub(in crate::serve) fn new(upstreams: Vec<Upstream>) -> Self {
        Self(upstreams.into_iter().map(Arc::new).collect())
    }

    /// The one that `name` means: a reviewer's id, else the name of its model; the first that fits.
    pub(in crate::serve) fn find(&self, name: &str) -> Option<&Arc<Upstream>> {
        let by_id = self.0.iter().find(|one| one.reviewer.id.as_str() == name);
        by_id.or_else(|| self.0.iter().find(|one| one.reviewer.model == name))
    }

    /// Where a request goes that names no model, because it cannot be read: where all go, if that is one provider. What was
    /// meant for one of several is not told to another.
    pub(in crate::serve) fn only(&self) -> Option<&Arc<Upstream>> {
        let first = self.0.first()?;
        let service = first.reviewer.service();
        self.0.iter().all(|one| one.reviewer.service() == service).then_some(first)
    }

    /// All of them.
    pub(in crate::serve) fn iter(&self) -> impl Iterator<Item = &Arc<Upstream>> {
        self.0.iter()
    }

    /// Every name that [`find`](Self::find) knows, once.
    pub(in crate::serve) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for one in &self.0 {
            for name in [one.reviewer.id.as_str(), one.reviewer.model.as_str()] {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}
