//! `scrum lineage`: families of model names, and the rule that decided.

use crate::sandbox::Sandbox;

const CONFIG: &str = r#"
[[reviewer]]
id = "inhouse"
provider = "openai"
base_url = "http://127.0.0.1:1/v1"
model = "our-deployment-7"
lineage = "Alibaba"
[[reviewer]]
id = "kimi"
provider = "replay"
model = "moonshotai/kimi-k2-0905"
dir = "replies"
"#;

const NAMES: [&str; 8] = [
    "us.anthropic.claude-opus-4-7-v1:0",
    "hf.co/unsloth/Qwen3-Coder-30B-GGUF:Q4_K_M",
    "deepseek-r1-distill-llama-70b",
    "moonshotai/new-thing",
    "my-model",
    "static:ruff",
    "our-deployment-7",
    "evil\u{1b}[31m",
];

fn lineage(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let printed = sandbox.scrum(&[&["lineage"], arguments].concat());
    assert_eq!((printed.status, printed.stderr.as_str()), (0, ""), "{printed:?}");
    printed.stdout
}

#[test]
fn names_with_the_rule_that_decided() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", CONFIG);
    insta::assert_snapshot!(lineage(&sandbox, &NAMES), @r"
    reviewer  model                              lineage      why
              us.anthropic.claude-opus-4-7-v1:0  anthropic    `claude` in the model's name
              hf.co/unsloth/                     alibaba      `qwen` (`qwen3`) in the model's name
              Qwen3-Coder-30B-GGUF:Q4_K_M
              deepseek-r1-distill-llama-70b      meta         `llama` in the model's name
              moonshotai/new-thing               moonshot     `moonshotai` as the maker
              my-model                           unknown      no rule fits
              static:ruff                        static:ruff  not a language model: it stands for itself
    inhouse   our-deployment-7                   alibaba      declared in the configuration; the name
                                                              says unknown: no rule fits
              evil␛[31m                          unknown      not a model name
    ");
}

#[test]
fn the_configured_reviewers_and_all_that_is_known() {
    let sandbox = Sandbox::new();
    sandbox.write("scrum.toml", CONFIG);
    insta::assert_snapshot!(lineage(&sandbox, &[]), @r#"
    reviewer  model                    lineage       why
    rules     rules                    static:rules  not a language model: it stands for itself
    history   history                  history       not a language model: it stands for itself
    inhouse   our-deployment-7         alibaba       declared in the configuration; the name says
                                                     unknown: no rule fits
    kimi      moonshotai/kimi-k2-0905  moonshot      `kimi` in the model's name

    47 lineages known by model names: 01ai, ai21, alibaba, allenai, amazon, anthropic, baichuan, baidu,
      bigcode, bytedance, cohere, databricks, deepseek, eleutherai, google, huawei, huggingface, ibm,
      inception, inclusionai, inflection, kwaipilot, lg, liquid, meituan, meta, microsoft, minimax,
      mistral, moonshot, nvidia, openai, openbmb, reka, sarvam, servicenow, shanghai-ai-lab, snowflake,
      stability, stepfun, tencent, tii, upstage, writer, xai, xiaomi, zhipu
    A static tool is a lineage of its own (static:ruff), and so is the repository's history. All models
      of unknown descent together are one. A reviewer's `lineage = "…"` in scrum.toml overrides its
      name.
    "#);
}

#[test]
fn as_a_document_and_without_a_repository() {
    let sandbox = Sandbox::without_repository();
    insta::assert_snapshot!(lineage(&sandbox, &["--format", "json", "kimi", "gpt-5"]), @r#"
    {
      "schema": "scrum.lineage/1",
      "models": [
        {
          "reviewer": null,
          "model": "kimi",
          "lineage": "moonshot",
          "why": "`kimi` in the model's name"
        },
        {
          "reviewer": null,
          "model": "gpt-5",
          "lineage": "openai",
          "why": "`gpt` in the model's name"
        }
      ],
      "known": []
    }
    "#);
}

#[test]
fn as_markdown() {
    let printed = Sandbox::new().scrum(&["lineage", "--format", "markdown", "gpt-5", "a|<b>\u{1b}[31m"]);
    insta::assert_snapshot!(printed.stdout, @r"
    | reviewer | model | lineage | why |
    |---|---|---|---|
    |  | gpt-5 | openai | \`gpt\` in the model's name |
    |  | a\|&lt;b&gt;␛\[31m | unknown | not a model name |
    ");
}
