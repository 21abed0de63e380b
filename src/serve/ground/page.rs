//! The page of a pull request: [`Page`]. What it is the page of was decided by the operator.

use url::Url;

use crate::pull::Platform;

/// A pull request of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::serve) struct Page {
    /// What its server speaks.
    pub(in crate::serve) platform: Platform,
    /// Where the server's pages begin.
    pub(in crate::serve) server: String,
    /// Its number.
    pub(in crate::serve) number: u64,
}

impl Page {
    /// Reads an address that must be of a pull request of the repository at `of`.
    pub(in crate::serve) fn parse(text: &str, of: &str) -> Option<Self> {
        let rest = text.strip_prefix(of.trim_end_matches('/'))?;
        let kinds = [Platform::GitHub, Platform::GitLab, Platform::Gitea];
        let (platform, number) =
            kinds.into_iter().find_map(|platform| Some((platform, rest.strip_prefix(between(platform))?)))?;
        let is_number = (1..=18).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.parse().ok().filter(|number| is_number && *number > 0)?;
        Some(Self { platform, server: server(platform, of)?, number })
    }

    /// The address of the pull request with that number of the repository at `of`.
    pub(in crate::serve) fn address(platform: Platform, of: &str, number: u64) -> String {
        format!("{}{}{number}", of.trim_end_matches('/'), between(platform))
    }
}

fn between(platform: Platform) -> &'static str {
    match platform {
        Platform::GitHub => "/pull/",
        Platform::GitLab => "/-/merge_requests/",
        Platform::Gitea => "/pulls/",
    }
}

/// Where the pages begin of the server that has the repository at `of`: above owner and name. Groups of GitLab are nested, so a
/// GitLab is taken to be at the root of its host.
fn server(platform: Platform, of: &str) -> Option<String> {
    let mut url = Url::parse(of).ok()?;
    let segments: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
    let above = match platform {
        Platform::GitHub | Platform::Gitea => segments.len().checked_sub(2)?,
        Platform::GitLab => 0,
    };
    let path = segments[..above].join("/");
    url.set_path(&path);
    Some(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages() {
        let of = "https://h.example/acme/app";
        let check = |text: &str, expect: Option<(Platform, &str, u64)>| {
            let page = Page::parse(text, of);
            let page = page.as_ref().map(|page| (page.platform, page.server.as_str(), page.number));
            assert_eq!(page, expect, "{text}");
        };
        check("https://h.example/acme/app/pull/5", Some((Platform::GitHub, "https://h.example", 5)));
        check("https://h.example/acme/app/pulls/5", Some((Platform::Gitea, "https://h.example", 5)));
        check(
            "https://h.example/acme/app/-/merge_requests/7",
            Some((Platform::GitLab, "https://h.example", 7)),
        );
        for text in [
            "https://h.example/acme/other/pull/5",
            "https://h.example/acme/app2/pull/5",
            "https://evil.example/acme/app/pull/5",
            "https://h.example/acme/app/pull/0",
            "https://h.example/acme/app/pull/5/../6",
            "https://h.example/acme/app/pull/--post",
            "https://h.example/acme/app/pull/99999999999999999999",
            "5",
            "",
        ] {
            check(text, None);
        }
        let below = "https://h.example/code/acme/app";
        let page = Page::parse(&Page::address(Platform::Gitea, below, 3), below).unwrap();
        assert_eq!(page.server, "https://h.example/code");
    }
}
