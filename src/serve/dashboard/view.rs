//! What a page shows, as its address says it: [`View`].

use http::StatusCode;
use serde::Serialize;
use url::form_urlencoded;

use super::index::Entry;
use crate::{config::nearest, provider::relay::Problem};

/// Most characters of what is looked for.
const LONGEST: usize = 1_024;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum View {
    Overview,
    Runs(Wanted),
    /// Of a run, or a job.
    Run(String),
    Queue,
    Gateway,
    Reviewers,
}

/// Which runs are listed. Empty: all.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub(super) struct Wanted {
    pub(super) repository: String,
    pub(super) verdict: String,
    pub(super) state: String,
    pub(super) kind: String,
    /// Something in the name of the repository, range or run.
    pub(super) text: String,
    /// From 1.
    pub(super) page: usize,
}

/// What may stand behind the `?` of the list of runs.
const PARAMETERS: [&str; 6] = ["repository", "verdict", "state", "kind", "text", "page"];

impl View {
    /// The page at `path` with what stands behind its `?`.
    pub(super) fn of(path: &str, query: &str) -> Result<Self, Problem> {
        Ok(match path {
            "/" => Self::Overview,
            "/runs" => Self::Runs(Wanted::of(query)?),
            "/queue" => Self::Queue,
            "/gateway" => Self::Gateway,
            "/reviewers" => Self::Reviewers,
            _ => match path.strip_prefix("/runs/") {
                // Anything else is the name of no run.
                Some(name) if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') => {
                    Self::Run(name.to_owned())
                }
                Some(_) => return Err(super::no_such_run()),
                None => return Err(Problem::new(StatusCode::NOT_FOUND, "no such page").code("unknown_url")),
            },
        })
    }

    /// Its address.
    pub(super) fn address(&self) -> String {
        match self {
            Self::Overview => "/".to_owned(),
            Self::Runs(wanted) => wanted.address(wanted.page),
            Self::Run(name) => super::show::href(name),
            Self::Queue => "/queue".to_owned(),
            Self::Gateway => "/gateway".to_owned(),
            Self::Reviewers => "/reviewers".to_owned(),
        }
    }

    /// The address of its stream.
    pub(super) fn live(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("of", &self.address());
        format!("/live?{}", query.finish())
    }

    /// The template of the whole page.
    pub(super) fn template(&self) -> &'static str {
        match self {
            Self::Overview => "overview.html",
            Self::Runs(_) => "history.html",
            Self::Run(_) => "run.html",
            Self::Queue => "queue.html",
            Self::Gateway => "gateway.html",
            Self::Reviewers => "reviewers.html",
        }
    }

    /// Which entry of the navigation it is.
    pub(super) fn section(&self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Runs(_) | Self::Run(_) => "runs",
            Self::Queue => "queue",
            Self::Gateway => "gateway",
            Self::Reviewers => "reviewers",
        }
    }

    /// Those of its parts that change: the id of an element, and the template that it is made of.
    pub(super) fn parts(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Overview => &[
                ("underway", "part-underway.html"),
                ("latest", "part-latest.html"),
                ("figures", "part-figures.html"),
            ],
            Self::Runs(_) => &[("history", "part-history.html")],
            Self::Run(_) => &[("run", "part-run.html")],
            Self::Queue => &[("standing", "part-standing.html"), ("jobs", "part-jobs.html")],
            Self::Gateway => &[("gateway", "part-gateway.html")],
            Self::Reviewers => &[("worth", "part-worth.html")],
        }
    }
}

impl Wanted {
    fn of(query: &str) -> Result<Self, Problem> {
        let mut wanted = Self { page: 1, ..Self::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "repository" => &mut wanted.repository,
                "verdict" => &mut wanted.verdict,
                "state" => &mut wanted.state,
                "kind" => &mut wanted.kind,
                "text" => &mut wanted.text,
                "page" => {
                    wanted.page = value.parse().ok().filter(|page| *page > 0).unwrap_or(1);
                    continue;
                }
                other => return Err(unknown(other)),
            };
            value.chars().take(LONGEST).collect::<String>().clone_into(place);
        }
        // Letters are looked for, great or small.
        wanted.text = wanted.text.to_lowercase();
        Ok(wanted)
    }

    /// Where page number `page` of the same runs is.
    pub(super) fn address(&self, page: usize) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let Self { repository, verdict, state, kind, text, page: _ } = self;
        let said = [
            ("repository", repository),
            ("verdict", verdict),
            ("state", state),
            ("kind", kind),
            ("text", text),
        ];
        for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(name, value);
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        let query = query.finish();
        if query.is_empty() { "/runs".to_owned() } else { format!("/runs?{query}") }
    }

    /// Whether `entry`, which is of `repository` and stands at `state`, is one of them.
    pub(super) fn fits(&self, entry: &Entry, repository: &str, state: &str) -> bool {
        let is = |wanted: &str, it: &str| wanted.is_empty() || wanted == it;
        let verdict = entry.came_to().map_or("", |came_to| came_to.verdict.as_str());
        let has = |text: &str| text.to_lowercase().contains(&self.text);
        is(&self.repository, repository)
            && is(&self.verdict, verdict)
            && is(&self.state, state)
            && is(&self.kind, entry.kind().word())
            && (self.text.is_empty()
                || has(repository)
                || has(entry.range())
                || has(entry.name())
                || entry.run().is_some_and(has))
    }

    /// Whether it leaves any out.
    pub(super) fn is_all(&self) -> bool {
        Self { page: 0, ..self.clone() } == Self::default()
    }
}

fn unknown(name: &str) -> Problem {
    let advice = match nearest(name, PARAMETERS.into_iter()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("there are {}", PARAMETERS.join(", ")),
    };
    Problem::new(StatusCode::BAD_REQUEST, format!("there is no parameter {name:?}: {advice}"))
        .code("invalid_value")
        .about("parameter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let told = |path: &str, query: &str| match View::of(path, query) {
            Ok(view) => format!("{} {}", view.address(), view.live()),
            Err(problem) => format!("{} {}", problem.status.as_u16(), problem.message),
        };
        insta::assert_snapshot!(told("/", ""), @"/ /live?of=%2F");
        insta::assert_snapshot!(told("/runs", ""), @"/runs /live?of=%2Fruns");
        insta::assert_snapshot!(told("/runs", "page=0&text="), @"/runs /live?of=%2Fruns");
        insta::assert_snapshot!(told("/runs", "page=3&repository=%2Fsrv%2Fa+b&verdict=hold"), @"/runs?repository=%2Fsrv%2Fa+b&verdict=hold&page=3 /live?of=%2Fruns%3Frepository%3D%252Fsrv%252Fa%2Bb%26verdict%3Dhold%26page%3D3");
        insta::assert_snapshot!(told("/runs", "repo=a"), @r#"400 there is no parameter "repo": did you mean `repository`?"#);
        insta::assert_snapshot!(told("/runs", "colour=a"), @r#"400 there is no parameter "colour": there are repository, verdict, state, kind, text, page"#);
        insta::assert_snapshot!(told("/runs/20260101-000000001-ab", ""), @"/runs/20260101-000000001-ab /live?of=%2Fruns%2F20260101-000000001-ab");
        insta::assert_snapshot!(told("/runs/../etc", ""), @"404 no such run");
        insta::assert_snapshot!(told("/metrics", ""), @"404 no such page");
    }
}
