//! How answers differ, apart from what they say: [`Shape`], and [`Difference`] with an example.
//!
//! Two cases whose differences have one shape have one cause. No shape depends on a value of a body.

use std::collections::BTreeSet;

use super::answer::Status;

/// One way in which a side's answer differs from the first side's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// How.
    pub shape: Shape,
    /// What it looks like here, in a line; foreign text.
    pub example: String,
}

/// What differences of one cause have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    /// Of what part of the answer.
    pub part: Part,
    /// JSON pointer to where, `*` for any element; empty where there is none.
    pub path: String,
    /// How it differs.
    pub kind: Kind,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The HTTP or exit status.
    Status,
    /// The header of this name.
    Header(String),
    /// The body, or standard output.
    Body,
    /// A file that a command wrote.
    File(String),
}

/// One of the two sides that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// The first side of the spec.
    Left,
    /// The other one.
    Right,
}

/// How two answers differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Another status.
    Status {
        /// The first side's.
        left: Status,
        /// The other's.
        right: Status,
    },
    /// The same leaves, but standing elsewhere.
    Restructured(Restructuring),
    /// A header, a file or a member that only one side has.
    Missing {
        /// Who lacks it.
        side: Which,
    },
    /// A key that one side repeats more often.
    Repeated {
        /// Who.
        side: Which,
    },
    /// Another type, such as a number and a text.
    Type {
        /// The first side's.
        left: &'static str,
        /// The other's.
        right: &'static str,
    },
    /// A key that both sides repeat: readers do not agree which one counts. A remark, no divergence.
    RepeatedOnBoth,
    /// The same value, written whole on one side only, as in `1` and `1.0`. A remark, no divergence.
    NumberForm,
    /// The same type, another value.
    Value {
        /// Which type.
        of: &'static str,
    },
    /// More or fewer elements.
    Length,
    /// The same elements in another order.
    Order,
    /// JSON against something else.
    Form {
        /// What the first side sends.
        left: Form,
        /// What the other sends.
        right: Form,
    },
    /// Lines end with CR LF on one side only.
    LineEndings {
        /// Where they do.
        crlf: Which,
    },
    /// One side alone ends with a line break.
    FinalNewline {
        /// Who does.
        side: Which,
    },
    /// One side alone begins with a byte-order mark.
    ByteOrderMark {
        /// Who does.
        side: Which,
    },
    /// Other text.
    Text,
    /// Other bytes, which are no UTF-8.
    Bytes,
}

impl Kind {
    /// In a word that stands in JSON and in the register of gaps.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Status { .. } => "status",
            Self::Restructured(_) => "structure",
            Self::Missing { .. } => "missing",
            Self::Repeated { .. } => "repeated",
            Self::RepeatedOnBoth => "repeated-on-both",
            Self::NumberForm => "number-form",
            Self::Type { .. } => "type",
            Self::Value { .. } => "value",
            Self::Length => "length",
            Self::Order => "order",
            Self::Form { .. } => "form",
            Self::LineEndings { .. } => "line-endings",
            Self::FinalNewline { .. } => "final-newline",
            Self::ByteOrderMark { .. } => "byte-order-mark",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// Nothing, or white space.
    Empty,
    /// One JSON document.
    Json,
    /// A JSON document a line.
    JsonLines,
    /// Anything else in UTF-8.
    Text,
    /// Bytes that are no UTF-8.
    Bytes,
}

impl Form {
    /// In a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::Empty => "nothing",
            Self::Json => "JSON",
            Self::JsonLines => "JSON lines",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// How the same leaves have come to stand elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Restructuring {
    /// From where on the first side to where on the other, without the end that both paths share; a key that is a tag is
    /// `TAG`.
    pub moves: BTreeSet<(String, String)>,
    /// Words that are a key on one side and a value on the other.
    pub tags: BTreeSet<Tag>,
}

/// Stands in paths for a key that is a value on the other side.
pub(super) const TAG: &str = "‹tag›";

/// A word that is a key on one side and a value on the other, as in serde's enums.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// Where it is a key.
    pub key_on: Which,
    /// Pointer to where it is a value on the other side.
    pub value_at: String,
}

impl Which {
    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }
}

impl Shape {
    /// Worth knowing, but no divergence.
    pub fn is_remark(&self) -> bool {
        matches!(self.kind, Kind::NumberForm | Kind::RepeatedOnBoth)
    }

    /// In a sentence; `left` and `right` are the names of the sides.
    pub fn words(&self, left: &str, right: &str) -> String {
        let name = |which: Which| match which {
            Which::Left => left,
            Which::Right => right,
        };
        let (place, is_whole) = self.place();
        let of =
            |text: &str| if is_whole { format!("{text}, {place}") } else { format!("{text} at {place}") };
        match &self.kind {
            Kind::Status { left: a, right: b } => format!("other status: {left} {a}, {right} {b}"),
            Kind::Restructured(how) => {
                let place = if self.path.is_empty() && self.part == Part::Body {
                    String::new()
                } else {
                    format!(" at {place}")
                };
                format!("same leaves, other structure{place}: {}", how.words(left, right))
            }
            Kind::Missing { side } => format!("{place} is missing on {}", name(*side)),
            Kind::Repeated { side } => format!("{} repeats the key {place}", name(*side)),
            Kind::RepeatedOnBoth => {
                format!("the key {place} is repeated on both sides, and readers differ in which one counts")
            }
            Kind::NumberForm => {
                of("same number, written as a whole one on one side only, which a strict reader may refuse")
            }
            Kind::Type { left: a, right: b } => format!("{}: {left} {a}, {right} {b}", of("other type")),
            Kind::Value { of: what } => of(&format!("other {what}")),
            Kind::Length => of("other number of elements"),
            Kind::Order => of("same elements in another order"),
            Kind::Form { left: a, right: b } => {
                format!("{place}: {left} sends {}, {right} {}", a.words(), b.words())
            }
            Kind::LineEndings { crlf } => {
                of(&format!("same lines, but {} ends them with CR LF", name(*crlf)))
            }
            Kind::FinalNewline { side } => {
                of(&format!("same text, but only {} ends it with a line break", name(*side)))
            }
            Kind::ByteOrderMark { side } => of(&format!("{} begins with a byte-order mark", name(*side))),
            Kind::Text => of("other text"),
            Kind::Bytes => of("other bytes"),
        }
    }

    /// Where, and whether that is a part as a whole.
    fn place(&self) -> (String, bool) {
        match (&self.part, self.path.as_str()) {
            (Part::Status, _) => ("status".to_owned(), true),
            (Part::Header(name), _) => (format!("header {name}"), false),
            (Part::Body, "") => ("body".to_owned(), true),
            (Part::Body, path) => (path.to_owned(), false),
            (Part::File(name), "") => (format!("file {name}"), true),
            (Part::File(name), path) => (format!("{path} of file {name}"), false),
        }
    }
}

impl Restructuring {
    fn words(&self, left: &str, right: &str) -> String {
        let tag = |tag: &Tag| {
            let (with_key, with_value) = match tag.key_on {
                Which::Left => (left, right),
                Which::Right => (right, left),
            };
            let place = match tag.value_at.as_str() {
                "" => "all there is".to_owned(),
                path => format!("the value of {path} beside flat fields"),
            };
            format!("{with_key} sends a tagged enum, whose tag is a key; on {with_value} the tag is {place}")
        };
        let tagged = format!("/{TAG}");
        let is_told = |(from, to): &&(String, String)| {
            from.is_empty() && to.is_empty()
                || !self.tags.is_empty()
                    && [from.as_str(), to.as_str()].contains(&"")
                    && (*from == tagged || *to == tagged)
        };
        let moved = |(from, to): &(String, String)| match (from.as_str(), to.as_str()) {
            (from, "") => format!("what {left} has below {from}, {right} has without it"),
            ("", to) => format!("what {right} has below {to}, {left} has without it"),
            (from, to) => format!("{from} on {left} is {to} on {right}"),
        };
        let moves = self.moves.iter().filter(|one| !is_told(one)).map(moved);
        let mut parts: Vec<String> = self.tags.iter().map(tag).chain(moves).collect();
        if parts.is_empty() {
            parts.push("the keys are spelled otherwise".to_owned());
        }
        parts.join("; ")
    }
}
