//! Whether each reviewer could run here and what to do if not: [`check`] compares configuration and survey. Pure, but for a look
//! whether a folder is there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    config::{AUTO, Candidate, Config, Preset, candidates, hint, one_a_lineage, presets},
    report::{
        checkup::{Absent, Check, Group, Readiness},
        words,
    },
    reviewer::{Access, Reviewer, host, is_loopback},
    survey::{ModelKind, NodeTool, Server, Silence, Survey, is_same_place},
};

/// What `scrum doctor` says about reviewers.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    /// Everybody who is or could be asked, in groups.
    pub groups: Vec<Group>,
    /// What was looked for and is not there.
    pub absent: Vec<Absent>,
    /// The reviewers of the groups that are asked by `--panel auto`, to be probed.
    pub asked: Vec<Reviewer>,
}

/// Checks everybody who is configured, and finds who else could be asked.
pub fn check(config: &Config, survey: &Survey) -> Findings {
    let found = candidates(survey, config.times, &config.prices);
    let checked = |reviewers: &[Reviewer]| reviewers.iter().map(|one| row(one, survey)).collect::<Vec<_>>();
    let mut groups = Vec::new();
    let asked = if config.names_reviewers {
        groups.push(Group {
            title: "Reviewers".to_owned(),
            is_panel: true,
            checks: config.reviewers.iter().map(|one| configured(one, config, survey)).collect(),
        });
        config.reviewers.clone()
    } else {
        let added = if config.panel == AUTO { one_a_lineage(&found) } else { Vec::new() };
        let all = [config.reviewers.clone(), added].concat();
        let (here, away): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|one| one.access.stays_here());
        let title = "Asked by `scrum review`, since nobody is configured".to_owned();
        groups.push(Group { title, is_panel: true, checks: checked(&here) });
        let title =
            "Asked too, unless with `--panel offline`: these are shown the change outside of this machine";
        groups.push(Group { title: title.to_owned(), is_panel: true, checks: checked(&away) });
        all
    };
    let title = if config.names_reviewers { "Found here, not configured" } else { "Found here, not asked" };
    groups.push(Group { title: title.to_owned(), is_panel: false, checks: others(&found, &asked, survey) });
    groups.retain(|group| !group.checks.is_empty());
    Findings { groups, absent: absent(survey), asked }
}

/// With those in whose place it is asked when they are out of order.
fn configured(reviewer: &Reviewer, config: &Config, survey: &Survey) -> Check {
    let covers = |other: &&Reviewer| config.stand_ins(other).iter().any(|one| one.id == reviewer.id);
    let covered = config.reviewers.iter().filter(covers).map(|other| other.id.to_string());
    Check { stands_in_for: covered.collect(), ..row(reviewer, survey) }
}

/// Candidates that are not asked, and what is there and needs more to be a reviewer.
fn others(found: &[Candidate], asked: &[Reviewer], survey: &Survey) -> Vec<Check> {
    let same =
        |one: &Reviewer| asked.iter().any(|other| other.access == one.access && other.model == one.model);
    let spare = found.iter().filter(|one| !same(&one.reviewer)).map(|one| {
        let remark = match &one.instead {
            Some(id) => format!("ready; {id} is of the same lineage"),
            None => "ready".to_owned(),
        };
        let remedy = format!("`preset = \"{}\"`, `model = \"{}\"`", one.preset, one.reviewer.model);
        Check { state: Readiness::Spare { remark, remedy }, ..row(&one.reviewer, survey) }
    });
    spare
        .chain(unnamed_keys(found, asked, survey))
        .chain(unnamed_programs(found, asked, survey))
        .chain(servers(survey))
        .collect()
}

/// Programs that are there and of which none is asked by itself: they run code of the repository, ask a server, or need a model.
fn unnamed_programs<'a>(
    found: &'a [Candidate],
    asked: &'a [Reviewer],
    survey: &'a Survey,
) -> impl Iterator<Item = Check> + 'a {
    let is_used = move |preset: &Preset, program: &str| {
        let is_asked = |one: &Reviewer| one.access.program() == Some(program) && one.model == preset.name;
        found.iter().any(|one| one.preset == preset.name) || asked.iter().any(is_asked)
    };
    presets().into_iter().filter_map(move |preset| {
        let program = preset.program.clone().filter(|name| survey.programs.contains_key(name))?;
        let tool = preset.node_tool.as_ref().map(|tool| survey.node_tools.get(tool));
        if tool == Some(None) {
            return None;
        }
        let remark = match (preset.runs_repository_code, preset.provider == "sarif") {
            (true, _) => "it runs code of the repository, so only where you name it",
            (false, true) => "it asks a server for its rules, so only where you name it",
            (false, false) if preset.api_key_env.is_some() => "neither its key nor its login is found",
            (false, false) => "which model?",
        };
        (!is_used(&preset, &program)).then(|| Check {
            reviewer: preset.name.clone(),
            model: String::new(),
            lineage: String::new(),
            is_model: preset.provider != "sarif",
            is_asked: true,
            way: format!("program {program}"),
            state: Readiness::Spare {
                remark: tool.flatten().map_or("", |tool| where_it_is(*tool)).to_owned() + remark,
                remedy: format!("`preset = \"{}\"`", preset.name),
            },
            stands_in_for: Vec::new(),
            probe: None,
        })
    })
}

fn where_it_is(tool: NodeTool) -> &'static str {
    match tool {
        NodeTool::Installed => "in node_modules; ",
        NodeTool::Declared => "in package.json, not installed: `npm install`; ",
    }
}

/// Keys that are set and for which nobody knows which model to ask.
fn unnamed_keys<'a>(
    found: &'a [Candidate],
    asked: &'a [Reviewer],
    survey: &'a Survey,
) -> impl Iterator<Item = Check> + 'a {
    let is_used = move |variable: &str| {
        let mut known = found.iter().map(|one| &one.reviewer).chain(asked);
        known.any(|one| one.access.key_variable() == Some(variable))
    };
    presets().into_iter().filter_map(move |preset| {
        let variable = preset.api_key_env.filter(|name| survey.keys.contains(name))?;
        (preset.program.is_none() && !is_used(&variable)).then(|| Check {
            reviewer: preset.name.clone(),
            model: String::new(),
            lineage: String::new(),
            is_model: true,
            is_asked: true,
            way: preset.base_url.as_deref().map(host).unwrap_or_default(),
            state: Readiness::Spare {
                remark: format!("{variable} is set; which model?"),
                remedy: format!("`preset = \"{}\"` and a `model`", preset.name),
            },
            stands_in_for: Vec::new(),
            probe: None,
        })
    })
}

/// Local servers other than Ollama, whose models are candidates, and models that are no candidates.
fn servers(survey: &Survey) -> impl Iterator<Item = Check> + '_ {
    let talking = survey.servers.iter().filter(|server| !server.preset.is_empty());
    talking.filter_map(|server| {
        let models = server.models.as_ref().ok()?;
        let is_ollama = server.preset == "ollama";
        let shown: Vec<&str> = models
            .iter()
            .filter(|model| !is_ollama || model.kind == ModelKind::Elsewhere)
            .map(|model| model.name.as_str())
            .collect();
        let what = if is_ollama { "passes what it is told on to its maker" } else { "answers" };
        (!shown.is_empty()).then(|| Check {
            reviewer: server.preset.clone(),
            model: shown.join(", "),
            lineage: String::new(),
            is_model: true,
            is_asked: true,
            way: host(&server.base_url),
            state: Readiness::Spare {
                remark: what.to_owned(),
                remedy: format!("`preset = \"{}\"`, `model = \"{}\"`", server.preset, shown[0]),
            },
            stands_in_for: Vec::new(),
            probe: None,
        })
    })
}

fn row(reviewer: &Reviewer, survey: &Survey) -> Check {
    Check {
        reviewer: reviewer.id.to_string(),
        model: reviewer.model.clone(),
        lineage: reviewer.lineage.to_string(),
        is_model: reviewer.lineage.is_model(),
        is_asked: reviewer.access.base_url().is_some() || reviewer.access.program().is_some(),
        way: way(reviewer, survey),
        state: readiness(reviewer, survey),
        stands_in_for: Vec::new(),
        probe: None,
    }
}

/// How it is reached, in few words.
fn way(reviewer: &Reviewer, survey: &Survey) -> String {
    let access = &reviewer.access;
    if let Some(url) = access.base_url() {
        return host(url);
    }
    let Some(program) = access.program() else {
        return if matches!(access, Access::Builtin(_)) { "built in" } else { "saved replies" }.to_owned();
    };
    let version = survey.programs.get(program).and_then(|found| found.version.as_deref());
    let version = version.map(|version| format!(" {version}")).unwrap_or_default();
    format!("program {program}{version}")
}

fn readiness(reviewer: &Reviewer, survey: &Survey) -> Readiness {
    let access = &reviewer.access;
    if let Some(program) = access.program() {
        return match access.node_tool() {
            Some(tool) if survey.programs.contains_key(program) => node_tool_readiness(tool, survey),
            Some(_) | None => program_readiness(program, survey),
        };
    }
    if let Some(variable) = access.key_variable()
        && !survey.keys.contains(variable)
    {
        return Readiness::Not { problem: format!("{variable} is not set"), remedy: key_remedy(variable) };
    }
    if let Some(url) = access.base_url() {
        return if is_loopback(url) { server_readiness(reviewer, url, survey) } else { Readiness::Ready };
    }
    match access {
        Access::Replay { dir } if !dir.is_dir() => Readiness::Not {
            problem: format!("there is no folder {}", dir.display()),
            remedy: "correct `dir`".to_owned(),
        },
        _ => Readiness::Ready,
    }
}

fn key_remedy(variable: &str) -> String {
    let preset = presets().into_iter().find(|preset| preset.api_key_env.as_deref() == Some(variable));
    let how = preset.and_then(|preset| hint(&preset.name));
    let set = format!("export {variable}=…");
    how.map_or_else(|| set.clone(), |how| format!("{how}, then {set}"))
}

fn program_readiness(program: &str, survey: &Survey) -> Readiness {
    if survey.programs.contains_key(program) {
        return Readiness::Ready;
    }
    let preset = presets().into_iter().find(|preset| preset.program.as_deref() == Some(program));
    let how = preset.and_then(|preset| hint(&preset.name));
    let usual = "install it, put it on PATH, or write its full path in `command`";
    Readiness::Not {
        problem: format!("program {program} is not found"),
        remedy: how.unwrap_or_else(|| usual.to_owned()),
    }
}

fn node_tool_readiness(tool: &str, survey: &Survey) -> Readiness {
    match survey.node_tools.get(tool) {
        Some(NodeTool::Installed) => Readiness::Ready,
        Some(NodeTool::Declared) => Readiness::Not {
            problem: format!("{tool} is in package.json and not installed"),
            remedy: "`npm install`".to_owned(),
        },
        None => {
            let preset = presets().into_iter().find(|preset| preset.node_tool.as_deref() == Some(tool));
            let how = preset.and_then(|preset| hint(&preset.name));
            Readiness::Not {
                problem: format!("{tool} is neither in node_modules nor in package.json"),
                remedy: how.unwrap_or_else(|| "install it with `npm install --save-dev`".to_owned()),
            }
        }
    }
}

fn server_readiness(reviewer: &Reviewer, url: &str, survey: &Survey) -> Readiness {
    let Some(server) = survey.server_at(url) else { return Readiness::Ready };
    match &server.models {
        Err(Silence::Nobody) => Readiness::Not {
            problem: format!("nothing listens at {}", host(url)),
            remedy: server_hint(url).unwrap_or_else(|| "start the server".to_owned()),
        },
        // Not every server lists its models; whether it answers, `--probe` tells.
        Err(Silence::NotAsked | Silence::Odd(_)) => Readiness::Ready,
        Ok(_) if server.preset != "ollama" || has_model(server, &reviewer.model) => Readiness::Ready,
        Ok(models) => {
            let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
            let has = if names.is_empty() { "nothing yet".to_owned() } else { names.join(", ") };
            Readiness::Not {
                problem: format!("Ollama has no model {}", reviewer.model),
                remedy: format!("`ollama pull {}`; it has {has}", reviewer.model),
            }
        }
    }
}

/// How the server is started that usually listens at `url`, whichever of this machine's names that uses.
fn server_hint(url: &str) -> Option<String> {
    let usual = |preset: &Preset| preset.base_url.as_ref().is_some_and(|known| is_same_place(known, url));
    presets().into_iter().find(usual).and_then(|preset| hint(&preset.name))
}

/// Ollama's names end in a tag, `latest` where none is given.
fn has_model(server: &Server, model: &str) -> bool {
    let full = |name: &str| if name.contains(':') { name.to_owned() } else { format!("{name}:latest") };
    server.models.iter().flatten().any(|known| full(&known.name) == full(model))
}

fn absent(survey: &Survey) -> Vec<Absent> {
    let presets = presets();
    let mut seen = BTreeSet::new();
    let keys: Vec<String> = presets
        .iter()
        .filter_map(|preset| preset.api_key_env.clone())
        .filter(|name| !survey.keys.contains(name) && seen.insert(name.clone()))
        .collect();
    let mut missing: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for preset in &presets {
        if let Some(program) = preset.program.as_deref().filter(|name| !survey.programs.contains_key(*name)) {
            missing.entry(program).or_default().push(&preset.name);
        }
    }
    let programs = missing.into_iter().map(|(program, of)| match of.as_slice() {
        [only] if *only == program => program.to_owned(),
        several => format!("{program} (for {})", words::list(several)),
    });
    let not_here = presets.iter().filter(|preset| {
        let has_npx = preset.program.as_ref().is_some_and(|program| survey.programs.contains_key(program));
        has_npx && preset.node_tool.as_ref().is_some_and(|tool| !survey.node_tools.contains_key(tool))
    });
    let programs = programs.chain(not_here.map(|preset| format!("{} (not in this project)", preset.name)));
    let programs = programs.collect();
    let quiet = survey.servers.iter().filter(|server| server.models.is_err() && !server.preset.is_empty());
    let servers = quiet.map(|server| match &server.models {
        Err(Silence::NotAsked) => {
            format!("{} at {} (not on this machine, not asked)", server.preset, host(&server.base_url))
        }
        Err(Silence::Odd(what)) => format!("{} at {} ({what})", server.preset, host(&server.base_url)),
        _ => format!("{} at {}", server.preset, host(&server.base_url)),
    });
    let all = [("keys", keys), ("programs", programs), ("local servers", servers.collect())];
    let all = all.into_iter().filter(|(_, names)| !names.is_empty());
    all.map(|(what, names)| Absent { what: what.to_owned(), names }).collect()
}
