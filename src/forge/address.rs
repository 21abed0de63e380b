//! Where a pull request is, from what was typed and what is known here: [`locate`]; and whose token its server may see:
//! [`token_variables`].
//!
//! Pure: what configuration, the CI service and git say comes in as [`Known`]. Nothing here reads a variable's value or asks a server.

use std::collections::BTreeSet;

use url::Url;

use crate::pull::{Address, CiJob, Platform};

/// What is known here besides what was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// `[forge] platform`.
    pub platform: Option<Platform>,
    /// `[forge] url`.
    pub url: Option<String>,
    /// `[forge] project`.
    pub project: Option<String>,
    /// `[forge] token_env`.
    pub token_env: Option<String>,
    /// What the CI service that we run under says.
    pub ci: Option<CiJob>,
    /// URL of the remote `origin`. It may hold a password, so it is never shown.
    pub origin: Option<String>,
}

/// Nothing that a request could go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// What was typed is no pull request.
    #[error("`{given}` is neither the number of a pull request nor the address of its page")]
    NotAPull {
        /// As typed.
        given: String,
    },
    /// `auto`, but this is no CI job of a pull request.
    #[error("no variable of a CI service says which pull request this is about")]
    NotInCi,
    /// `[forge] url` is none.
    #[error("`url` of [forge] cannot be used: {reason}")]
    BadUrl {
        /// What is wrong with it.
        reason: String,
    },
    /// A server of a kind that its name does not tell.
    #[error("cannot tell whether {host} is a GitHub, a GitLab or a Gitea")]
    UnknownPlatform {
        /// Host of the server.
        host: String,
    },
    /// Neither configuration nor CI nor a remote.
    #[error("nothing says on which server the pull request is: there is no remote `origin`")]
    NoServer,
    /// The remote is a folder or the like.
    #[error("the remote `origin` is on no server that has pull requests")]
    NotAServer,
    /// The server is known, the repository on it not.
    #[error("nothing says which repository of {host} the pull request belongs to")]
    NoProject {
        /// Host of the server.
        host: String,
    },
    /// No repository is called like that.
    #[error("`{project}` is no name of a repository on {host}")]
    BadProject {
        /// As given.
        project: String,
        /// Host of the server.
        host: String,
    },
}

/// Finds the pull request that `given` means: `5`, `#5`, `!5`, the address of its page, or `auto` for the one that the CI job is about.
pub fn locate(given: &str, known: &Known) -> Result<Address, AddressError> {
    let given = given.trim();
    if let Some(url) = web_url(given) {
        return page(&url, given, known);
    }
    let number = match given {
        "auto" => known.ci.as_ref().and_then(|job| job.number).ok_or(AddressError::NotInCi)?,
        _ => number(given.strip_prefix(['#', '!']).unwrap_or(given)).ok_or_else(|| not_a_pull(given))?,
    };
    let (server, project) = home(known)?;
    Ok(server.address(project, number))
}

/// The variables whose token may go to the server of `address`, the first that is set counting; none where nobody says that a token is
/// for it.
///
/// A token is for the public host of its platform, for the server that the CI service names, or for `[forge] url`, and for no other,
/// whatever a remote or a typed address says. The server is told by where requests go.
pub fn token_variables(address: &Address, known: &Known) -> Vec<String> {
    let is_asked = |server: &Server| server.api == address.api && server.platform == address.platform;
    let job = known.ci.as_ref().and_then(Server::of_job);
    let (own, others): (Vec<_>, Vec<_>) =
        configured(known).ok().flatten().into_iter().chain(job).partition(is_asked);
    // Where another server has been named, the variables that are by custom for it hold its token.
    let taken: Vec<&str> = others.iter().flat_map(|server| server.variables.clone()).collect();
    let is_named = !own.is_empty();
    let trusted = if is_named { own } else { public_servers().filter(is_asked).collect() };
    let is_home = || home(known).is_ok_and(|(server, _)| is_asked(&server));
    match &known.token_env {
        Some(variable) if !trusted.is_empty() && is_home() => vec![variable.clone()],
        _ => {
            let mut variables: Vec<&str> =
                trusted.iter().flat_map(|server| server.variables.clone()).collect();
            variables.retain(|name| is_named || !taken.contains(name));
            let mut seen = BTreeSet::new();
            variables.retain(|name| seen.insert(*name));
            variables.into_iter().map(str::to_owned).collect()
        }
    }
}

/// The page of a pull request's repository.
pub fn repository_page(address: &Address) -> Option<String> {
    let mut root = root(&address.api).ok()?;
    let host = root.host_str()?.to_owned();
    if let Some(host) = host.strip_prefix("api.").filter(|_| address.platform == Platform::GitHub) {
        root.set_host(Some(host)).ok()?;
    }
    Some(format!("{root}{}", address.project))
}

/// The page of the repository that a remote leads to, in any form that git takes, without user, password and query; `None` for a
/// folder.
pub fn page_of_remote(text: &str) -> Option<String> {
    remote(text).map(|place| place.url.to_string())
}

/// A server that everybody can have an account on.
struct PublicHost {
    platform: Platform,
    host: &'static str,
    variables: &'static [&'static str],
}

/// Gitea's variable is by custom for Gitea's own server, and Forgejo's for Codeberg, who make it.
const PUBLIC: [PublicHost; 4] = [
    PublicHost { platform: Platform::GitHub, host: "github.com", variables: &["GITHUB_TOKEN", "GH_TOKEN"] },
    PublicHost { platform: Platform::GitLab, host: "gitlab.com", variables: &["GITLAB_TOKEN"] },
    PublicHost { platform: Platform::Gitea, host: "gitea.com", variables: &["GITEA_TOKEN"] },
    PublicHost { platform: Platform::Gitea, host: "codeberg.org", variables: &["FORGEJO_TOKEN"] },
];

impl PublicHost {
    fn server(&self) -> Option<Server> {
        let root = Url::parse(&format!("https://{}/", self.host)).ok()?;
        Some(Server { variables: self.variables.to_vec(), ..Server::new(self.platform, root) })
    }
}

/// A server, not yet a pull request on it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Server {
    platform: Platform,
    /// Where its pages begin, with a final `/`.
    root: Url,
    api: String,
    /// By custom for it, if it is trusted at all.
    variables: Vec<&'static str>,
}

impl Server {
    fn new(platform: Platform, root: Url) -> Self {
        let api = api(platform, &root);
        let variables: &[&str] = match platform {
            Platform::GitHub if is_cloud(&root) => &["GITHUB_TOKEN", "GH_TOKEN"],
            Platform::GitHub => {
                &["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"]
            }
            Platform::GitLab => &["GITLAB_TOKEN"],
            Platform::Gitea => &["GITEA_TOKEN", "FORGEJO_TOKEN"],
        };
        Self { platform, root, api, variables: variables.to_vec() }
    }

    /// The server a CI job belongs to, which puts the job's own token into one more variable.
    fn of_job(job: &CiJob) -> Option<Self> {
        let root = root(&job.server).ok()?;
        let api = Url::parse(&job.api).ok()?.as_str().trim_end_matches('/').to_owned();
        let server = Self::new(job.platform, root);
        let mut variables = server.variables;
        match job.platform {
            Platform::GitHub => {}
            Platform::GitLab => variables.push("CI_JOB_TOKEN"),
            Platform::Gitea => variables.push("GITHUB_TOKEN"),
        }
        Some(Self { api, variables, ..server })
    }

    fn host(&self) -> String {
        self.root.host_str().unwrap_or_default().to_owned()
    }

    fn address(self, project: String, number: u64) -> Address {
        Address { platform: self.platform, api: self.api, project, number }
    }

    /// How many of the path's segments lead to this server's root; `None` for a place elsewhere.
    fn holds(&self, place: &Place) -> Option<usize> {
        let host = place.url.host_str()?;
        let own = self.root.host_str()?;
        if place.is_ssh {
            let door = ["ssh.", "altssh."].iter().find_map(|prefix| host.strip_prefix(prefix));
            return (host == own || door == Some(own)).then_some(0);
        }
        let prefix = segments(&self.root);
        let is_here = host == own && place.url.port() == self.root.port();
        (is_here && segments(&place.url).starts_with(&prefix)).then_some(prefix.len())
    }

    /// The name of a repository out of the path's segments.
    fn project(&self, segments: &[String]) -> Result<String, AddressError> {
        let depth = match self.platform {
            Platform::GitHub | Platform::Gitea => 2..=2,
            // Groups are nested at most 20 deep; the repository comes last.
            Platform::GitLab => 2..=22,
        };
        let is_name = |name: &String| {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            name.chars().all(is_plain) && !name.chars().all(|c| c == '.')
        };
        let project = segments.join("/");
        if depth.contains(&segments.len()) && segments.iter().all(is_name) {
            return Ok(project);
        }
        Err(AddressError::BadProject { project, host: self.host() })
    }
}

/// Where something is: a page or a remote.
struct Place {
    /// With `http` or `https`, also where git would go there by ssh.
    url: Url,
    is_ssh: bool,
}

/// The root of a server's API.
fn api(platform: Platform, root: &Url) -> String {
    let below = |path: &str| format!("{root}{path}");
    match platform {
        Platform::GitHub if is_cloud(root) => format!("https://api.{}", root.host_str().unwrap_or_default()),
        Platform::GitHub => below("api/v3"),
        Platform::GitLab => below("api/v4"),
        Platform::Gitea => below("api/v1"),
    }
}

/// Whether it is one of GitHub's own servers, whose API has a host of its own.
fn is_cloud(root: &Url) -> bool {
    let host = root.host_str().unwrap_or_default();
    root.port().is_none() && (host == "github.com" || host.ends_with(".ghe.com"))
}

/// The server and the repository that are meant where only a number is given.
fn home(known: &Known) -> Result<(Server, String), AddressError> {
    let origin = known.origin.as_deref().map(|text| remote(text).ok_or(AddressError::NotAServer));
    let job = known.ci.as_ref().filter(|job| known.platform.is_none_or(|platform| platform == job.platform));
    let job = job.and_then(|job| Some((Server::of_job(job)?, job.project.clone())));
    let server = match (configured(known)?, &job) {
        (Some(server), _) => server,
        (None, Some((server, _))) => server.clone(),
        (None, None) => {
            let place = origin.ok_or(AddressError::NoServer)??;
            let (server, project) = repository(&place, &segments(&place.url), known.platform, known)?;
            let project = known.project.as_ref().map_or(Ok(project), |name| named(&server, name))?;
            return Ok((server, project));
        }
    };
    let project = match (&known.project, job, origin) {
        (Some(project), _, _) => named(&server, project)?,
        (None, Some((of_job, project)), _) if of_job.api == server.api => named(&server, &project)?,
        (None, _, Some(place)) => project_elsewhere(&server, &place?)?,
        (None, _, None) => return Err(AddressError::NoProject { host: server.host() }),
    };
    Ok((server, project))
}

fn named(server: &Server, project: &str) -> Result<String, AddressError> {
    server.project(&project.split('/').map(str::to_owned).collect::<Vec<_>>())
}

/// The repository's name out of a remote that may lead to the server under another name.
fn project_elsewhere(server: &Server, place: &Place) -> Result<String, AddressError> {
    let segments = segments(&place.url);
    let outside = match server.platform {
        Platform::GitHub | Platform::Gitea => segments.len().saturating_sub(2),
        Platform::GitLab => 0,
    };
    server.project(&segments[server.holds(place).unwrap_or(outside)..])
}

/// The server of `[forge] url`.
fn configured(known: &Known) -> Result<Option<Server>, AddressError> {
    let Some(text) = &known.url else { return Ok(None) };
    let root = root(text)?;
    let job = known.ci.as_ref().and_then(Server::of_job);
    let same = job.into_iter().chain(public_servers()).find(|server| server.root == root);
    if let Some(server) = same.filter(|server| known.platform.is_none_or(|word| word == server.platform)) {
        return Ok(Some(server));
    }
    let platform = known.platform.map_or_else(|| platform_by_name(&root), Ok)?;
    Ok(Some(Server::new(platform, root)))
}

fn public_servers() -> impl Iterator<Item = Server> {
    PUBLIC.iter().filter_map(PublicHost::server)
}

/// What a server's name says that it is.
fn platform_by_name(root: &Url) -> Result<Platform, AddressError> {
    let host = root.host_str().unwrap_or_default();
    let words = [
        ("github", Platform::GitHub),
        (".ghe.com", Platform::GitHub),
        ("gitlab", Platform::GitLab),
        ("gitea", Platform::Gitea),
        ("forgejo", Platform::Gitea),
    ];
    let told = words.into_iter().find(|(word, _)| host.contains(word));
    told.map(|(_, platform)| platform).ok_or_else(|| AddressError::UnknownPlatform { host: host.to_owned() })
}

/// The pull request that a page is of.
fn page(url: &Url, given: &str, known: &Known) -> Result<Address, AddressError> {
    let segments = segments(url);
    let words =
        [(Platform::GitLab, "merge_requests"), (Platform::GitHub, "pull"), (Platform::Gitea, "pulls")];
    let found = words.into_iter().find_map(|(platform, word)| {
        let at = segments.iter().rposition(|segment| segment == word)?;
        Some((platform, at, number(segments.get(at + 1)?)?))
    });
    let (platform, at, number) = found.ok_or_else(|| not_a_pull(given))?;
    let before = &segments[..at];
    let project = before.strip_suffix(&["-".to_owned()]).unwrap_or(before);
    let place = Place { url: url.clone(), is_ssh: false };
    let (server, project) = repository(&place, project, Some(platform), known)?;
    if server.platform != platform {
        return Err(not_a_pull(given));
    }
    Ok(server.address(project, number))
}

/// The repository that the path's `segments` name, on a server that is known, or else on one of kind `platform`.
fn repository(
    place: &Place,
    segments: &[String],
    platform: Option<Platform>,
    known: &Known,
) -> Result<(Server, String), AddressError> {
    let job = known.ci.as_ref().and_then(Server::of_job);
    let servers = configured(known)?.into_iter().chain(job).chain(public_servers());
    let here = servers.filter_map(|server| Some((server.holds(place)?, server)));
    // Of two the first, unless the second one's root is deeper.
    let here = here.reduce(|best, next| if next.0 > best.0 { next } else { best });
    if let Some((below, server)) = here {
        let project = server.project(segments.get(below..).unwrap_or_default())?;
        return Ok((server, project));
    }
    let platform = platform.map_or_else(|| platform_by_name(&place.url), Ok)?;
    let below = match platform {
        Platform::GitHub | Platform::Gitea if !place.is_ssh => segments.len().saturating_sub(2),
        Platform::GitHub | Platform::Gitea | Platform::GitLab => 0,
    };
    let mut root = place.url.clone();
    root.set_path(&segments[..below].join("/"));
    let server = Server::new(platform, with_final_slash(root));
    let project = server.project(&segments[below..])?;
    Ok((server, project))
}

/// Reads where a server's pages begin, also from the address of its API.
fn root(text: &str) -> Result<Url, AddressError> {
    let bad = |reason: &str| AddressError::BadUrl { reason: reason.to_owned() };
    let url = web_url(text.trim()).ok_or_else(|| bad("it must begin with https:// or http://"))?;
    let mut root = url.clone();
    let path = url.path().trim_end_matches('/');
    let path =
        ["/api/v1", "/api/v3", "/api/v4"].iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    root.set_path(path);
    Ok(with_final_slash(root))
}

fn with_final_slash(mut url: Url) -> Url {
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    url
}

/// A URL of the web, without user, password, query and fragment.
fn web_url(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    Some(url)
}

/// Where a remote is, in any form that git takes: `https://…`, `ssh://…`, `git@host:path`.
fn remote(text: &str) -> Option<Place> {
    let text = text.trim();
    if let Some(url) = web_url(text) {
        return Some(Place { url: without_suffix(url), is_ssh: false });
    }
    let (host, path) = match text.split_once("://") {
        Some(("ssh" | "git+ssh" | "ssh+git" | "git", _)) => {
            let url = Url::parse(text).ok()?;
            (url.host_str()?.to_owned(), url.path().trim_start_matches('/').to_owned())
        }
        Some(_) => return None,
        None => {
            let (host, path) = text.split_once(':').filter(|(host, _)| !host.contains('/'))?;
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            (host.to_owned(), path.trim_start_matches('/').to_owned())
        }
    };
    let url = web_url(&format!("https://{host}/{path}")).filter(|url| url.port().is_none())?;
    Some(Place { url: without_suffix(url), is_ssh: true })
}

fn without_suffix(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).to_owned();
    url.set_path(&path);
    url
}

/// The parts of a path that are not empty.
fn segments(url: &Url) -> Vec<String> {
    url.path().split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

fn number(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number| is_number && number > 0)
}

fn not_a_pull(given: &str) -> AddressError {
    AddressError::NotAPull { given: given.to_owned() }
}

#[cfg(test)]
mod tests;
