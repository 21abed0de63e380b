//! Puts the gate's answer on the commit that it is about: [`set`]. Where its link leads is [`page`]'s matter.

use url::Url;

use super::{Answer, block_on};
use crate::{
    cli::{error::CliError, ui::Ui},
    forge::{AnyForge, Forge},
    pull::{Address, CiJob, CommitStatus, StatusState},
    report::summary,
    tally::{gate::GateResult, since::short},
};

/// What the status is called on a commit.
const CONTEXT: &str = "scrum";

/// Sets the status of the answer's commit; its link leads to `page`.
pub(super) fn set(forge: &AnyForge, answer: &Answer, page: Option<String>, ui: Ui) -> Result<(), CliError> {
    let Some(commit) = answer.range.head.clone() else {
        return Err(CliError::new(format!(
            "{} is no commit that a status could be put on",
            answer.range.spec
        )));
    };
    let gate = &answer.gate;
    let state = match gate.result {
        _ if gate.overruled.is_some() => StatusState::Success,
        GateResult::Pass => StatusState::Success,
        GateResult::Fail => StatusState::Failure,
        GateResult::Inconclusive => StatusState::Inconclusive,
        GateResult::Off => {
            return Err(CliError::new("the gate is off, so there is nothing to say on a commit").hint(
                "say what fails: `fail_on = \"block\"` under [gate] in scrum.toml, or `--fail-on block`",
            ));
        }
    };
    let description = summary::status_line(gate);
    let status = CommitStatus { commit, context: CONTEXT.to_owned(), state, description, page };
    block_on(forge.set_status(&status))??;
    let (commit, project) = (short(&status.commit), &forge.address().project);
    ui.note(format_args!("status `{CONTEXT}` put on commit {commit} of {project}"));
    Ok(())
}

/// Where more stands: the page of the CI job that says it, whose log has all reasons, else that of the pull request. Only pages of the
/// server that the status is put on.
pub(super) fn page(address: &Address, job: Option<CiJob>, pull: Option<String>) -> Option<String> {
    let job = job.filter(|job| job.api.trim_end_matches('/') == address.api);
    let server = job.as_ref().map(|job| job.server.clone());
    let pages = [job.and_then(|job| job.page), pull];
    pages.into_iter().flatten().find(|page| is_on(page, &address.api, server.as_deref()))
}

/// Whether `page` is one of the server that has its API at `api` and, where that is known, its pages at `server`.
fn is_on(page: &str, api: &str, server: Option<&str>) -> bool {
    let door = |text: &str| {
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        Some((url.host_str()?.to_owned(), url.port_or_known_default()))
    };
    let Some(here) = door(page) else { return false };
    let of_api = door(api);
    // GitHub's own servers answer programs at a host of its own.
    let beside = of_api.clone().and_then(|(host, port)| Some((host.strip_prefix("api.")?.to_owned(), port)));
    [of_api, beside, server.and_then(door)].into_iter().flatten().any(|door| door == here)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pull::Platform;

    #[test]
    fn the_link_leads_to_the_job_or_the_pull_request_on_the_same_server() {
        let check = |api: &str, job: Option<(&str, &str, &str)>, pull: &str, expect: Option<&str>| {
            let (platform, project) = (Platform::GitHub, "acme/shop".to_owned());
            let job = job.map(|(api, server, page)| CiJob {
                platform,
                api: api.to_owned(),
                server: server.to_owned(),
                project: project.clone(),
                number: None,
                page: Some(page.to_owned()),
            });
            let address = Address { platform, api: api.to_owned(), project: project.clone(), number: 5 };
            assert_eq!(page(&address, job, Some(pull.to_owned())).as_deref(), expect, "{api} {pull}");
        };
        let (api, pull) = ("https://api.github.com", "https://github.com/acme/shop/pull/5");
        let run = "https://github.com/acme/shop/actions/runs/8";
        check(api, None, pull, Some(pull));
        check(api, Some(("https://api.github.com/", "https://github.com", run)), pull, Some(run));
        // The job is of another server.
        check(
            api,
            Some(("https://git.example/api/v3", "https://git.example", "https://git.example/8")),
            pull,
            Some(pull),
        );
        let inside = ("http://10.0.0.1:3000/api/v1", "https://git.example", "https://git.example/8");
        check(inside.0, Some(inside), "https://git.example/acme/shop/pulls/5", Some(inside.2));
        for other in [
            "https://evil.example/acme",
            "javascript:alert(1)",
            "http://github.com:81/a",
            "ftp://github.com/a",
            "",
        ] {
            check(api, None, other, None);
        }
    }
}
