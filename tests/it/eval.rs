//! `scrum eval` on recorded reviews with labels, and its documents against the published schema.

use std::path::{Path, PathBuf};

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
fn a_panel_in_tables() {
    let printed = eval(&[]);
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(printed.stdout, @"
    6 cases with 16 true issues; 26 findings by 6 reviewers of 6 lineages

    Reviewers

    reviewer  cases  findings  precision         recall             only it found
    claude    4      4         75 % (30–95) 3/4  19 % (7–43) 3/16   3
    deepseek  3      3         33 % (6–79) 1/3   6 % (1–28) 1/16    1
    gemini    2      2         50 % (9–91) 1/2   6 % (1–28) 1/16    1
    glm       1      2         0 % (0–66) 0/2    0 % (0–19) 0/16    0
    gpt       5      9         89 % (57–98) 8/9  50 % (28–72) 8/16  8
    qwen      4      6         50 % (19–81) 3/6  19 % (7–43) 3/16   3

    Lineages

    lineage       cases  findings  precision           recall                only it found
    alibaba       4      6         50 % (19–81) 3/6    19 % (7–43) 3/16      3
    anthropic     4      4         75 % (30–95) 3/4    19 % (7–43) 3/16      3
    deepseek      3      3         33 % (6–79) 1/3     6 % (1–28) 1/16       1
    google        2      2         50 % (9–91) 1/2     6 % (1–28) 1/16       1
    openai        5      9         89 % (57–98) 8/9    50 % (28–72) 8/16     8
    zhipu         1      2         0 % (0–66) 0/2      0 % (0–19) 0/16       0
    all together  6      26        62 % (43–78) 16/26  100 % (81–100) 16/16
    Without a list of true issues, recall is of those that labelled findings name: what nobody found is
    missing.

    Agreement

    agreement  lineages  true issues         by chance  true findings
    single     1         60 % (39–78) 12/20  66 %       60 % (39–78) 12/20
    place      2         100 % (21–100) 1/1  100 %      100 % (34–100) 2/2
    claim      2         100 % (34–100) 2/2  37 %       50 % (15–85) 2/4
    Where two lineages or more agree on the place alone, against one alone: issues +40, of that beyond
    chance +6; findings +40.
    Where two lineages or more agree on the claim, against one alone: issues +40, of that beyond chance
    +70; findings -10.

    What further lineages add, over all panels of that size

    lineages  mean recall      gain
    1         17 % (17–17)     +17 (+17 to +17)
    2         33 % (33–33)     +17 (+17 to +17)
    3         50 % (50–50)     +17 (+17 to +17)
    4         67 % (67–67)     +17 (+17 to +17)
    5         83 % (83–83)     +17 (+17 to +17)
    6         100 % (100–100)  +17 (+17 to +17)

    The best next lineage each time

    lineage    recall with it        new  adds on average
    openai     50 % (28–72) 8/16     8    50 %
    alibaba    69 % (44–86) 11/16    3    19 %
    anthropic  88 % (64–97) 14/16    3    19 %
    deepseek   94 % (72–99) 15/16    1    6 %
    google     100 % (81–100) 16/16  1    6 %
    zhipu      100 % (81–100) 16/16  0    0 %

    In brackets 95 % intervals: Wilson's for shares of a count, by bootstrap over cases for means and
    differences. An issue is true when one of its findings is; by chance: if the true findings of each
    case were dealt out at random. Recall counts the true issues of all cases, answered or not.
    ");
}

#[test]
fn markdown_says_the_same() {
    insta::assert_snapshot!(eval(&["--format", "markdown", "-r", "gpt"]).stdout, @"
    6 cases with 16 true issues; 9 findings by 1 reviewer of 1 lineage.

    ### Reviewers

    | reviewer | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | gpt | 5 | 9 | 89 % (57–98) 8/9 | 50 % (28–72) 8/16 | 8 |

    ### Lineages

    | lineage | cases | findings | precision | recall | only it found |
    |---|---|---|---|---|---|
    | openai | 5 | 9 | 89 % (57–98) 8/9 | 50 % (28–72) 8/16 | 8 |
    | all together | 6 | 9 | 89 % (57–98) 8/9 | 50 % (28–72) 8/16 |  |

    Without a list of true issues, recall is of those that labelled findings name: what nobody found is missing.

    ### Agreement

    | agreement | lineages | true issues | by chance | true findings |
    |---|---|---|---|---|
    | single | 1 | 89 % (57–98) 8/9 | 89 % | 89 % (57–98) 8/9 |

    ### What further lineages add, over all panels of that size

    | lineages | mean recall | gain |
    |---|---|---|
    | 1 | 50 % (25–67) | +50 (+25 to +67) |

    ### The best next lineage each time

    | lineage | recall with it | new | adds on average |
    |---|---|---|---|
    | openai | 50 % (28–72) 8/16 | 8 | 50 % |

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
    let sandbox = Sandbox::new();
    let printed = sandbox.scrum(&["eval", &labelled(), "--plot", "worth.svg", "-o", "worth.txt"]);
    assert_eq!((printed.status, printed.stdout.as_str()), (0, ""));
    let picture = std::fs::read_to_string(sandbox.repo().join("worth.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"), "{picture}");
    for text in ["on the claim", "+ zhipu", "2/2"] {
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
    check(value!({"repo": "."}), "`repo` without `range`");
    check(value!([]), "expected.json is damaged");
}

fn schema_path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/eval.schema.json")
}

#[test]
fn published_schema_is_current() {
    let current = serde_json::to_string_pretty(&json::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(schema_path(), &current).unwrap();
    }
    let published = std::fs::read_to_string(schema_path()).unwrap_or_default();
    assert!(
        published == current,
        "schema/eval.schema.json is not what the code writes.\n\
         hint: UPDATE_SCHEMA=1 cargo test --test it published_schema, then look at the difference: \
         a key that is gone or renamed needs scrum.eval/2"
    );
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
