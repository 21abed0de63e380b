//! The `scrum.toml` that `scrum init` writes: [`Starter`] is what it is made of, [`render`] the text.
//!
//! The same findings give the same bytes. It is meant to be read and changed by a person, so it holds no setting without a reason.

use crate::{bundle::Inferred, change::RepoPath, reviewer::Reviewer};

/// More components than this are left to be inferred: nobody reads a list of them.
const MOST_COMPONENTS: usize = 30;
/// Most paths in the route for what is sensitive.
const MOST_PATHS: usize = 6;
/// Names of folders whose changes everybody should see.
const SENSITIVE: [&str; 14] = [
    "auth",
    "authentication",
    "authorization",
    "billing",
    "crypto",
    "iam",
    "login",
    "migrations",
    "oauth",
    "payment",
    "payments",
    "permissions",
    "secrets",
    "security",
];

/// What was found, for a first configuration.
#[derive(Debug, Clone, Copy)]
pub struct Starter<'a> {
    /// Who is to be asked: each with its preset.
    pub asked: &'a [Proposal],
    /// Who could be asked too.
    pub spare: &'a [Proposal],
    /// The repository's components as they would be inferred.
    pub components: &'a [Inferred],
    /// The files git knows.
    pub files: &'a [RepoPath],
}

/// A reviewer that could be written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// As it would be asked.
    pub reviewer: Reviewer,
    /// Name of its preset.
    pub preset: String,
    /// Whether the preset says which model, so that none is to be written down.
    pub has_own_model: bool,
    /// Where its server is, if elsewhere than the preset says.
    pub base_url: Option<String>,
    /// What it needs, in words: a variable or a program.
    pub needs: String,
}

/// The file's text.
pub fn render(starter: &Starter<'_>) -> String {
    let parts = [review(starter), reviewers(starter), panels(starter), components(starter)];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

fn review(starter: &Starter<'_>) -> String {
    let lineages = format!("# min_lineages = {}", 2 + models(starter).len().clamp(1, 2));
    let panel = setting(
        "panel = \"auto\"",
        "auto: every reviewer below; offline: only those that scrum brings along",
    );
    let settings = [
        (
            "# fail_on = \"block\"",
            "never | any | warn | block | convergent: exit status 1 when there is such an issue",
        ),
        (&lineages, "fewest families that must have answered; `rules` and `history` are one each"),
    ];
    "# Who reviews changes of this repository, and how. `scrum doctor` tells whether each reviewer can run,\n\
     # `scrum review --dry-run` what would be sent to whom.\n\n[review]\n"
        .to_owned()
        + &panel
        + "\n[gate]\n"
        + &settings.map(|(text, remark)| setting(text, remark)).concat()
}

/// `key = value` with its remark in a column.
fn setting(text: &str, remark: &str) -> String {
    format!("{text:<24}  # {remark}\n")
}

fn reviewers(starter: &Starter<'_>) -> String {
    let mut out = String::from(
        "# Reviewers. Models of one family count as one voice, so different families are worth more than many models.\n\
         # `rules` and `history` need nothing and are always there. Keys stay in the environment: only names are written here.\n",
    );
    out.extend(starter.asked.iter().flat_map(|one| ["\n".to_owned(), entry(one)]));
    if !starter.spare.is_empty() {
        out += "\n# Found on this machine too, of a family that is asked already:\n";
    }
    let spare: Vec<String> = starter.spare.iter().map(|one| commented(&entry(one))).collect();
    out += &spare.join("\n");
    if starter.asked.iter().all(|one| !one.reviewer.lineage.is_model()) {
        out += EXAMPLES;
    }
    out
}

const EXAMPLES: &str = r#"
# No model was found on this machine. Any of these makes one a reviewer:

# [[reviewer]]             # a service: put its key into the variable
# id = "claude"
# preset = "openrouter"    # OPENROUTER_API_KEY
# model = "anthropic/claude-sonnet-5"

# [[reviewer]]             # a model on this machine
# id = "qwen"
# preset = "ollama"
# model = "qwen3-coder:30b"
"#;

fn entry(proposal: &Proposal) -> String {
    let Proposal { reviewer, preset, has_own_model, base_url, needs } = proposal;
    let head = format!(
        "[[reviewer]]\n{}",
        setting(&format!("id = {}", quoted(reviewer.id.as_str())), &format!("{}; {needs}", reviewer.lineage))
    );
    let mut lines = vec![format!("preset = {}", quoted(preset))];
    if !has_own_model {
        lines.push(format!("model = {}", quoted(&reviewer.model)));
    }
    lines.extend(base_url.iter().map(|url| format!("base_url = {}", quoted(url))));
    head + &lines.join("\n") + "\n"
}

fn commented(text: &str) -> String {
    let lines =
        text.lines().map(|line| if line.is_empty() { "#\n".to_owned() } else { format!("# {line}\n") });
    lines.collect()
}

/// Those that hold opinions.
fn models<'a>(starter: &'a Starter<'_>) -> Vec<&'a Proposal> {
    starter.asked.iter().filter(|one| one.reviewer.lineage.is_model()).collect()
}

fn panels(starter: &Starter<'_>) -> String {
    let models = models(starter);
    let [first, _, ..] = models.as_slice() else { return String::new() };
    let light = ["rules", "history", first.reviewer.id.as_str()];
    let mut out = format!(
        "# Panels: sets of reviewers for `--panel NAME` and for the rules below.\n\n[panel.light]\nreviewers = {}\n\n\
         # Routes: a file takes the first rule that fits it, and a bundle is put to the panels of all its files.\n",
        list(&light)
    );
    let sensitive = sensitive(starter.files);
    let strict = |paths: &str| format!("\n[[route]]\npaths = {paths}\npanel = \"auto\"\n");
    out += &if sensitive.is_empty() {
        format!("\n{}", commented(strict(&list(&["src/auth/**", "migrations/**"])).trim_start()))
            .trim_end()
            .to_owned()
            + "\n"
    } else {
        strict(&list(&sensitive))
    };
    out + &format!("\n[[route]]\npaths = {}\npanel = \"light\"\n", list(&["docs/**", "*.md"]))
}

/// Globs for folders with a sensitive name, in path order, none inside another.
fn sensitive(files: &[RepoPath]) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for file in files {
        let Ok(folder) = std::str::from_utf8(file.parent()) else { continue };
        let names: Vec<&str> = folder.split('/').collect();
        let Some(at) = names.iter().position(|name| SENSITIVE.contains(&name.to_ascii_lowercase().as_str()))
        else {
            continue;
        };
        let glob = format!("{}/**", globset::escape(&names[..=at].join("/")));
        if !folders.contains(&glob) {
            folders.push(glob);
        }
    }
    folders.truncate(MOST_PATHS);
    folders
}

fn components(starter: &Starter<'_>) -> String {
    let found: Vec<(&Inferred, &str)> = starter
        .components
        .iter()
        .filter_map(|one| Some((one, std::str::from_utf8(&one.folder).ok()?)))
        .collect();
    if found.is_empty() {
        return String::new();
    }
    if found.len() > MOST_COMPONENTS {
        return format!(
            "# Components: {} packages and folders, inferred for each review. A [[component]] with `name` and `paths` makes\n\
             # one of several, or fixes a name.\n",
            found.len()
        );
    }
    let mut out = format!(
        "# Components: a change is cut into bundles along these. They are what scrum infers by itself; name them as you like.\n\n\
         [bundle]\n{}",
        setting(
            "split = \"always\"",
            "cut them further where a change to one is large, as if they were inferred"
        )
    );
    // The first whose paths match owns a file, so a folder stands behind those inside of it.
    let mut ordered = found;
    ordered.sort_by_key(|(_, folder)| format!("{folder}\u{7f}"));
    let entry = |(component, folder): (&Inferred, &str)| {
        let paths = list(&[format!("{}/**", globset::escape(folder))]);
        format!("\n[[component]]\nname = {}\npaths = {paths}\n", quoted(&component.name))
    };
    out.extend(ordered.into_iter().map(entry));
    out
}

fn list<S: AsRef<str>>(items: &[S]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
