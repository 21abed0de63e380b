//! What people and models say to one another about something: [`Thread`], [`Message`], [`Turn`].
//!
//! A turn is a question with its answer. There is no half of one: a question that was not answered is not a part of the
//! conversation.

use jiff::Timestamp;

use crate::coverage::Spent;

/// A conversation, without what was said in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// Nobody can guess it.
    pub id: String,
    /// As whoever began it called it.
    pub title: String,
    /// What it is about, where that is a run.
    pub about: Option<About>,
    /// When it began.
    pub created: Timestamp,
}

/// What a thread is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Id of the run.
    pub run: String,
    /// Id of its issue; `None`: all that the run reported.
    pub issue: Option<String>,
    /// Id of the reviewer who is asked where a message does not say whom.
    pub reviewer: Option<String>,
    /// Told to the model before everything else.
    pub context: String,
}

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A person, or a program for one.
    User,
    /// A model.
    Assistant,
}

impl Role {
    /// Both.
    pub const ALL: [Self; 2] = [Self::User, Self::Assistant];

    /// As chat protocols say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// Who may see a turn, and whose models are told it as history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// Whoever asked.
    #[default]
    Private,
    /// Everybody of the same tenant.
    Org,
}

impl Scope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Private, Self::Org];

    /// As requests and files say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Org => "org",
        }
    }
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Nobody can guess it.
    pub id: String,
    /// Who.
    pub role: Role,
    /// What.
    pub content: String,
    /// Id of the reviewer that was asked.
    pub provider: String,
    /// Its model.
    pub model: String,
    /// Why it was asked, as whoever asked put it; may be empty.
    pub reason: String,
    /// Who may see it.
    pub scope: Scope,
    /// Name of whoever asked.
    pub caller: String,
    /// What the answer took, as far as the provider told; of a question nothing.
    pub spent: Spent,
    /// When.
    pub created: Timestamp,
}

/// A question and its answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// What was asked.
    pub question: Message,
    /// What came.
    pub answer: Message,
}

/// Somebody who looks at threads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Viewer {
    /// For whom; empty where nobody is told apart.
    pub tenant: String,
    /// A hash of what it proved itself with; empty where nothing is asked for.
    pub credential: Vec<u8>,
}

/// The last of `messages` that come to no more than `most` tokens, whole turns only, and how many before them are left out.
/// `tokens` says how many a text has.
pub fn recent(messages: &[Message], most: u64, tokens: impl Fn(&str) -> u64) -> (&[Message], usize) {
    let mut left = most;
    let mut start = messages.len();
    for (at, message) in messages.iter().enumerate().rev() {
        let Some(rest) = left.checked_sub(tokens(&message.content)) else { break };
        left = rest;
        if message.role == Role::User {
            start = at;
        }
    }
    (&messages[start..], start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message {
            id: String::new(),
            role,
            content: content.to_owned(),
            provider: String::new(),
            model: String::new(),
            reason: String::new(),
            scope: Scope::Private,
            caller: String::new(),
            spent: Spent::default(),
            created: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn the_last_whole_turns_that_fit() {
        let turns = [(Role::User, "a"), (Role::Assistant, "bb"), (Role::User, "ccc"), (Role::Assistant, "d")];
        let messages = turns.map(|(role, content)| message(role, content));
        let length = |text: &str| u64::try_from(text.len()).unwrap();
        let check = |most: u64, expect: usize| {
            let (told, left_out) = recent(&messages, most, length);
            assert_eq!((told.len(), left_out), (expect, messages.len() - expect), "{most}");
            assert_eq!(told, &messages[left_out..]);
        };
        check(0, 0);
        check(3, 0);
        check(4, 2);
        check(6, 2);
        check(7, 4);
        check(u64::MAX, 4);
    }
}
