//! `scrum eval` on recorded reviews with labels, and its documents against the published schema.

use std::path::Path;

use scrum::report::eval::json;
use serde_json::{Value, json as value};

use crate::sandbox::{Printed, Sandbox};

fn labelled() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/labelled").display().to_string()
}

fn eval(arguments: &[&str]) -> Printed {
    Sandbox::new().scrum(&[&["eval", &labelled()], arguments].concat())
}

#[test]
fn recorded_reviewers_are_read_and_judged() {
    let printed = eval(&["--format", "json"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&printed.stdout).unwrap();
    let precision = |one: &Value| {
        let share = &one["precision"];
        format!("{} {} of {}", one["reviewer"].as_str().unwrap(), share["hits"], share["of"])
    };
    let reviewers: Vec<String> = document["reviewers"].as_array().unwrap().iter().map(precision).collect();
    insta::assert_snapshot!(reviewers.join("\n"), @"
    claude 6 of 7
    deepseek 1 of 2
    gemini 0 of 1
    glm 0 of 2
    gpt 12 of 13
    qwen 3 of 4
    ");
    assert_eq!((&document["unread"], &document["unjudged"]), (&value!(0), &value!(0)));
    assert_eq!(document["recall"]["share"], 1.0);
}

const LEAK: &str = "the file handle is never closed when parsing fails, so descriptors leak";
const LEAK_TOO: &str = "descriptors leak: when parsing fails the file handle is never closed";
const RACE: &str = "two threads may increment the retry counter at once and lose an update";
const TYPO: &str = "the comment above the constructor misspells the name of the protocol";

/// Two changes with lists of true issues and three reviewers.
fn golden() -> Sandbox {
    let sandbox = Sandbox::new();
    let said = |place: &str, what: &str| format!("SEVERITY: WARN\nWHERE: {place}\nWHAT: {what}\n\n");
    let reply = |name: &str, findings: &[String]| {
        sandbox.write(&format!("data/{name}.md"), findings.concat() + "VERDICT: hold\n");
    };
    let issue = |id: &str, path: &str, text: &str| value!({"id": id, "path": path, "text": text});
    let both = value!({"issues": [issue("leak", "a.rs", LEAK), issue("race", "b.rs", RACE)]});
    sandbox.write("data/one/expected.json", both.to_string());
    reply("one/claude", &[said("a.rs:10", LEAK), said("c.rs:3", TYPO)]);
    reply("one/gpt", &[said("a.rs:12", LEAK_TOO)]);
    reply("one/gemini", &[]);
    let race = value!({"issues": [issue("race", "b.rs", RACE)]});
    sandbox.write("data/two/expected.json", race.to_string());
    reply("two/claude", &[said("b.rs:5", RACE), said("c.rs:3", TYPO)]);
    reply("two/gemini", &[said("c.rs:3", LEAK)]);
    sandbox
}

#[test]
fn a_panel_in_tables() {
    let printed = golden().scrum(&["eval", "data"]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(printed.stdout, @"
    2 cases with 3 true issues; 6 findings by 3 reviewers of 3 lineages

    Reviewers

    reviewer  cases  findings  precision           recall            only it found
    claude    2      4         50 % (15–85) 2/4    67 % (21–94) 2/3  1
    gemini    2      1         0 % (0–79) 0/1      0 % (0–56) 0/3    0
    gpt       1      1         100 % (21–100) 1/1  33 % (6–79) 1/3   0

    Lineages

    lineage       cases  findings  precision           recall            only it found
    anthropic     2      4         50 % (15–85) 2/4    67 % (21–94) 2/3  1
    google        2      1         0 % (0–79) 0/1      0 % (0–56) 0/3    0
    openai        1      1         100 % (21–100) 1/1  33 % (6–79) 1/3   0
    all together  2      6         50 % (19–81) 3/6    67 % (21–94) 2/3

    Agreement

    agreement  lineages  true findings       true issues         by chance  pairs that are one
    single     1         50 % (9–91) 1/2     50 % (9–91) 1/2     50 %       –
    place      2         0 % (0–66) 0/2      0 % (0–79) 0/1      67 %       –
    claim      2         100 % (34–100) 2/2  100 % (21–100) 1/1  100 %      100 % (21–100) 1/1
    Where two lineages or more agree on the place alone, against one alone: findings -50; issues -50,
    beyond chance -67.
    Where two lineages or more agree on the claim, against one alone: findings +50; issues +50, beyond
    chance +0.

    What further lineages add, over all panels of that size

    lineages  mean recall  gain
    1         33 %         +33
    2         56 %         +22
    3         67 %         +11

    The best next lineage each time

    lineage    recall with it    new  adds on average
    anthropic  67 % (21–94) 2/3  2    50 %
    google     67 % (21–94) 2/3  0    0 %
    openai     67 % (21–94) 2/3  0    17 %

    In brackets 95 % intervals: Wilson's for shares of a count, by bootstrap over cases for means and
    differences. An issue is true when one of its findings is; by chance: if the true findings of each
    case were dealt out at random. Recall counts the true issues of all cases, answered or not.
    ");
}

#[test]
fn markdown_says_the_same() {
    let printed = golden().scrum(&["eval", "data", "--format", "markdown", "-r", "claude", "-r", "gpt"]);
    insta::assert_snapshot!(printed.stdout, @"
    2 cases with 3 true issues; 5 findings by 2 reviewers of 2 lineages.

    ### Reviewers

    | reviewer | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | claude | 2 | 4 | 50 % (15–85) 2/4 | 67 % (21–94) 2/3 | 1 |
    | gpt | 1 | 1 | 100 % (21–100) 1/1 | 33 % (6–79) 1/3 | 0 |

    ### Lineages

    | lineage | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | anthropic | 2 | 4 | 50 % (15–85) 2/4 | 67 % (21–94) 2/3 | 1 |
    | openai | 1 | 1 | 100 % (21–100) 1/1 | 33 % (6–79) 1/3 | 0 |
    | all together | 2 | 5 | 60 % (23–88) 3/5 | 67 % (21–94) 2/3 |  |

    ### Agreement

    | agreement | lineages | true findings | true issues | by chance | pairs that are one |
    |---|---|---|---|---|---|
    | single | 1 | 33 % (6–79) 1/3 | 33 % (6–79) 1/3 | 56 % | – |
    | claim | 2 | 100 % (34–100) 2/2 | 100 % (21–100) 1/1 | 100 % | 100 % (21–100) 1/1 |

    Where two lineages or more agree on the claim, against one alone: findings +67; issues +67, beyond chance +22.

    ### What further lineages add, over all panels of that size

    | lineages | mean recall | gain |
    |---|---|---|
    | 1 | 50 % | +50 |
    | 2 | 67 % | +17 |

    ### The best next lineage each time

    | lineage | recall with it | new | adds on average |
    |---|---|---|---|
    | anthropic | 67 % (21–94) 2/3 | 2 | 50 % |
    | openai | 67 % (21–94) 2/3 | 0 | 17 % |

    In brackets 95 % intervals: Wilson's for shares of a count, by bootstrap over cases for means and differences. An issue is true when one of its findings is; by chance: if the true findings of each case were dealt out at random. Recall counts the true issues of all cases, answered or not.
    ");
}

#[test]
fn part_of_the_panel_against_the_same_issues() {
    let real = |arguments: &[&str]| {
        let document: Value =
            serde_json::from_str(&eval(&[&["--format", "json"], arguments].concat()).stdout).unwrap();
        let names = document["reviewers"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|one| one["reviewer"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), document["true_issues"].as_u64().unwrap())
    };
    let all = real(&[]).1;
    assert_eq!(real(&["-r", "gpt", "-r", "claude"]), ("claude gpt".to_owned(), all));
    assert_eq!(real(&["--lineage", "Zhipu"]), ("glm".to_owned(), all));
}

#[test]
fn nobody_to_score() {
    let printed = eval(&["-r", "gpt", "--lineage", "google"]);
    insta::assert_snapshot!(printed.stderr, @"
    error: nobody to score
    hint: reviewers in the data: claude (anthropic), deepseek (deepseek), gemini (google), glm (zhipu), gpt (openai), qwen (alibaba)
    ");
    assert_eq!((printed.status, printed.stdout.as_str()), (2, ""));
}

#[test]
fn a_picture() {
    let sandbox = golden();
    let printed = sandbox.scrum(&["eval", "data", "--plot", "worth.svg", "-o", "worth.txt"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (0, ""));
    let picture = std::fs::read_to_string(sandbox.repo().join("worth.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    for text in ["on the claim", "+ google", "2/2"] {
        assert!(picture.contains(text), "{text} in {picture}");
    }
}

/// A case by hand: `expected.json`, and replies by name.
fn case(expected: &Value, replies: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("data/one/expected.json", expected.to_string());
    for (name, text) in replies {
        sandbox.write(&format!("data/one/{name}.md"), text);
    }
    sandbox
}

#[test]
fn hostile_names_act_nowhere() {
    let name = "<b>\u{1b}[31m|&x";
    let expected = value!({"findings": [], "lineages": {"gpt": name}});
    let reply = "SEVERITY: WARN\nWHERE: a.rs:1\nWHAT: leaks a handle\n\nVERDICT: hold\n";
    let sandbox = case(&expected, &[("gpt", reply)]);
    for format in ["table", "markdown", "json"] {
        let printed = sandbox.scrum(&["eval", "data", "--format", format, "--plot", "p.svg"]);
        assert_eq!(printed.status, 0, "{}", printed.stderr);
        assert!(!printed.stdout.contains('\u{1b}'), "{}", printed.stdout);
        assert!(format != "markdown" || !printed.stdout.contains("<b>"), "{}", printed.stdout);
        let picture = std::fs::read_to_string(sandbox.repo().join("p.svg")).unwrap();
        assert!(!picture.contains("<b>") && !picture.contains('\u{1b}'), "{picture}");
    }
    let refused = sandbox.scrum(&["eval", "data", "-r", "nobody"]);
    assert_eq!(refused.status, 2);
    assert!(refused.stderr.contains("gpt (<b>␛[31m|&x)"), "{}", refused.stderr);
}

#[test]
fn labels_that_do_not_read() {
    let check = |expected: Value, reason: &str| {
        let printed = case(&expected, &[]).scrum(&["eval", "data"]);
        assert_eq!(printed.status, 2);
        assert!(printed.stderr.contains(reason), "{}", printed.stderr);
    };
    let finding = |judgement: Value| {
        let mut finding = value!({"reviewer": "gpt", "path": "a.rs", "from": 1, "to": 1});
        finding.as_object_mut().unwrap().extend(judgement.as_object().unwrap().clone());
        value!({"findings": [finding]})
    };
    check(finding(value!({})), "finding 1 has neither `valid` nor `matches`");
    check(finding(value!({"valid": 2})), "finding 1 has `valid` 2, not 0 or 1");
    check(finding(value!({"matches": ["x"]})), "finding 1 matches \"x\", which is no issue of this file");
    check(value!({"findings": [{"reviewer": "../x", "path": "a", "valid": true}]}), "finding 1 is by nobody");
    check(
        value!({"issues": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]}),
        "two issues have the id \"a\"",
    );
    check(value!({"diff": "../../secret"}), "`diff` is ../../secret, which is no file name");
    let sandbox = case(&value!({"diff": "linked"}), &[]);
    sandbox.script("ln -s /etc/hostname data/one/linked");
    assert!(sandbox.scrum(&["eval", "data"]).stderr.contains("`diff` is linked, which leads elsewhere"));
    check(value!({"repo": "."}), "`repo` without `range`");
    check(value!([]), "expected.json is damaged");
}

#[test]
fn documents_are_valid() {
    let validator = jsonschema::validator_for(json::schema().as_value()).unwrap();
    let few = case(&value!({"issues": [], "findings": []}), &[("gpt", "VERDICT: ship\n")]);
    for printed in [eval(&["--format", "json"]), few.scrum(&["eval", "data", "--format", "json"])] {
        let document: Value = serde_json::from_str(&printed.stdout).unwrap();
        let faults: Vec<String> = validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new());
        let mut broken = document;
        broken["agreement"] = value!([{"agreement": "vote"}]);
        assert!(!validator.is_valid(&broken));
    }
}

/// A repository whose last commit leaves a file open, with two reviewers that see it and one that does not. Each request to one
/// of them leaves a line in `asked`.
fn live() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.script(
        "printf 'fn main() {}\n' > main.rs && git add . && git commit -qm one
         printf 'fn main() {\n    let file = open();\n    parse(file)?;\n}\n' > main.rs && git commit -qam two
         git diff HEAD~1 HEAD > change.diff",
    );
    let reviewer = |id: &str, lineage: &str, said: &str| {
        let script = format!("cat >/dev/null; echo {id} >> asked; printf '{said}VERDICT: hold\\n'");
        format!(
            "[[reviewer]]\nid = {id:?}\nprovider = \"command\"\nlineage = {lineage:?}\n\
             command = [\"bash\", \"-c\", {script:?}]\nwork_dir = \".\"\n"
        )
    };
    let finding = |what: &str| format!("SEVERITY: WARN\\nWHERE: main.rs:2\\nWHAT: {what}\\n\\n");
    let panels = "[panel.pair]\nreviewers = [\"one\", \"two\"]\n[panel.all]\nreviewers = [\"one\", \"two\", \"three\"]\n";
    let reviewers = [
        reviewer("one", "a", &finding(LEAK)),
        reviewer("two", "b", &finding(LEAK_TOO)),
        reviewer("three", "c", ""),
    ];
    sandbox.write("scrum.toml", panels.to_owned() + &reviewers.concat());
    let issues = value!([
        {"id": "leak", "path": "main.rs", "from": 2, "text": LEAK},
        {"id": "type", "path": "main.rs", "from": 3, "text": "the question mark needs a function that returns a result"}
    ]);
    let by_range = value!({"issues": issues, "repo": "../..", "range": "HEAD~1..HEAD"});
    sandbox.write("data/by-range/expected.json", by_range.to_string());
    sandbox
        .write("data/by-diff/expected.json", value!({"issues": issues, "diff": "change.diff"}).to_string());
    sandbox.script("mv change.diff data/by-diff/");
    sandbox.write("data/neither/expected.json", value!({"issues": issues}).to_string());
    sandbox
}

fn asked(sandbox: &Sandbox) -> String {
    sandbox.script("sort asked | uniq -c | xargs")
}

#[test]
fn a_panel_is_asked_and_never_twice() {
    let sandbox = live();
    let eval = |panel: &str| sandbox.scrum(&["eval", "data", "--panel", panel, "--format", "markdown", "-q"]);
    let first = eval("pair");
    assert_eq!(first.status, 0, "{}", first.stderr);
    insta::assert_snapshot!(first.stderr, @"warning: neither is left out: its labels do not say where the change is");
    insta::assert_snapshot!(first.stdout, @"
    2 cases with 4 true issues; 4 findings by 2 reviewers of 2 lineages.

    ### Reviewers

    | reviewer | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | one | 2 | 2 | 100 % (34–100) 2/2 | 50 % (15–85) 2/4 | 0 |
    | two | 2 | 2 | 100 % (34–100) 2/2 | 50 % (15–85) 2/4 | 0 |

    ### Lineages

    | lineage | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | a | 2 | 2 | 100 % (34–100) 2/2 | 50 % (15–85) 2/4 | 0 |
    | b | 2 | 2 | 100 % (34–100) 2/2 | 50 % (15–85) 2/4 | 0 |
    | all together | 2 | 4 | 100 % (51–100) 4/4 | 50 % (15–85) 2/4 |  |

    ### Agreement

    | agreement | lineages | true findings | true issues | by chance | pairs that are one |
    |---|---|---|---|---|---|
    | claim | 2 | 100 % (51–100) 4/4 | 100 % (34–100) 2/2 | 100 % | 100 % (34–100) 2/2 |

    ### What further lineages add, over all panels of that size

    | lineages | mean recall | gain |
    |---|---|---|
    | 1 | 50 % | +50 |
    | 2 | 50 % | +0 |

    ### The best next lineage each time

    | lineage | recall with it | new | adds on average |
    |---|---|---|---|
    | a | 50 % (15–85) 2/4 | 2 | 25 % |
    | b | 50 % (15–85) 2/4 | 0 | 25 % |

    In brackets 95 % intervals: Wilson's for shares of a count, by bootstrap over cases for means and differences. An issue is true when one of its findings is; by chance: if the true findings of each case were dealt out at random. Recall counts the true issues of all cases, answered or not.
    ");
    assert_eq!(asked(&sandbox), "2 one 2 two\n");

    let again = eval("pair");
    assert_eq!((again.stdout, asked(&sandbox).as_str()), (first.stdout, "2 one 2 two\n"));

    let more = eval("all");
    assert_eq!((more.status, asked(&sandbox).as_str()), (0, "2 one 2 three 2 two\n"));
    let fewer = sandbox.scrum(&["eval", "data", "--panel", "all", "--lineage", "c", "-q"]);
    assert!(fewer.stdout.contains("2 cases with 4 true issues; 0 findings by 1 reviewer of 1 lineage"));
    assert_eq!(asked(&sandbox), "2 one 2 three 2 two\n");
    assert_eq!(sandbox.scrum(&["report"]).status, 2, "evaluations are no runs of the repository");
}

#[test]
fn a_reviewer_that_is_another_one_now_is_asked_again() {
    let sandbox = live();
    let eval = || sandbox.scrum(&["eval", "data", "--panel", "pair", "-r", "one", "-q"]).status;
    assert_eq!((eval(), asked(&sandbox).as_str()), (0, "2 one\n"));
    sandbox.script("sed -i 's/lineage = \"a\"/lineage = \"d\"/' scrum.toml");
    assert_eq!((eval(), asked(&sandbox).as_str()), (0, "4 one\n"));
}

#[test]
fn a_budget_stops_the_asking_and_the_same_command_goes_on() {
    let sandbox = live();
    sandbox.script(
        "printf '[review]\nmax_tokens = 1\nconcurrency = 1\n' | cat - scrum.toml > new && mv new scrum.toml",
    );
    let eval = || sandbox.scrum(&["eval", "data", "--panel", "pair", "-q"]);
    let first = eval();
    let warning = "the budget of 1 tokens is used up, so nothing is scored; what was answered is kept: the same command goes on with as much again\n";
    assert!(first.stderr.ends_with(warning), "{}", first.stderr);
    assert_eq!((first.status, first.stdout.as_str()), (3, ""));
    assert_eq!([eval(), eval(), eval()].map(|printed| printed.status), [3, 3, 0]);
    assert_eq!(asked(&sandbox), "2 one 2 two\n");
}

#[test]
fn nobody_or_nothing_to_ask() {
    let sandbox = live();
    let printed = sandbox.scrum(&["eval", "data", "--panel", "pair", "-r", "three"]);
    insta::assert_snapshot!(printed.stderr, @r#"
    error: nobody on panel "pair" is left to ask
    hint: reviewers on it: one (a), two (b)
    "#);
    sandbox.script("rm -r data/by-*");
    let printed = sandbox.scrum(&["eval", "data", "--panel", "pair"]);
    insta::assert_snapshot!(printed.stderr, @"
    warning: neither is left out: its labels do not say where the change is
    error: no case can be put to a panel
    hint: labels say where the change is by `repo` and `range`, or by `diff`
    ");
    assert_eq!(printed.status, 2);
}
