//! What a program prints, kept up to a bound: [`Output`].

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

/// Most bytes that are kept. Of what is longer, the middle is left out: a log says what it is about at its beginning, and
/// what went wrong at its end.
pub const MOST: usize = 16 << 20;

/// What was printed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Output {
    /// The beginning; all of it where nothing was cut.
    pub head: Vec<u8>,
    /// Bytes that were left out behind it.
    pub cut: u64,
    /// The end, where something was cut.
    pub tail: Vec<u8>,
}

impl Output {
    /// All of it; `None` where something was cut.
    pub fn whole(&self) -> Option<&[u8]> {
        (self.cut == 0).then_some(&self.head)
    }

    /// As text, lossily, with a line where something was cut.
    pub fn text(&self) -> String {
        let head = String::from_utf8_lossy(&self.head);
        match self.cut {
            0 => head.into_owned(),
            cut => format!("{head}\n[{cut} bytes left out]\n{}", String::from_utf8_lossy(&self.tail)),
        }
    }
}

/// An output while it comes.
#[derive(Debug)]
pub(super) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    cut: u64,
    /// Most bytes of head and tail each.
    half: usize,
}

impl Kept {
    pub(super) fn new(most: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), cut: 0, half: most / 2 }
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        let (to_head, rest) = bytes.split_at(bytes.len().min(self.half - self.head.len()));
        self.head.extend_from_slice(to_head);
        self.tail.extend(rest);
        let over = self.tail.len().saturating_sub(self.half);
        self.tail.drain(..over);
        self.cut += over as u64;
    }

    pub(super) fn output(&self) -> Output {
        let (front, back) = self.tail.as_slices();
        let tail = [front, back].concat();
        match self.cut {
            0 => Output { head: [self.head.as_slice(), &tail].concat(), ..Output::default() },
            cut => Output { head: self.head.clone(), cut, tail },
        }
    }
}

/// Reads a program's streams while it runs, however much comes, so that no pipe fills up and holds it up. Dropping it ends
/// the reading.
#[derive(Debug)]
pub(super) struct Listener {
    kept: Arc<Mutex<Kept>>,
    reading: Vec<AbortOnDropHandle<io::Result<()>>>,
}

impl Listener {
    pub(super) fn new() -> Self {
        Self { kept: Arc::new(Mutex::new(Kept::new(MOST))), reading: Vec::new() }
    }

    /// Reads `stream` as well.
    pub(super) fn to(mut self, stream: Option<impl AsyncRead + Unpin + Send + 'static>) -> Self {
        let kept = Arc::clone(&self.kept);
        let reading = stream.map(|stream| AbortOnDropHandle::new(tokio::spawn(read(stream, kept))));
        self.reading.extend(reading);
        self
    }

    /// Waits for the end of all streams, until then at most.
    pub(super) async fn finish(&mut self, until: Instant) -> io::Result<()> {
        for reading in &mut self.reading {
            match timeout_at(until, reading).await {
                // Somebody else holds it open.
                Err(_) => {}
                Ok(read) => read.map_err(io::Error::other)??,
            }
        }
        self.reading.clear();
        Ok(())
    }

    /// What has come so far.
    pub(super) fn output(&self) -> Output {
        lock(&self.kept).output()
    }
}

async fn read(mut stream: impl AsyncRead + Unpin, kept: Arc<Mutex<Kept>>) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            length => lock(&kept).push(&buffer[..length]),
        }
    }
}

fn lock(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_flood_is_left_out() {
        let check = |pieces: &[&str], expect: (&str, u64, &str)| {
            let mut kept = Kept::new(8);
            for piece in pieces {
                kept.push(piece.as_bytes());
            }
            let (head, cut, tail) = expect;
            let expect = Output { head: head.into(), cut, tail: tail.into() };
            assert_eq!(kept.output(), expect, "{pieces:?}");
        };
        check(&[], ("", 0, ""));
        check(&["abc"], ("abc", 0, ""));
        check(&["abc", "defgh"], ("abcdefgh", 0, ""));
        check(&["abcdefghi"], ("abcd", 1, "fghi"));
        check(&["ab", "cdefghijk", "l"], ("abcd", 4, "ijkl"));
    }

    #[test]
    fn what_is_left_out_is_said() {
        let output = Output { head: b"ab".to_vec(), cut: 7, tail: b"c\xffd".to_vec() };
        assert_eq!(output.text(), "ab\n[7 bytes left out]\nc\u{fffd}d");
        assert_eq!(output.whole(), None);
    }
}
