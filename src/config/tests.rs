//! Tests of configuration: defaults, layers, errors in words, panels.

use std::path::Path;

use super::*;

pub(super) fn load(text: &str) -> Result<Config, ConfigError> {
    let mut merged = Layer::reference()?;
    merged.lay_over(Layer::parse(text, Path::new("/home/ada/repo/scrum.toml"))?);
    merged.finish(&|_| Ok(StandIn::Disk))
}

#[test]
fn the_reference_is_the_default() {
    let config = load("").unwrap();
    assert_eq!(config.limits, Limits::default());
    assert_eq!((config.panel.as_str(), config.concurrency.get(), config.gate.min_lineages), ("auto", 16, 1));
    assert!(config.gate.is_off());
    let lineages: Vec<_> = config.reviewers.iter().map(|reviewer| reviewer.lineage.to_string()).collect();
    assert_eq!(lineages, ["static:rules", "history"]);
    assert_eq!((config.system_prompt, config.user_prompt), (None, None));
}

#[test]
fn what_is_said_of_the_forge() {
    let check = |text: &str, platform: Option<Platform>, url: Option<&str>| {
        let forge = load(text).unwrap().forge;
        let expect = ForgeSettings { platform, url: url.map(str::to_owned), project: None, token_env: None };
        assert_eq!(forge, expect, "{text}");
    };
    check("", None, None);
    check("[forge]\nplatform = \"forgejo\"", Some(Platform::Gitea), None);
    check("[forge]\nplatform = \"gitlab\"\nurl = \"https://h\"", Some(Platform::GitLab), Some("https://h"));
    let error = load("[forge]\nplatform = \"bitbucket\"").unwrap_err().to_string();
    let expect = "platform is `bitbucket`, it must be one of `github`, `gitlab`, `gitea`, `forgejo`";
    assert!(error.ends_with(expect), "{error}");
}

#[test]
fn the_commented_examples_of_the_reference_are_right() {
    let uncommented: String = DEFAULT
        .lines()
        .map(|line| line.strip_prefix("# ").or(line.strip_prefix('#')).unwrap_or(line))
        .skip_while(|line| *line != "[review]")
        .flat_map(|line| [line, "\n"])
        .collect();
    let config = Layer::parse(&uncommented, Path::new("/x/default.toml"))
        .unwrap()
        .finish(&|_| Ok(StandIn::Disk))
        .unwrap();
    let ids: Vec<_> = config.reviewers.iter().map(|reviewer| reviewer.id.to_string()).collect();
    let expect = [
        ["rules", "history", "kimi", "kimi-direct", "sonnet", "azure"].as_slice(),
        &["claude", "ours", "opus", "ruff", "mylint", "codeql"],
    ];
    assert_eq!(ids, expect.concat());
    assert_eq!(config.components[0].name, "billing");
}

#[test]
fn the_reference_mentions_every_key() {
    let files =
        [("pub(super) ", include_str!("file.rs")), ("pub(in crate::config) ", include_str!("file/serve.rs"))];
    let keys = files
        .iter()
        .flat_map(|(start, text)| text.lines().filter_map(move |line| line.trim().strip_prefix(start)));
    let keys = keys.filter_map(|line| line.split_once(": ").map(|(key, _)| key));
    let words: Vec<_> = DEFAULT.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let silent: Vec<_> = keys.filter(|key| !words.contains(key)).collect();
    assert_eq!(silent, [""; 0]);
}

#[test]
fn errors_name_file_line_and_key() {
    let check = |text: &str, expect: &str| {
        let error = load(text).unwrap_err();
        let suggestion = match &error {
            ConfigError::Invalid { suggestion: Some(key), .. } => format!(" ({key}?)"),
            _ => String::new(),
        };
        assert_eq!(format!("{error}{suggestion}"), expect);
    };
    check(
        "[review]\n\nconcurency = 3\n",
        "/home/ada/repo/scrum.toml:3: unknown field `concurency`, expected one of `panel`, `concurrency`, \
         `timeout_secs`, `idle_timeout_secs`, `max_cost_usd`, `max_tokens`, `fail_on`, `min_lineages` (concurrency?)",
    );
    check("[review]\nconcurrency = 0\n", "review.concurrency is 0, it must be from 1 to 1000");
    check("[bundle]\nfail_bytes = 10\n", "bundle.fail_bytes is 10, it must be from 60000 to 1099511627776");
    check("[[reviewer]]\nid = \"x\"\nprovider = \"openai\"\n", "reviewer \"x\": needs a `model`");
    check("[[reviewer]]\nid = \"x\"\n", "reviewer \"x\": needs a `provider` or a `preset`");
    let error = load("[[reviewer]]\nid = \"x\"\nprovider = \"opencode\"\n").unwrap_err();
    let ConfigError::Invalid { suggestion: Some(suggestion), .. } = &error else { panic!("{error:?}") };
    assert_eq!(suggestion, "preset = \"opencode\"");
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"opnrouter\"\n",
        "reviewer \"x\": no preset named \"opnrouter\"",
    );
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"azure\"\nmodel = \"m\"\n",
        "reviewer \"x\": needs a `base_url` of your own, such as \"https://{resource}.openai.azure.com/openai/v1\" with your words in place of those in braces",
    );
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nmodel = \"m\"\nprice = { input = -1, output = 2 }\n",
        "reviewer \"x\": a price must be 0 or more US dollars per million tokens",
    );
    check(
        "[[reviewer]]\nid = \"x\"\nprovider = \"command\"\n",
        "reviewer \"x\": needs a `command`, such as [\"claude\", \"-p\"]",
    );
    check(
        "[[reviewer]]\nid = \"x\"\nprovider = \"replay\"\ndir = \"r\"\ntemperature = 1.0\n",
        "reviewer \"x\": `temperature` means nothing to its provider",
    );
    check(
        "[[reviewer]]\nid = \"a__b\"\nprovider = \"replay\"\ndir = \"r\"\n",
        "reviewer id \"a__b\" must be letters, digits, `.`, `_`, `-`, not start with `.` and not hold `__`",
    );
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nprovider = \"anthropic\"\nmodel = \"m\"\n",
        "reviewer \"x\": preset \"openai\" is of provider \"openai\", not \"anthropic\": leave out `provider`",
    );
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nmodel = \"m\"\nmax_output_tokens = 0\n",
        "reviewer \"x\": max_output_tokens is 0, it must be from 1 to 4294967295",
    );
    check("[review]\ntimeout_secs = 0\n", "review.timeout_secs is 0, it must be from 1 to 604800");
    let twice = "[[reviewer]]\nid = \"x\"\nprovider = \"replay\"\ndir = \"r\"\n".repeat(2);
    check(&twice, "reviewer \"x\": is configured twice");
}

#[test]
fn entries_that_would_do_nothing_are_named() {
    let check = |text: &str, expect: &str| assert_eq!(load(text).unwrap_err().to_string(), expect);
    let unclosed = "bad glob \"src/[a\": unclosed character class; missing ']'";
    let first = "[[route]]\npaths = [\"src\"]\npanel = \"offline\"\n";
    check(
        &format!("{first}[[route]]\npaths = [\"src/[a\"]\npanel = \"offline\"\n"),
        &format!("route 2: {unclosed}"),
    );
    check("[[guidance.rule]]\npaths = [\"src/[a\"]\ntext = \"x\"\n", &format!("guidance.rule 1: {unclosed}"));
    check("[[component]]\nname = \"a\"\npaths = [\"src/[a\"]\n", &format!("component 1: {unclosed}"));
    check("[bundle]\ninclude = [\"src/[a\"]\n", &format!("bundle.include: {unclosed}"));
    check("[bundle]\nexclude = [\"src/[a\"]\n", &format!("bundle.exclude: {unclosed}"));
    check(
        "[[reviewer]]\nid = \"x\"\npreset = \"ruff\"\npaths = [\"src/[a\"]\n",
        &format!("reviewer \"x\": {unclosed}"),
    );
    check(
        "[[component]]\nname = \"a\"\npaths = []\n",
        "component 1: needs `paths`, such as [\"src/**\"]; without them it is about no file",
    );
    check("[panel.x]\nreviewers = [\"rulse\"]\n", "panel \"x\": no reviewer named \"rulse\"");
    check("[panel.x]\nreviewers = []\n", "panel \"x\": asks nobody; needs `reviewers`, a list of ids");
    check(
        "[panel.auto]\nreviewers = [\"rules\"]\n",
        "panel \"auto\": that name stands for every reviewer there is; choose another one",
    );
    check("[review]\npanel = \"lihgt\"\n", "review.panel: no panel named \"lihgt\"");
}

#[test]
fn a_key_in_place_of_its_variable_is_not_repeated() {
    let key = "sk-proj-0123456789abcdef";
    let entry =
        format!("[[reviewer]]\nid = \"x\"\npreset = \"openai\"\nmodel = \"m\"\napi_key_env = \"{key}\"\n");
    let error = load(&entry).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(key));
    assert!(error.to_string().contains("api_key_env must be the name of an environment variable"), "{error}");
}

const PAIR: &str = "[[reviewer]]\nid = \"opus\"\nprovider = \"openai\"\nmodel = \"claude-opus-4-7\"\napi_key_env = \"SCRUM_TEST_UNSET\"\n\
                    fallback = [\"opus-2\"]\n\
                    [[reviewer]]\nid = \"opus-2\"\nprovider = \"command\"\ncommand = [\"claude\"]\nmodel = \"claude-opus-4-7\"\n";

#[test]
fn who_cannot_stand_in() {
    let check = |text: &str, expect: &str| {
        let error = load(text).unwrap_err();
        let ConfigError::Fallback { suggestion, able, .. } = &error else { panic!("{error:?}") };
        let suggestion = suggestion.as_ref().map(|id| format!(" ({id}?)")).unwrap_or_default();
        assert_eq!(format!("{error}{suggestion} {able:?}"), expect);
    };
    let named = |name: &str| PAIR.replace("[\"opus-2\"]", &format!("[\"{name}\"]"));
    check(
        &named("opsu-2"),
        "reviewer \"opus\": fallback \"opsu-2\": there is no such reviewer (opus-2?) [\"opus-2\"]",
    );
    check(
        &named("opus"),
        "reviewer \"opus\": fallback \"opus\": a reviewer cannot stand in for itself (opus-2?) [\"opus-2\"]",
    );
    check(
        &named("rules"),
        "reviewer \"opus\": fallback \"rules\": it is of lineage static:rules, not anthropic: agreement would mean something else [\"opus-2\"]",
    );
    check(
        &format!("{PAIR}fallback = [\"opus\"]\n"),
        "reviewer \"opus\": fallback \"opus-2\": it falls back on this reviewer in turn (opus-2?) [\"opus-2\"]",
    );
}

#[test]
fn a_stand_in_is_asked_for_another_and_not_for_itself() {
    let seats = |choice: Choice| {
        let seats = load(PAIR).unwrap().seats(&choice, 1, env::Environment).unwrap();
        let ids = |reviewers: &mut dyn Iterator<Item = &Reviewer>| {
            reviewers.map(|reviewer| reviewer.id.to_string()).collect::<Vec<_>>().join(" ")
        };
        let usable = ids(&mut seats.usable.iter().map(|(reviewer, _)| reviewer));
        let substituted = ids(&mut seats.substituted.iter().map(|seat| &seat.reviewer));
        let stand_ins = ids(&mut seats.stand_ins.values().flatten().map(|(reviewer, _)| reviewer));
        [usable, substituted, stand_ins, seats.usable_lineages().to_string()]
    };
    assert_eq!(seats(Choice::default()), ["rules history", "opus", "opus-2", "3"]);
    let named = Choice { panel: None, reviewers: vec!["opus".to_owned(), "opus-2".to_owned()] };
    assert_eq!(seats(named), ["opus-2", "opus", "opus-2", "1"]);
}

#[test]
fn a_limit_on_cost_is_an_amount() {
    let cost =
        |text: &str| load(&format!("[review]\nmax_cost_usd = {text}\n")).map(|config| config.max_cost_usd);
    assert_eq!(cost("0.5").unwrap(), Some(0.5));
    assert_eq!(
        cost("-1.0").unwrap_err().to_string(),
        "review.max_cost_usd is -1, it must be 0 or more US dollars"
    );
    assert!(cost("nan").is_err());
}

#[test]
fn paths_start_at_their_file_and_reviewers_merge_by_id() {
    let config = load(
        "[[reviewer]]\nid = \"rules\"\nprovider = \"replay\"\ndir = \"saved\"\nmodel = \"claude-opus-4-7\"\n",
    )
    .unwrap();
    let rules = config.reviewers.iter().find(|reviewer| reviewer.id.as_str() == "rules").unwrap();
    assert_eq!(rules.access, crate::reviewer::Access::Replay { dir: "/home/ada/repo/saved".into() });
    assert_eq!(rules.lineage.as_str(), "anthropic");
    assert_eq!(config.reviewers.len(), 2);
}

#[test]
fn panels() {
    let check = |choice: Choice, expect: Result<&[&str], &str>| {
        let config = load(
            "[[reviewer]]\nid = \"keyed\"\nprovider = \"openai\"\nmodel = \"gpt-5\"\napi_key_env = \"SCRUM_TEST_UNSET\"\n",
        )
        .unwrap();
        let seats = config.seats(&choice, 1, env::Environment);
        let usable = seats.map(|seats| {
            seats.usable.iter().map(|(reviewer, _)| reviewer.id.to_string()).collect::<Vec<_>>()
        });
        match (usable, expect) {
            (Ok(usable), Ok(expect)) => assert_eq!(usable, expect),
            (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect),
            (other, _) => panic!("{choice:?}: {other:?}"),
        }
    };
    let by_id =
        |ids: &[&str]| Choice { panel: None, reviewers: ids.iter().map(|id| (*id).to_owned()).collect() };
    check(Choice::default(), Ok(&["rules", "history"]));
    check(Choice { panel: Some("offline".to_owned()), ..Choice::default() }, Ok(&["rules", "history"]));
    check(Choice { panel: Some("none".to_owned()), ..Choice::default() }, Err("no panel named \"none\""));
    check(by_id(&["history", "history"]), Ok(&["history"]));
    check(by_id(&["opus"]), Err("no reviewer named \"opus\""));
    check(by_id(&["keyed"]), Err("reviewer keyed cannot be asked: SCRUM_TEST_UNSET is not set"));
    check(by_id(&["keyed", "rules"]), Ok(&["rules"]));
}
