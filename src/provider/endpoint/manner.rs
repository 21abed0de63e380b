//! How a server is asked besides the prompt: [`Manner`]. Pure; it is changed by what the server refuses.

use std::{borrow::Cow, collections::BTreeSet};

use super::complaint::Complaint;
use crate::{
    prompt::Prompt,
    reviewer::{OutputLimit, Parameter, Reviewer},
};

/// By how much an output limit is raised that was all spent on reasoning.
const RAISE: u64 = 4;
/// What is raised when neither the limit nor the tokens spent are known: what small servers give by default.
const UNKNOWN_LIMIT: u32 = 4_096;

/// What is sent besides the prompt, under which names.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::provider) struct Manner {
    temperature: Option<f32>,
    own_limit: Option<u32>,
    raised: Raised,
    limit_name: OutputLimit,
    /// The limit's other name has been tried.
    is_renamed: bool,
    without: BTreeSet<Parameter>,
}

/// What became of the output limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raised {
    NotYet,
    To(u32),
    /// Once, and the server did not take it.
    Refused,
}

impl Manner {
    /// As `reviewer` is configured; `default_limit` where its protocol insists on one.
    pub(super) fn new(reviewer: &Reviewer, default_limit: Option<u32>) -> Self {
        Self {
            temperature: reviewer.temperature,
            own_limit: reviewer.max_output_tokens.or(default_limit),
            raised: Raised::NotYet,
            limit_name: reviewer.quirks.output_limit,
            is_renamed: false,
            without: reviewer.quirks.without.clone(),
        }
    }

    /// The temperature to send, if any.
    pub(in crate::provider) fn temperature(&self) -> Option<f32> {
        self.temperature.filter(|_| self.sends(Parameter::Temperature))
    }

    /// The output limit to send, in tokens, if it goes under `name`.
    pub(in crate::provider) fn limit_as(&self, name: OutputLimit) -> Option<u32> {
        self.limit().filter(|_| self.limit_name == name)
    }

    /// The output limit to send, in tokens, if any.
    pub(in crate::provider) fn limit(&self) -> Option<u32> {
        match self.raised {
            Raised::To(limit) => Some(limit),
            Raised::NotYet | Raised::Refused => self.own_limit,
        }
    }

    /// Whether `parameter` is not left out.
    pub(in crate::provider) fn sends(&self, parameter: Parameter) -> bool {
        !self.without.contains(&parameter)
    }

    /// The instructions, unless they go with the question, and the question.
    pub(in crate::provider) fn messages<'a>(&self, prompt: &'a Prompt) -> (Option<&'a str>, Cow<'a, str>) {
        if self.sends(Parameter::System) {
            (Some(&prompt.system), Cow::Borrowed(&prompt.user))
        } else {
            (None, Cow::Owned(prompt.joined()))
        }
    }

    /// Leaves out or renames what the server refuses of a request made as `used`. False when nothing helps.
    pub(super) fn heed(&mut self, used: &Self, complaint: &Complaint) -> bool {
        if complaint.is_too_long() {
            return false;
        }
        let sent = |parameter: &Parameter| match parameter {
            Parameter::Temperature => used.temperature().is_some(),
            Parameter::StreamOptions | Parameter::System => used.sends(*parameter),
        };
        let refused =
            Parameter::ALL.into_iter().find(|parameter| sent(parameter) && complaint.refuses(*parameter));
        if let Some(parameter) = refused {
            self.without.insert(parameter);
            return true;
        }
        let wants_other_name =
            used.limit().is_some() && !used.is_renamed && complaint.refuses_name(used.limit_name);
        if wants_other_name {
            (self.limit_name, self.is_renamed) = (used.limit_name.other(), true);
        }
        wants_other_name
    }

    /// Raises the limit once, from what a request made as `used` spent on reasoning alone. False when asking again would
    /// make no difference to that request.
    pub(super) fn raise(&mut self, used: &Self, spent: Option<u64>) -> bool {
        if used.raised != Raised::NotYet {
            return false;
        }
        if self.raised == Raised::NotYet {
            let from = used
                .own_limit
                .map(u64::from)
                .or(spent.filter(|tokens| *tokens > 0))
                .unwrap_or(u64::from(UNKNOWN_LIMIT));
            self.raised = Raised::To(u32::try_from(from.saturating_mul(RAISE)).unwrap_or(u32::MAX));
        }
        self.limit() != used.limit()
    }

    /// Whether the limit is a raised one.
    pub(super) fn is_raised(&self) -> bool {
        matches!(self.raised, Raised::To(_))
    }

    /// Goes back to the limit before it was raised, for good.
    pub(super) fn lower(&mut self) {
        self.raised = Raised::Refused;
    }

    /// What a reader of the answer should know of how it was asked for.
    pub(super) fn remark(&self) -> Option<String> {
        let is_left_out = self.temperature.is_some() && !self.sends(Parameter::Temperature);
        let temperature =
            is_left_out.then(|| "asked without temperature, which the model does not take".to_owned());
        let limit = match self.raised {
            Raised::To(limit) => {
                Some(format!("output limit raised to {limit} tokens, a smaller one went into reasoning"))
            }
            Raised::NotYet | Raised::Refused => None,
        };
        temperature.into_iter().chain(limit).reduce(|one, other| format!("{one}; {other}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviewer::{Access, Lineage, ReviewerId};

    fn manner(limit: Option<u32>) -> Manner {
        let access = Access::OpenAi { base_url: String::new(), api_key_env: None };
        let id = ReviewerId::new("x").unwrap();
        let reviewer = Reviewer {
            temperature: Some(0.5),
            max_output_tokens: limit,
            ..Reviewer::new(id, access, "m".to_owned(), Lineage::unknown())
        };
        Manner::new(&reviewer, None)
    }

    /// `temperature stream_options system max_tokens=N`, as far as sent.
    fn sent(manner: &Manner) -> String {
        let mut words: Vec<String> = Vec::new();
        words.extend(manner.temperature().map(|_| "temperature".to_owned()));
        words.extend(manner.sends(Parameter::StreamOptions).then(|| "stream_options".to_owned()));
        words.extend(manner.sends(Parameter::System).then(|| "system".to_owned()));
        words.extend(manner.limit().map(|limit| format!("{}={limit}", manner.limit_name.word())));
        words.join(" ")
    }

    fn check(status: u16, page: &str, expect: Option<&str>) {
        let used = manner(Some(100));
        let mut shared = used.clone();
        let complaint = Complaint::of(status, page.as_bytes());
        let heeded = shared.heed(&used, &complaint).then(|| sent(&shared));
        assert_eq!(heeded.as_deref(), expect, "{page}");
        let again = shared.clone();
        assert!(!shared.heed(&again, &complaint), "{page}");
    }

    #[test]
    fn what_is_refused_is_left_out_once() {
        check(
            400,
            r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.5 with this model.","param":"temperature","code":"unsupported_value"}}"#,
            Some("stream_options system max_tokens=100"),
        );
        check(
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"`temperature` is deprecated for this model."}}"#,
            Some("stream_options system max_tokens=100"),
        );
        check(
            422,
            r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]},"type":"invalid_request_error"}"#,
            Some("temperature system max_tokens=100"),
        );
        check(
            400,
            r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","param":"max_tokens","code":"unsupported_parameter"}}"#,
            Some("temperature stream_options system max_completion_tokens=100"),
        );
        check(
            400,
            r#"{"error":{"message":"Unsupported value: 'messages[0].role' does not support 'system' with this model.","param":"messages[0].role"}}"#,
            Some("temperature stream_options max_tokens=100"),
        );
        check(
            400,
            r#"{"object":"error","message":"System role not supported","code":400}"#,
            Some("temperature stream_options max_tokens=100"),
        );
        check(
            500,
            r#"{"error":{"code":500,"message":"Jinja Exception: System role not supported","type":"server_error"}}"#,
            Some("temperature stream_options max_tokens=100"),
        );
        check(
            400,
            r#"[{"error":{"code":400,"message":"Developer instruction is not enabled for models/gemma-3-27b-it","status":"INVALID_ARGUMENT"}}]"#,
            Some("temperature stream_options max_tokens=100"),
        );
    }

    #[test]
    fn other_complaints_change_nothing() {
        check(
            400,
            r#"{"error":{"message":"max_tokens is too large: 900000. This model supports at most 16384 completion tokens."}}"#,
            None,
        );
        check(
            400,
            r#"{"error":{"message":"prompt is too long: 9 tokens > 8 maximum; lower the temperature"}}"#,
            None,
        );
        check(500, r#"{"error":{"message":"temperature sensor on fire"}}"#, None);
        check(401, r#"{"error":{"message":"temperature"}}"#, None);
        check(400, "", None);
    }

    #[test]
    fn a_limit_is_raised_once() {
        let check = |limit: Option<u32>, spent: Option<u64>, expect: u32| {
            let used = manner(limit);
            let mut shared = used.clone();
            assert!(shared.raise(&used, spent));
            let raised = shared.clone();
            assert_eq!(raised.limit(), Some(expect));
            assert!(shared.raise(&used, spent), "another request under way gets the same");
            assert!(!shared.raise(&raised, spent));
            assert_eq!(shared, raised);
            assert!(shared.remark().unwrap().contains(&expect.to_string()));
            shared.lower();
            assert_eq!((shared.limit(), shared.remark()), (limit, None));
            assert!(!shared.clone().raise(&used, spent));
        };
        check(Some(100), Some(100), 400);
        check(None, Some(2_000), 8_000);
        check(None, None, 16_384);
        check(None, Some(0), 16_384);
        check(Some(u32::MAX / 2), None, u32::MAX);
    }

    #[test]
    fn instructions_may_go_with_the_question() {
        let prompt = Prompt { system: "S".to_owned(), user: "U".to_owned() };
        let mut manner = manner(None);
        assert_eq!(manner.messages(&prompt), (Some("S"), "U".into()));
        manner.without.insert(Parameter::System);
        assert_eq!(manner.messages(&prompt), (None, prompt.joined().into()));
    }
}
