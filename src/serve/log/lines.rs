//! Lines on their way to where they are read: [`Lines`], which nobody waits for.
//!
//! Whoever reads a log may stop reading. A daemon that waited for that would stand still, so a thread of its own writes, what
//! it cannot take is left out, and it is said how much that was.

use std::{
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// Most lines that wait to be written.
const MOST: usize = 10_000;
/// How long the end of a process waits for them.
const LAST_MOMENT: Duration = Duration::from_secs(1);

enum Piece {
    Line(Vec<u8>),
    /// Everything before it has been written.
    End(SyncSender<()>),
}

/// Takes lines. Clones share what is behind.
#[derive(Clone)]
pub(super) struct Lines {
    pieces: SyncSender<Piece>,
    lost: Arc<AtomicU64>,
}

impl Lines {
    /// Those that a thread writes to `sink`.
    pub(super) fn to(sink: impl Write + Send + 'static) -> (Self, Ending) {
        let (pieces, waiting) = sync_channel(MOST);
        let lines = Self { pieces, lost: Arc::default() };
        let lost = Arc::clone(&lines.lost);
        // Without the thread there is no log, and nothing else is wrong.
        let _ = thread::Builder::new().name("log".to_owned()).spawn(move || write(&waiting, sink, &lost));
        let ending = Ending(lines.pieces.clone());
        (lines, ending)
    }
}

fn write(waiting: &Receiver<Piece>, mut sink: impl Write, lost: &AtomicU64) {
    for piece in waiting {
        // There is nobody to tell that a log cannot be written.
        let _ = match piece {
            Piece::Line(line) => sink.write_all(&line),
            Piece::End(told) => sink.flush().and(told.try_send(()).map_err(io::Error::other)),
        };
        let left_out = lost.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            tracing::warn!(
                lines = left_out,
                "the log could not be written fast enough: some of it is left out"
            );
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl Write for &Lines {
    /// One call is one line, whole.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.pieces.try_send(Piece::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Dropped when a process ends: gives what waits a moment to be written.
pub struct Ending(SyncSender<Piece>);

impl Drop for Ending {
    fn drop(&mut self) {
        let (told, written) = sync_channel(1);
        let mut end = Piece::End(told);
        for _ in 0..LAST_MOMENT.as_millis() {
            match self.0.try_send(end) {
                Ok(()) => {
                    let _ = written.recv_timeout(LAST_MOMENT);
                    return;
                }
                // As long as no more fits, there is no room for the end either.
                Err(TrySendError::Full(back)) => end = back,
                Err(TrySendError::Disconnected(_)) => return,
            }
            thread::park_timeout(Duration::from_millis(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// Takes a line whenever it may.
    struct Slow {
        may: Receiver<()>,
        taken: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.may.recv().map_err(io::Error::other)?;
            self.taken.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_who_does_not_read() {
        let (go, may) = channel();
        let (taken, takes) = channel();
        let (lines, ending) = Lines::to(Slow { may, taken });
        for number in 0..MOST + 5 {
            (&lines).write_all(number.to_string().as_bytes()).unwrap();
        }
        let lost = usize::try_from(lines.lost.load(Ordering::Relaxed)).unwrap();
        // The thread may have taken one off already.
        assert!((4..=5).contains(&lost), "{lost}");
        for _ in 0..MOST + 5 - lost {
            go.send(()).unwrap();
        }
        drop(ending);
        let written: Vec<String> = takes.try_iter().map(|line| String::from_utf8(line).unwrap()).collect();
        let expect: Vec<String> = (0..MOST + 5 - lost).map(|number| number.to_string()).collect();
        assert_eq!(written, expect);
    }
}
