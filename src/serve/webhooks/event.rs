//! What platforms tell, in one form: [`Told`].
//!
//! Only numbers, words of a closed set and the repository's page are taken from a message; everything else in it is nobody's business.

use serde::Deserialize;

use crate::pull::Platform;

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// That the platform can be heard.
    Ping,
    /// Something about a pull request.
    Pull {
        /// Page of the repository it is to be merged into.
        repository: String,
        /// Its number.
        number: u64,
        /// What.
        news: News,
    },
    /// Nothing that matters here; why.
    Nothing(String),
}

/// What became of a pull request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// There is something to review.
    Changed {
        /// It is not ready.
        is_draft: bool,
    },
    /// It was closed or merged.
    Over,
}

/// A message that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the message is no event in JSON: {0}; the webhook's content type must be application/json")]
pub(super) struct Unreadable(#[from] serde_json::Error);

impl Told {
    /// Reads a message of `platform`, which calls it `event` in a header.
    pub(super) fn read(platform: Platform, event: &str, body: &[u8]) -> Result<Self, Unreadable> {
        match (platform, event) {
            (Platform::GitHub, "ping") => Ok(Self::Ping),
            (Platform::GitHub, "pull_request") => Ok(serde_json::from_slice::<Pull>(body)?.github()),
            (Platform::Gitea, "pull_request" | "pull_request_sync") => {
                Ok(serde_json::from_slice::<Pull>(body)?.gitea())
            }
            (Platform::GitLab, "Merge Request Hook" | "System Hook") => {
                Ok(serde_json::from_slice::<Merge>(body)?.told())
            }
            (_, event) => Ok(Self::Nothing(format!("events {} are not needed here", quoted(event)))),
        }
    }
}

/// A word of a message, as it may be shown.
fn quoted(word: &str) -> String {
    format!("{:?}", word.chars().take(40).collect::<String>())
}

fn not_needed(action: &str) -> Told {
    Told::Nothing(format!("{} of a pull request changes nothing to review", quoted(action)))
}

/// `pull_request` of GitHub, and of Gitea, which took its form from there.
#[derive(Debug, Deserialize)]
struct Pull {
    action: String,
    number: u64,
    #[serde(rename = "pull_request")]
    facts: Facts,
    repository: Repository,
    #[serde(default)]
    changes: Changes,
}

#[derive(Debug, Deserialize)]
struct Facts {
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    title: String,
}

#[derive(Debug, Deserialize)]
struct Repository {
    html_url: String,
}

/// What was otherwise before.
#[derive(Debug, Default, Deserialize)]
struct Changes {
    base: Option<serde::de::IgnoredAny>,
    #[serde(rename = "ref")]
    reference: Option<serde::de::IgnoredAny>,
    title: Option<Before>,
}

#[derive(Debug, Deserialize)]
struct Before {
    from: String,
}

impl Pull {
    fn github(self) -> Told {
        let is_draft = self.facts.draft;
        match self.action.as_str() {
            "opened" | "reopened" | "synchronize" | "ready_for_review" => {
                self.told(News::Changed { is_draft })
            }
            "edited" if self.changes.base.is_some() => self.told(News::Changed { is_draft }),
            "closed" => self.told(News::Over),
            action => not_needed(action),
        }
    }

    /// A draft is one there by its title, which newer servers say with a flag of its own.
    fn gitea(self) -> Told {
        let is_draft = self.facts.draft || is_work_in_progress(&self.facts.title);
        let was_draft = self.changes.title.as_ref().is_some_and(|title| is_work_in_progress(&title.from));
        let is_moved = self.changes.base.is_some() || self.changes.reference.is_some();
        match self.action.as_str() {
            "opened" | "reopened" | "synchronized" => self.told(News::Changed { is_draft }),
            "edited" if is_moved || (was_draft && !is_draft) => self.told(News::Changed { is_draft }),
            "closed" => self.told(News::Over),
            action => not_needed(action),
        }
    }

    fn told(self, news: News) -> Told {
        Told::Pull { repository: self.repository.html_url, number: self.number, news }
    }
}

/// What Gitea and Forgejo take for one unless they are told otherwise.
fn is_work_in_progress(title: &str) -> bool {
    let title = title.trim_start().to_lowercase();
    ["wip:", "[wip]"].iter().any(|mark| title.starts_with(mark))
}

/// `merge_request` of GitLab; a system hook tells of other things in the same form.
#[derive(Debug, Deserialize)]
struct Merge {
    #[serde(default)]
    object_kind: String,
    object_attributes: Option<Attributes>,
    project: Option<Project>,
    #[serde(default)]
    changes: MergeChanges,
}

#[derive(Debug, Deserialize)]
struct Attributes {
    iid: u64,
    #[serde(default)]
    action: String,
    /// Only where commits were pushed.
    oldrev: Option<String>,
    #[serde(default)]
    draft: bool,
    #[serde(default)]
    work_in_progress: bool,
}

#[derive(Debug, Deserialize)]
struct Project {
    web_url: String,
}

#[derive(Debug, Default, Deserialize)]
struct MergeChanges {
    draft: Option<WasDraft>,
    target_branch: Option<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct WasDraft {
    previous: Option<bool>,
}

impl Merge {
    fn told(self) -> Told {
        let (Some(merge), Some(project), "merge_request") =
            (self.object_attributes, self.project, self.object_kind.as_str())
        else {
            let kind = quoted(&self.object_kind);
            return Told::Nothing(format!("events {kind} are not needed here"));
        };
        let is_draft = merge.draft || merge.work_in_progress;
        let was_draft = self.changes.draft.and_then(|draft| draft.previous).unwrap_or(false);
        let is_other =
            merge.oldrev.is_some() || self.changes.target_branch.is_some() || (was_draft && !is_draft);
        let news = match merge.action.as_str() {
            "open" | "reopen" => News::Changed { is_draft },
            "update" if is_other => News::Changed { is_draft },
            "close" | "merge" => News::Over,
            action => return not_needed(action),
        };
        Told::Pull { repository: project.web_url, number: merge.iid, news }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read what platforms sent")]
mod tests {
    use std::path::Path;

    use super::*;

    fn file(name: &str) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webhooks");
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    fn told(platform: Platform, event: &str, body: &str) -> String {
        match Told::read(platform, event, body.as_bytes()) {
            Ok(Told::Ping) => "ping".to_owned(),
            Ok(Told::Nothing(why)) => why,
            Ok(Told::Pull { repository, number, news }) => format!("{repository} {number} {news:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn recorded_messages() {
        let check = |platform, event: &str, name: &str, expect: &str| {
            assert_eq!(told(platform, event, &file(name)), expect, "{name}");
        };
        let (github, gitlab, gitea) = (Platform::GitHub, Platform::GitLab, Platform::Gitea);
        let hello = "https://github.com/Codertocat/Hello-World 2";
        check(github, "ping", "github-ping.json", "ping");
        check(
            github,
            "pull_request",
            "github-opened.json",
            &format!("{hello} Changed {{ is_draft: false }}"),
        );
        check(
            github,
            "pull_request",
            "github-synchronize.json",
            &format!("{hello} Changed {{ is_draft: false }}"),
        );
        check(github, "pull_request", "github-closed.json", &format!("{hello} Over"));
        let test = "http://example.com/gitlabhq/gitlab-test 1";
        check(
            gitlab,
            "Merge Request Hook",
            "gitlab-open.json",
            &format!("{test} Changed {{ is_draft: false }}"),
        );
        let secrets = "http://127.0.0.1:3000/Test-CI/multi-line-secrets 2";
        for event in ["pull_request", "pull_request_sync"] {
            check(
                gitea,
                event,
                "gitea-synchronized.json",
                &format!("{secrets} Changed {{ is_draft: false }}"),
            );
        }
    }

    #[test]
    fn what_matters() {
        let check = |platform, event: &str, name: &str, change: (&str, &str), expect: &str| {
            let body = file(name);
            assert!(body.contains(change.0), "{name} {change:?}");
            let told = told(platform, event, &body.replacen(change.0, change.1, 1));
            assert!(told.contains(expect), "{name} {change:?}: {told}");
        };
        let github = |change, expect: &str| {
            check(Platform::GitHub, "pull_request", "github-opened.json", change, expect);
        };
        let action = "\"action\": \"opened\"";
        github((action, "\"action\": \"ready_for_review\""), "Changed");
        github(
            (action, "\"action\": \"labeled\""),
            "\"labeled\" of a pull request changes nothing to review",
        );
        github((action, "\"action\": \"edited\""), "nothing to review");
        github(
            (action, "\"action\": \"edited\", \"changes\": {\"base\": {\"ref\": {\"from\": \"x\"}}}"),
            "Changed",
        );
        github(("\"draft\": false", "\"draft\": true"), "is_draft: true");
        github((action, "\"action\": \"\\u001b[31mx\""), "\"\\u{1b}[31mx\"");
        github((action, "\"action\": 5"), "no event in JSON");
        let gitlab = |change, expect: &str| {
            check(Platform::GitLab, "Merge Request Hook", "gitlab-open.json", change, expect);
        };
        let action = "\"action\": \"open\"";
        gitlab((action, "\"action\": \"update\""), "nothing to review");
        gitlab((action, "\"action\": \"update\", \"oldrev\": \"95790bf8\""), "Changed");
        gitlab((action, "\"action\": \"approved\""), "nothing to review");
        gitlab((action, "\"action\": \"merge\""), "Over");
        gitlab(("\"draft\": false", "\"draft\": true"), "is_draft: true");
        gitlab(
            ("\"object_kind\": \"merge_request\"", "\"object_kind\": \"push\""),
            "events \"push\" are not needed",
        );
        let gitea = |change, expect: &str| {
            check(Platform::Gitea, "pull_request", "gitea-synchronized.json", change, expect);
        };
        let action = "\"action\": \"synchronized\"";
        gitea((action, "\"action\": \"opened\""), "Changed");
        gitea((action, "\"action\": \"closed\""), "Over");
        gitea(("\"title\": \"", "\"title\": \"WIP: "), "is_draft: true");
        let ready = "\"action\": \"edited\", \"changes\": {\"title\": {\"from\": \"WIP: x\"}}";
        gitea((action, ready), "Changed { is_draft: false }");
        gitea((action, "\"action\": \"label_updated\""), "nothing to review");
        assert_eq!(told(Platform::GitHub, "push", "{}"), "events \"push\" are not needed here");
    }

    proptest::proptest! {
        #[test]
        fn nothing_makes_it_fall(body: Vec<u8>, event in "pull_request|Merge Request Hook|.*") {
            for platform in Platform::ALL {
                drop(Told::read(platform, &event, &body));
            }
        }
    }
}
