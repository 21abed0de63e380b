//! What the events of a stream say, however its bytes are cut: [`Events`].
//!
//! Server-sent events as the HTML standard describes them (9.2.6), of which only `data` is kept: the API repeats an
//! event's name inside.

/// Longest event, in bytes: a tool's arguments come in pieces, and nothing else is near it.
pub(super) const LONGEST: usize = 1 << 20;

/// An event of more than so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong(pub(super) usize);

/// The part of a stream that is not yet a whole event. Bounded by [`LONGEST`], twice.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    /// The last line ended in a carriage return, and a line feed may belong to it.
    after_return: bool,
}

impl Events {
    /// The data of the next event, which is taken off the front of `piece`; `None` when all of it was taken and none has ended.
    pub(super) fn next(&mut self, piece: &mut &[u8]) -> Result<Option<Vec<u8>>, TooLong> {
        while self.line(piece)? {
            if let Some(data) = self.end_line()? {
                return Ok(Some(data));
            }
        }
        Ok(None)
    }

    /// Takes up to the end of a line off the front of `piece`. Whether it has ended.
    fn line(&mut self, piece: &mut &[u8]) -> Result<bool, TooLong> {
        if self.after_return && !piece.is_empty() {
            self.after_return = false;
            *piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        let end = piece.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let (line, rest) = piece.split_at(end.unwrap_or(piece.len()));
        if self.line.len().saturating_add(line.len()) > LONGEST {
            return Err(TooLong(LONGEST));
        }
        self.line.extend_from_slice(line);
        self.after_return |= rest.first() == Some(&b'\r');
        *piece = rest.get(1..).unwrap_or_default();
        Ok(end.is_some())
    }

    fn end_line(&mut self) -> Result<Option<Vec<u8>>, TooLong> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return Ok((!data.is_empty()).then_some(data));
        }
        let Some(value) = line.strip_prefix(b"data:") else { return Ok(None) };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        if self.data.len().saturating_add(value.len()) > LONGEST {
            return Err(TooLong(LONGEST));
        }
        if !self.data.is_empty() {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value);
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(pieces: &[&[u8]]) -> Result<Vec<String>, TooLong> {
        let (mut events, mut said) = (Events::default(), Vec::new());
        for mut piece in pieces.iter().copied() {
            while let Some(data) = events.next(&mut piece)? {
                said.push(String::from_utf8(data).unwrap());
            }
        }
        Ok(said)
    }

    #[test]
    fn only_whole_events_count() {
        let check = |text: &str, expect: &[&str]| {
            assert_eq!(all(&[text.as_bytes()]).unwrap(), expect, "{text:?}");
            let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(all(&bytes).unwrap(), expect, "{text:?}, a byte at a time");
        };
        check("event: ping\ndata: {}\n\n", &["{}"]);
        check("data:{}\r\n\r\ndata: []\r\rdata: 1\n\n", &["{}", "[]", "1"]);
        check("data: a\ndata:  b\n\n", &["a\n b"]);
        check(": a remark\nid: 3\nretry: 5\n\n\n\n", &[]);
        check("data: torn", &[]);
        check("data: torn\n", &[]);
        check("database: x\ndata: y\n\n", &["y"]);
    }

    #[test]
    fn memory_is_bounded() {
        let half = vec![b'x'; LONGEST / 2];
        let check = |pieces: &[&[u8]], fits: bool| assert_eq!(all(pieces).is_ok(), fits);
        check(&[b"data: ", &half, b"\n\n"], true);
        check(&[b"data: ", &half, &half], false);
        check(&[b"data: ", &half, b"\ndata: ", &half, b"\ndata: x\n"], false);
        check(&[b"data: ", &half, b"\n\ndata: ", &half, b"\n\n"], true);
    }
}
