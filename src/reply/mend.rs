//! JSON as models write it, made strict: [`mended`].
//!
//! Mends comments, trailing and forgotten commas, single quotes, bare keys, Python's words, raw line breaks and inner quotes in texts,
//! and documents that break off. One pass, no recursion. What a document says is `document`'s question.

/// Deepest nesting read; the strict parser's own limit is a little higher.
const DEEPEST: usize = 100;

/// A document made strict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mended {
    /// Strict JSON.
    pub json: String,
    /// Bytes of the text it was made of.
    pub length: usize,
    /// The text ended inside the document.
    pub cut: bool,
}

/// The document that opens `text` (with `{` or `[`); else how many bytes were looked at in vain.
pub(super) fn mended(text: &str) -> Result<Mended, usize> {
    let mut mender = Mender {
        text,
        at: 0,
        out: String::new(),
        open: Vec::new(),
        wants: Wants::Item,
        first: true,
        whole: 0,
    };
    mender.run().ok_or(mender.at.max(1))?;
    let cut = !mender.open.is_empty();
    if cut {
        mender.out.truncate(mender.whole);
        mender.out.extend(mender.open.iter().rev().map(|closer| char::from(*closer)));
    }
    Ok(Mended { json: mender.out, length: mender.at, cut })
}

/// What may stand next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// A member of an object, an item of a list, or the end of either.
    Item,
    /// The colon behind a key.
    Colon,
    /// The value behind a colon.
    Value,
    /// A comma or an end.
    Next,
}

/// What a text in quotes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Key,
    Value,
}

struct Mender<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// What closes each open container.
    open: Vec<u8>,
    wants: Wants,
    /// Nothing stands in the innermost container yet.
    first: bool,
    /// How much of `out` is sure when the text ends here: all but a member without its value.
    whole: usize,
}

impl<'a> Mender<'a> {
    /// Reads until the document or the text ends; `None` when this is no JSON.
    fn run(&mut self) -> Option<()> {
        while let Some(byte) = self.next_byte() {
            match (byte, self.wants) {
                (b'}' | b']', Wants::Item | Wants::Next) => self.close(byte)?,
                (b',', Wants::Next) => self.skip(Wants::Item),
                (b':', Wants::Colon) => {
                    self.out.push(':');
                    self.skip(Wants::Value);
                }
                (_, Wants::Item) | (b'"' | b'{', Wants::Next) => self.item(byte)?,
                (_, Wants::Value) => self.value(byte)?,
                (_, Wants::Next | Wants::Colon) => return None,
            }
            if self.open.is_empty() {
                break;
            }
        }
        Some(())
    }

    fn skip(&mut self, wants: Wants) {
        self.at += 1;
        self.wants = wants;
    }

    /// The next byte behind white space and comments.
    fn next_byte(&mut self) -> Option<u8> {
        loop {
            let rest = &self.text[self.at..];
            let trimmed = rest.trim_start();
            self.at += rest.len() - trimmed.len();
            let (body, end) = match trimmed.as_bytes() {
                [b'/', b'/', ..] => (&trimmed[2..], "\n"),
                [b'/', b'*', ..] => (&trimmed[2..], "*/"),
                [byte, ..] => return Some(*byte),
                [] => return None,
            };
            self.at += 2 + body.find(end).map_or(body.len(), |at| at + end.len());
        }
    }

    fn item(&mut self, byte: u8) -> Option<()> {
        if !self.first {
            self.out.push(',');
        }
        match self.open.last() {
            Some(b'}') => {
                self.key(byte)?;
                self.wants = Wants::Colon;
                Some(())
            }
            _ => self.value(byte),
        }
    }

    fn key(&mut self, byte: u8) -> Option<()> {
        if matches!(byte, b'"' | b'\'') {
            self.quoted(byte, Quoted::Key);
            return Some(());
        }
        let bare = self.word();
        if bare.is_empty() {
            return None;
        }
        self.out.push('"');
        self.out.push_str(bare);
        self.out.push('"');
        Some(())
    }

    fn value(&mut self, byte: u8) -> Option<()> {
        match byte {
            b'{' | b'[' => return self.opened(byte),
            b'"' | b'\'' => {
                self.quoted(byte, Quoted::Value);
            }
            _ => {
                let word = strict_word(self.word())?;
                self.out.push_str(word);
                if self.at == self.text.len() {
                    return Some(()); // It may go on: half a number is another number.
                }
            }
        }
        self.done();
        Some(())
    }

    fn opened(&mut self, byte: u8) -> Option<()> {
        self.out.push(char::from(byte));
        self.open.push(if byte == b'{' { b'}' } else { b']' });
        self.first = true;
        self.whole = self.out.len();
        self.skip(Wants::Item);
        (self.open.len() <= DEEPEST).then_some(())
    }

    fn close(&mut self, byte: u8) -> Option<()> {
        self.open.pop().filter(|closer| *closer == byte)?;
        self.out.push(char::from(byte));
        self.at += 1;
        self.done();
        Some(())
    }

    /// A value is whole.
    fn done(&mut self) {
        self.wants = Wants::Next;
        self.first = false;
        self.whole = self.out.len();
    }

    /// A word without quotes: a bare key, a number, `true`.
    fn word(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-+.$".contains(byte);
        let length = rest.bytes().take(64).take_while(plain).count();
        self.at += length;
        &rest[..length]
    }

    /// A text in quotes; the end of the reply ends it too.
    fn quoted(&mut self, quote: u8, role: Quoted) {
        self.at += 1;
        self.out.push('"');
        loop {
            let rest = &self.text[self.at..];
            let special = |byte: u8| byte == quote || byte < b' ' || byte == b'\\' || byte == b'"';
            let plain = rest.bytes().position(special).unwrap_or(rest.len());
            self.out.push_str(&rest[..plain]);
            self.at += plain;
            let Some(byte) = rest.as_bytes().get(plain).copied() else { break };
            self.at += 1;
            match byte {
                b'\\' => self.escape(),
                _ if byte == quote && (role == Quoted::Key || self.ends_value()) => break,
                b'\'' => self.out.push('\''),
                b'"' => self.out.push_str("\\\""),
                b'\n' => self.out.push_str("\\n"),
                b'\t' => self.out.push_str("\\t"),
                _ => self.out.push(' '),
            }
        }
        self.out.push('"');
    }

    /// Behind a quote in a value: whether it was the closing one, or stands in the text.
    fn ends_value(&self) -> bool {
        let rest = &self.text[self.at..];
        let next = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let broken = rest[..rest.len() - next.len()].contains('\n');
        next.bytes()
            .next()
            .is_none_or(|byte| matches!(byte, b',' | b'}' | b']') || (broken && matches!(byte, b'"' | b'/')))
    }

    /// Behind a backslash.
    fn escape(&mut self) {
        let rest = &self.text[self.at..];
        match rest.as_bytes() {
            [b'u', ..] if let Some(length) = coded(rest) => {
                self.out.push('\\');
                self.out.push_str(&rest[..length]);
                self.at += length - 1;
            }
            [byte @ (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), ..] => {
                self.out.push('\\');
                self.out.push(char::from(*byte));
            }
            [b'\'', ..] => self.out.push('\''),
            [] => return,
            _ => {
                self.out.push_str("\\\\");
                return;
            }
        }
        self.at += 1;
    }
}

/// Length of a coded character at the start of `text`, one that is not the half of a pair: `u00e9`, `ud83d\ude00`.
fn coded(text: &str) -> Option<usize> {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4)?;
        u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
    };
    let second = || text.get(5..)?.strip_prefix('\\').and_then(unit);
    match unit(text)? {
        0xd800..=0xdbff => second().filter(|low| (0xdc00..=0xdfff).contains(low)).map(|_| 11),
        0xdc00..=0xdfff => None,
        _ => Some(5),
    }
}

/// A number or a literal as JSON has it; Python's words too.
fn strict_word(word: &str) -> Option<&str> {
    match word {
        "true" | "True" => Some("true"),
        "false" | "False" => Some("false"),
        "null" | "None" | "undefined" | "NaN" => Some("null"),
        _ => serde_json::from_str::<serde_json::Number>(word).ok().map(|_| word),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, json: &str) {
        let made = mended(text).map(|made| made.json);
        assert_eq!(made.as_deref(), Ok(json), "{text}");
    }

    #[test]
    fn strict_documents_stay_as_they_are() {
        for json in [r#"{"a":[1,-2.5e3,true,null,{"b":"c\n\u00e9\\ \"d\""}]}"#, "[]", "{}", "[[],{}]"] {
            check(json, json);
        }
    }

    #[test]
    fn loose_documents_are_mended() {
        check("{'a': True, \"b\": [1, 2,], }", r#"{"a":true,"b":[1,2]}"#);
        check("{a: 'it\\'s', // why\n b: /* no */ None}", r#"{"a":"it's","b":null}"#);
        check(
            "{\"a\": \"two\nlines\", \"b\": \"say \"hi\" now\"}",
            r#"{"a":"two\nlines","b":"say \"hi\" now"}"#,
        );
        check("[{\"a\": 1} {\"b\": \"\\d\"\n \"c\": 2}]", r#"[{"a":1},{"b":"\\d","c":2}]"#);
    }

    #[test]
    fn broken_documents_keep_what_is_sure() {
        check("{\"a\": [{\"b\": 1, \"c\": 4", r#"{"a":[{"b":1}]}"#);
        check("{\"a\": \"half a sen", r#"{"a":"half a sen"}"#);
        check("[{\"a\": 1}, {\"b", r#"[{"a":1},{}]"#);
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["{ not json }", "[x](y)", "{\"a\" \"b\"}", "[1}", "{{"] {
            assert!(mended(text).is_err(), "{text}");
        }
        assert!(mended(&"[".repeat(1_000)).is_err());
    }
}
