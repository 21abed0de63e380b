//! Where errors become words, hints and an exit status: [`CliError`] and [`Status`].
//!
//! Every other module has typed errors without hints; this file alone knows what a user could do about them.

use std::process::ExitCode;

use crate::{
    bundle::SplitError,
    config::{ConfigError, PanelError},
    daemon::DaemonError,
    forge::{ForgeError, address::AddressError},
    git::GitError,
    prompt::TemplateError,
    provider::{OpenError, builtin::RuleError},
    report::plot::PlotError,
    run::{routing::AssignError, saved::SavedError},
    serve::GuardError,
    store::{
        StoreError,
        database::{DatabaseError, Problem},
    },
    tally::{
        gate::{Gate, GateResult},
        named::NameError,
    },
};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Done, gate passed or off.
    Done,
    /// The gate failed.
    GateFailed,
    /// Too little was read to say.
    Inconclusive,
    /// The user stopped it.
    Interrupted,
    /// The configuration cannot be used, which has been said.
    Unusable,
}

impl Status {
    pub(super) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::GateFailed => 1,
            Self::Inconclusive => 3,
            Self::Interrupted => 130,
            Self::Unusable => 2,
        })
    }
}

impl Status {
    /// How a command ends on whose tally the gate said this.
    pub(super) fn of(gate: &Gate) -> Self {
        if gate.lets_through() { Self::Done } else { gate.result.into() }
    }
}

impl From<GateResult> for Status {
    fn from(result: GateResult) -> Self {
        match result {
            GateResult::Pass | GateResult::Off => Self::Done,
            GateResult::Fail => Self::GateFailed,
            GateResult::Inconclusive => Self::Inconclusive,
        }
    }
}

/// What went wrong and what to do about it. Always exit status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CliError {
    pub(super) message: String,
    pub(super) hints: Vec<String>,
}

impl CliError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hints: Vec::new() }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            ConfigError::At { source, .. } => Self { hints: Self::from(*source).hints, ..plain },
            ConfigError::Invalid { advice: Some(advice), .. } => plain.hint(advice),
            ConfigError::Invalid { suggestion: Some(key), .. } => {
                plain.hint(format!("did you mean `{key}`?"))
            }
            ConfigError::NoSuchAdjudicator { suggestion: Some(id), .. } => {
                plain.hint(format!("did you mean `{id}`?"))
            }
            ConfigError::Route { suggestion: Some(name), .. }
            | ConfigError::Unknown { suggestion: Some(name), .. }
            | ConfigError::NoSuchPreset { suggestion: Some(name), .. } => {
                plain.hint(format!("did you mean `{name}`?"))
            }
            ConfigError::Fallback { suggestion: Some(id), .. } => plain.hint(format!("did you mean `{id}`?")),
            ConfigError::Fallback { able, suggestion: None, .. } if able.is_empty() => plain.hint(
                "configure another [[reviewer]] of that lineage, on another provider, and name it here",
            ),
            ConfigError::Fallback { able, suggestion: None, .. } => {
                plain.hint(format!("reviewers of that lineage: {}", able.join(", ")))
            }
            ConfigError::Unknown { what, known, suggestion: None, .. } => {
                plain.hint(format!("{what}s: {}", known.join(", ")))
            }
            ConfigError::NoSuchPreset { known, suggestion: None, .. } => {
                plain.hint(format!("presets: {}", known.join(", ")))
            }
            ConfigError::NoSuchAdjudicator { known, suggestion: None, .. } => {
                plain.hint(format!("reviewers: {}", known.join(", ")))
            }
            ConfigError::Tampered { .. } => plain.hint(
                "give a configuration of your own with `--config FILE`, after reading what the change brings",
            ),
            ConfigError::Invalid { .. }
            | ConfigError::BadCost { .. }
            | ConfigError::Entry { .. }
            | ConfigError::Route { .. }
            | ConfigError::Unreadable { .. }
            | ConfigError::OutOfRange { .. }
            | ConfigError::Reviewer { .. }
            | ConfigError::PriceOfNothing
            | ConfigError::Price { .. }
            | ConfigError::GuidanceRule { .. }
            | ConfigError::ReviewerId(_) => plain,
        }
    }
}

impl From<PanelError> for CliError {
    fn from(error: PanelError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            PanelError::NoSuchPanel { known, .. } => plain.hint(format!("panels: {}", known.join(", "))),
            PanelError::NoSuchReviewer { known, .. } => {
                plain.hint(format!("reviewers: {}", known.join(", ")))
            }
            PanelError::Unusable { .. } => plain
                .hint("set what is not set, or choose reviewers that need none, such as `--panel offline`"),
        }
    }
}

impl From<AssignError> for CliError {
    fn from(error: AssignError) -> Self {
        match error {
            AssignError::Panel(error) => error.into(),
            AssignError::Rule(error) => error.into(),
        }
    }
}

impl From<SplitError> for CliError {
    fn from(error: SplitError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            SplitError::NoSuchComponent { known, .. } if !known.is_empty() => {
                plain.hint(format!("components of this change: {}", known.join(", ")))
            }
            SplitError::NoSuchComponent { .. } | SplitError::BadGlob { .. } => plain,
        }
    }
}

impl From<TemplateError> for CliError {
    fn from(error: TemplateError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<GitError> for CliError {
    fn from(error: GitError) -> Self {
        let plain = Self::new(error.to_string());
        match error.hint() {
            Some(hint) => plain.hint(hint),
            None => plain,
        }
    }
}

impl From<SavedError> for CliError {
    fn from(error: SavedError) -> Self {
        match error {
            SavedError::Store(error) => error.into(),
            SavedError::Bundle { .. } => Self::new(error.to_string()),
        }
    }
}

impl From<NameError> for CliError {
    fn from(error: NameError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            NameError::NoSuchIssue { run, nearest, .. } => {
                let shown = format!("`scrum report {run}` shows its issues with their ids");
                let near = format!("did you mean {}?", nearest.join(" or "));
                if nearest.is_empty() { plain.hint(shown) } else { plain.hint(near).hint(shown) }
            }
            NameError::Ambiguous { .. } => plain.hint("give more digits of the id"),
        }
    }
}

impl From<OpenError> for CliError {
    fn from(error: OpenError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<RuleError> for CliError {
    fn from(error: RuleError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<getrandom::Error> for CliError {
    fn from(error: getrandom::Error) -> Self {
        Self::new(format!("the system gives no randomness: {error}"))
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            StoreError::NoSuchRun { known, .. } if known.is_empty() => {
                plain.hint("there are no runs yet: `scrum review` makes one")
            }
            StoreError::NoSuchRun { known, .. } => {
                plain.hint(format!("newest runs: {}, or `latest`", known.join(", ")))
            }
            StoreError::Write { .. } => plain.hint("is the disk full, or the folder not yours?"),
            StoreError::Ambiguous { .. } | StoreError::Read { .. } | StoreError::Damaged { .. } => plain,
        }
    }
}

impl From<DatabaseError> for CliError {
    fn from(error: DatabaseError) -> Self {
        let plain = Self::new(error.to_string());
        match error.problem {
            Problem::InUse => {
                plain.hint("stop that one, or give this one a file of its own with `--store FILE`")
            }
            Problem::Locked => plain.hint("try again when it has finished"),
            Problem::Newer { .. } => plain.hint("use the newer scrum, or another file with `--store FILE`"),
            Problem::Foreign | Problem::Damaged(_) => {
                plain.hint("give another file with `--store FILE`; nothing was changed in this one")
            }
            Problem::ReadOnly(_) | Problem::Unreachable(_) => {
                plain.hint("is the file, or its folder, not yours?")
            }
            Problem::Exists => plain.hint("name a file that is not there yet"),
            Problem::BadAddress => plain.hint("`--store postgres://USER@HOST/NAME`"),
            Problem::Refused(_) => plain.hint(
                "are user, password and the database's name right, and may the user make tables there?",
            ),
            Problem::Cut(_) => plain.hint("does it run, and may this machine reach it?"),
            Problem::Setting { name: "synchronous_commit", .. } => {
                plain.hint("what was answered could be lost: leave it on for scrum's user")
            }
            Problem::Setting { .. } => {
                plain.hint("a network drive may be the reason: keep the file on a local one")
            }
            Problem::Full | Problem::Conflict(_) | Problem::Other(_) | Problem::GivenUp => plain,
        }
    }
}

impl From<DaemonError> for CliError {
    fn from(error: DaemonError) -> Self {
        let plain = Self::new(error.to_string());
        match &error {
            DaemonError::Unreachable { .. } => plain
                .hint("`scrum serve` starts one here")
                .hint("`--server URL`, or SCRUM_SERVER, says where another one is"),
            DaemonError::Refused { status: 401, .. } => {
                plain.hint("set SCRUM_KEY to a key that `scrum keys add NAME` made for its store")
            }
            DaemonError::Refused { code, .. } if code == "queue_full" || code == "tenant_queue_full" => {
                plain.hint("try again later; `scrum jobs --state queued` shows what waits")
            }
            DaemonError::Refused { status: 403, code, .. } if code == "repository_not_allowed" => {
                plain.hint("its configuration names the repositories it works on: [[serve.repository]]")
            }
            DaemonError::Unintelligible { .. } => {
                plain.hint("is that the address of `scrum serve`, and of the same version?")
            }
            DaemonError::Address { .. } | DaemonError::Refused { .. } | DaemonError::Broken { .. } => plain,
        }
    }
}

impl From<GuardError> for CliError {
    fn from(error: GuardError) -> Self {
        match error {
            GuardError::Store(error) => error.into(),
            GuardError::Unguarded(_) => {
                Self::new(format!("{error}: everybody there could spend what you pay"))
                    .hint("`scrum keys add NAME` makes a key; then callers need one")
                    .hint("`--listen 127.0.0.1:4001` is reached from this machine only")
                    .hint("`--without-keys` lets everybody in, where something else keeps the others out")
            }
        }
    }
}

impl From<AddressError> for CliError {
    fn from(error: AddressError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            AddressError::NotInCi => plain.hint("say which one: `--pr 5`, or `--pr` and the address of its page"),
            AddressError::NotAPull { .. } => {
                plain.hint("give a number, such as 5, or the address of its page, such as https://github.com/acme/shop/pull/5")
            }
            AddressError::UnknownPlatform { .. } => {
                plain.hint("say `platform = \"github\"`, \"gitlab\", \"gitea\" or \"forgejo\" under [forge] in scrum.toml")
            }
            AddressError::NoServer | AddressError::NotAServer => {
                plain.hint("give the address of its page, or say `url` and `project` under [forge] in scrum.toml")
            }
            AddressError::NoProject { .. } => plain.hint("say `project = \"owner/name\"` under [forge] in scrum.toml"),
            AddressError::BadUrl { .. } => plain.hint("say where the server's pages begin: `url = \"https://git.example.com\"`"),
            AddressError::BadProject { .. } => plain,
        }
    }
}

impl From<ForgeError> for CliError {
    fn from(error: ForgeError) -> Self {
        let plain = Self::new(error.to_string());
        match error {
            ForgeError::NoToken { server, variables } if variables.is_empty() => plain.hint(format!(
                "a token goes only where you say that it belongs: `url = \"https://{server}\"` under [forge] in scrum.toml"
            )),
            ForgeError::Renamed { new, .. } => {
                plain.hint(format!("change the remote `origin`, or say `project = \"{new}\"` under [forge] in scrum.toml"))
            }
            ForgeError::Forbidden { variable, .. } if variable == "CI_JOB_TOKEN" => {
                plain.hint("the token of a job may only read: set GITLAB_TOKEN")
            }
            ForgeError::Forbidden { right, .. } if !right.is_empty() => {
                plain.hint(format!("it takes a token with {right}"))
            }
            ForgeError::NoToken { .. }
            | ForgeError::BadToken { .. }
            | ForgeError::Forbidden { .. }
            | ForgeError::NotFound { .. }
            | ForgeError::Limited { .. }
            | ForgeError::Refused { .. }
            | ForgeError::Unreachable { .. } => plain,
        }
    }
}

impl From<PlotError> for CliError {
    fn from(error: PlotError) -> Self {
        Self::new(error.to_string())
    }
}
