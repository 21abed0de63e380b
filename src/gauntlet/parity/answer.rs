//! What a side says to a case: [`Answer`], or [`Silence`] where it says nothing that could be compared.

use std::fmt;

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// Names in lower case, in order of arrival; none from a command.
    pub headers: Vec<(String, String)>,
    /// The body, or standard output.
    pub body: Vec<u8>,
    /// Files that a command wrote, by name.
    pub files: Vec<Written>,
    /// The end of what a command wrote to standard error; shown, never compared.
    pub stderr: String,
}

/// A file that a command wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its path below the command's folder.
    pub name: String,
    /// What is in it.
    pub content: Vec<u8>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Of HTTP.
    Http(u16),
    /// Of a command that ended by itself.
    Exit(i32),
    /// A command was ended by this signal.
    Signal(i32),
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(code) => write!(f, "HTTP {code}"),
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(number) => write!(f, "signal {number}"),
        }
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct Silence {
    /// In what way.
    pub kind: SilenceKind,
    /// In words, safe to show in a line.
    pub words: String,
}

/// In what way a side gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceKind {
    /// Nobody listens there, or there is no such program.
    Down,
    /// It took too long.
    TimedOut,
    /// It broke off.
    Broken,
    /// It sent more than is read.
    Flood,
    /// It sent what cannot be read, or cannot be asked.
    Unreadable,
    /// It is not recorded.
    NotRecorded,
}

impl SilenceKind {
    /// What both sides have done, as in "all sides …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Down => "could not be reached",
            Self::TimedOut => "took too long",
            Self::Broken => "broke off",
            Self::Flood => "sent more than is read",
            Self::Unreadable => "gave nothing that can be read",
            Self::NotRecorded => "have no recorded answer",
        }
    }
}

/// What a side says to a case.
pub type Heard = Result<Answer, Silence>;

/// How an answer says nothing about whether two sides agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hollow {
    /// There is no body where one belongs.
    NoBody,
    /// A failure with a web page, as proxies send it.
    ErrorPage,
    /// An internal failure in plain text.
    Failure,
    /// A command that a signal ended: what it printed until then is no answer.
    Killed,
}

impl Hollow {
    /// What both sides have done, as in "all sides …".
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NoBody => "answered with an empty body",
            Self::ErrorPage => "failed with a web page",
            Self::Failure => "failed without a word of their own",
            Self::Killed => "were killed",
        }
    }
}

impl Answer {
    /// The first header of this name, which is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether agreeing with this answer would mean nothing. `is_head` says that no body was asked for.
    pub(super) fn hollow(&self, is_head: bool) -> Option<Hollow> {
        if matches!(self.status, Status::Signal(_)) {
            return Some(Hollow::Killed);
        }
        let has_none = is_head
            || match self.status {
                Status::Http(code) => matches!(code, 100..=199 | 204 | 205 | 300..=399),
                Status::Exit(_) | Status::Signal(_) => !self.files.is_empty(),
            };
        if self.body.trim_ascii().is_empty() {
            return (!has_none).then_some(Hollow::NoBody);
        }
        let Status::Http(code @ 400..) = self.status else { return None };
        if self.is_web_page() {
            return Some(Hollow::ErrorPage);
        }
        let is_structured =
            self.body.trim_ascii().starts_with(b"{") || self.body.trim_ascii().starts_with(b"[");
        (code >= 500 && !is_structured).then_some(Hollow::Failure)
    }

    fn is_web_page(&self) -> bool {
        let says_so =
            self.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
        let start = self.body.trim_ascii_start();
        let begins = |word: &str| {
            start.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()))
        };
        says_so || begins("<!doctype html") || begins("<html")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_say_nothing() {
        let check = |status: Status, kind: &str, body: &str, expect: Option<Hollow>| {
            let headers = vec![("content-type".to_owned(), kind.to_owned())];
            let body = body.as_bytes().to_vec();
            let answer = Answer { status, headers, body, files: Vec::new(), stderr: String::new() };
            assert_eq!(answer.hollow(false), expect, "{answer:?}");
        };
        check(Status::Http(200), "application/json", "{}", None);
        check(Status::Http(200), "text/html", "<html>", None);
        check(Status::Http(200), "", " \n", Some(Hollow::NoBody));
        check(Status::Http(204), "", "", None);
        check(Status::Http(302), "", "", None);
        check(Status::Http(404), "", "", Some(Hollow::NoBody));
        check(Status::Http(404), "text/plain", "no such thing", None);
        check(Status::Http(422), "application/json", r#"{"error":1}"#, None);
        check(Status::Http(502), "text/html; charset=utf-8", "down", Some(Hollow::ErrorPage));
        check(Status::Http(503), "", " <!DOCTYPE html><p>down", Some(Hollow::ErrorPage));
        check(Status::Http(500), "text/plain", "Internal Server Error", Some(Hollow::Failure));
        check(Status::Http(500), "application/json", r#"{"error":1}"#, None);
        check(Status::Exit(0), "", "", Some(Hollow::NoBody));
        check(Status::Exit(1), "", "no\n", None);
        check(Status::Signal(11), "", "half\n", Some(Hollow::Killed));
    }
}
