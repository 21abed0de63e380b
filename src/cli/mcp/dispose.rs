//! The tool that asks a human to decide: [`dispose`]. An agent decides nothing, since it may have written the code.
//!
//! The human is asked by the client (elicitation). From 2026-07-28 on the protocol has the client call again with the answer; before,
//! the server asks in between.

use std::collections::BTreeMap;

use rmcp::{
    RoleServer,
    model::{
        BooleanSchema, CallToolRequestParams, CallToolResponse, ElicitRequest, ElicitRequestParams,
        ElicitationAction, ElicitationSchema, InputRequest, InputRequests, InputRequiredResult,
        PrimitiveSchemaDefinition, ProtocolVersion,
    },
    service::RequestContext,
};
use serde_json::{Value, json};

use super::{Answer, Server, arguments, saved, tools::Dispose, tools::Word};
use crate::{
    cli::{
        Global,
        dispose::{Deciding, decide},
        error::CliError,
        report,
        ui::Ui,
        workspace::Workspace,
    },
    disposition::Decision,
    report::{foreign, summary, words},
    tally::{self, Issue, named::named},
};

/// The question's name in a call that comes again.
const QUESTION: &str = "decision";
/// The box that a human ticks.
const AGREE: &str = "agree";
/// Characters of foreign words that a human is shown.
const LONGEST: usize = 500;

pub(super) async fn dispose(
    server: &Server,
    call: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, CliError> {
    let CallToolRequestParams { input_responses, request_state, arguments: given, .. } = call;
    let mut asked: Dispose = arguments(given)?;
    let looked_up = asked.clone();
    let (run, issue, question) = server.apart(move |global, ui| question(global, &looked_up, ui)).await?;
    (asked.run, asked.issue) = (Some(run), issue);
    if !can_ask(context) {
        return Err(only_a_human(&asked));
    }
    let answer = if context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
    {
        match input_responses.filter(|_| request_state.as_deref() == Some(state(&asked).as_str())) {
            Some(mut answers) => answers.remove(QUESTION).unwrap_or_default(),
            None => return Ok(InputRequiredResult::new(Some(requests(question)), Some(state(&asked))).into()),
        }
    } else {
        let given = context.peer.create_elicitation(form(question)).await;
        let given = given.map_err(|error| CliError::new(format!("the human could not be asked: {error}")))?;
        serde_json::to_value(given).unwrap_or_default()
    };
    if !agrees(&answer) {
        return Err(CliError::new("the human did not agree: nothing was decided"));
    }
    let through = context.client_info().map(|client| client.name);
    server.apart(move |global, ui| write(global, asked, through.as_deref(), ui)).await.map(Into::into)
}

/// Whether the client can show a form to its human.
fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let elicitation = context.client_capabilities().and_then(|can| can.elicitation);
    elicitation.is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

fn only_a_human(asked: &Dispose) -> CliError {
    let (run, decision) = (asked.run.as_deref().unwrap_or("latest"), decision(asked.decision));
    CliError::new("only a human decides about an issue, and this client cannot ask one")
        .hint(format!("a human runs: scrum dispose {run} {} {decision} --why \"…\"", asked.issue))
}

/// Run, issue and the words a human is asked with.
fn question(global: &Global, asked: &Dispose, ui: Ui) -> Result<(String, String, String), CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let run = asked.run.clone().unwrap_or_else(saved::latest);
    let tally = tally::tally(report::open(&workspace, &workspace.find_run(&run)?, ui)?.input);
    let issue = named(&tally, &asked.issue)?;
    let shown = |text: &str| words::shortened(&foreign::one_line(text), LONGEST);
    let text = format!(
        "An agent asks you to call this issue {}. {}\n{}\nIssue {} at {}: {}\nThe agent's reason: {}",
        decision(asked.decision),
        consequence(decision(asked.decision)),
        weight(issue),
        issue.id,
        summary::place(issue),
        shown(claim(issue)),
        shown(&asked.why),
    );
    Ok((tally.run.id.clone(), issue.id.clone(), text))
}

fn consequence(decision: Decision) -> &'static str {
    match decision {
        Decision::False | Decision::WontFix => {
            "It will not count for verdict and gate any more, in this run and later ones."
        }
        Decision::Real => "It will count as true.",
        Decision::Undecided => "An earlier decision is taken back.",
    }
}

fn weight(issue: &Issue) -> String {
    let reviewers = issue.reviewers.iter().map(ToString::to_string).collect::<Vec<_>>();
    format!("{}, found by {}.", issue.severity, words::list(&reviewers))
}

fn claim(issue: &Issue) -> &str {
    summary::spokesman(issue).map(|member| member.anchored.finding.what.as_str()).unwrap_or_default()
}

fn form(message: String) -> ElicitRequestParams {
    let agree = BooleanSchema::new().title("I have looked at it and agree").with_default(false);
    let fields = BTreeMap::from([(AGREE.to_owned(), PrimitiveSchemaDefinition::Boolean(agree))]);
    let mut requested_schema = ElicitationSchema::new(fields);
    requested_schema.required = Some(vec![AGREE.to_owned()]);
    ElicitRequestParams::FormElicitationParams { meta: None, message, requested_schema }
}

fn requests(question: String) -> InputRequests {
    InputRequests::from([(
        QUESTION.to_owned(),
        InputRequest::Elicitation(ElicitRequest::new(form(question))),
    )])
}

/// An answer counts for the question it was given to.
fn state(asked: &Dispose) -> String {
    format!("{} {} {}", asked.run.as_deref().unwrap_or_default(), asked.issue, decision(asked.decision))
}

/// Accepting the form is not enough: the box must be ticked.
fn agrees(answer: &Value) -> bool {
    answer["action"] == json!(ElicitationAction::Accept) && answer["content"][AGREE] == json!(true)
}

fn write(global: &Global, asked: Dispose, through: Option<&str>, ui: Ui) -> Result<Answer, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let through = words::shortened(&foreign::one_line(through.unwrap_or("an agent")), 60);
    let by = format!("{} (asked by {through})", workspace.person());
    let deciding = Deciding { decision: decision(asked.decision), why: &asked.why, by: &by };
    let run = asked.run.unwrap_or_else(saved::latest);
    let done = decide(&workspace, &run, &[asked.issue], &deciding, ui)?;
    Ok(Answer { words: done.lines + &format!("kept in {}\n", workspace.shown(&done.path)), value: None })
}

fn decision(word: Word) -> Decision {
    match word {
        Word::Real => Decision::Real,
        Word::False => Decision::False,
        Word::WontFix => Decision::WontFix,
        Word::Undecided => Decision::Undecided,
    }
}
