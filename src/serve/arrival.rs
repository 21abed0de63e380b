//! When a request arrived: [`Arriving`], a connection that notes when the first byte of each request could be read.
//!
//! A handler is called once a head has been read and a thread has time for it. What a request waited before that is the part of
//! its waiting that a busy server would otherwise not see.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::Instant,
};

/// When a request's first byte came; an extension of each request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived(pub(super) Instant);

/// What a connection's service knows of the times on it.
#[derive(Debug, Clone)]
pub(super) struct Arrivals(Arc<Mutex<Times>>);

#[derive(Debug)]
struct Times {
    /// When the connection was accepted, or an answer's last bytes so far were written: before that nobody looked for a request.
    free_since: Instant,
    /// Whether nobody has looked at the connection yet.
    is_new: bool,
    /// When the first byte since then was read.
    first_byte: Option<Instant>,
}

impl Arrivals {
    /// Of a connection that is accepted now.
    fn new() -> Self {
        let times = Times { free_since: Instant::now(), is_new: true, first_byte: None };
        Self(Arc::new(Mutex::new(times)))
    }

    /// When the request arrived whose head has been read just now. One that was sent before the last one's answer was through
    /// counts from there.
    pub(super) fn latest(&self) -> Arrived {
        self.with(|times| Arrived(times.first_byte.unwrap_or(times.free_since)))
    }

    fn looked(&self, has_bytes: bool) {
        self.with(|times| {
            // What was there at the first look had been waiting.
            let came = if times.is_new { times.free_since } else { Instant::now() };
            times.is_new = false;
            if has_bytes {
                times.first_byte.get_or_insert(came);
            }
        });
    }

    fn wrote(&self) {
        self.with(|times| (times.free_since, times.first_byte) = (Instant::now(), None));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Times) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A connection, unchanged.
#[derive(Debug)]
pub(super) struct Arriving<S> {
    stream: S,
    arrivals: Arrivals,
}

impl<S> Arriving<S> {
    /// `stream` has just been accepted.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, arrivals: Arrivals::new() }
    }

    /// For the service behind it.
    pub(super) fn arrivals(&self) -> Arrivals {
        self.arrivals.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Arriving<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.arrivals.looked(buffer.filled().len() > before);
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Arriving<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.arrivals.wrote();
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.arrivals.wrote();
        }
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::sleep,
    };

    use super::*;

    /// A connection, its client, and when it was accepted.
    struct Line {
        server: Arriving<DuplexStream>,
        client: DuplexStream,
        began: Instant,
    }

    impl Line {
        fn new() -> Self {
            let (server, client) = duplex(1 << 10);
            Self { server: Arriving::new(server), client, began: Instant::now() }
        }

        /// Lets a second go by.
        async fn wait(&self) {
            sleep(Duration::from_secs(1)).await;
        }

        async fn send(&mut self, text: &str) {
            self.client.write_all(text.as_bytes()).await.unwrap();
        }

        async fn read(&mut self, text: &str) {
            let mut bytes = vec![0; text.len()];
            self.server.read_exact(&mut bytes).await.unwrap();
            assert_eq!(bytes, text.as_bytes());
        }

        /// The server looks for something to read, and there is nothing.
        fn look(&mut self) {
            let mut space = [0; 1];
            let mut buffer = ReadBuf::new(&mut space);
            let context = &mut Context::from_waker(std::task::Waker::noop());
            assert!(Pin::new(&mut self.server).poll_read(context, &mut buffer).is_pending());
        }

        async fn answer(&mut self) {
            self.server.write_all(b"answer").await.unwrap();
        }

        /// Holds the seconds between accepting and the latest arrival against `expect`.
        fn check(&self, expect: u64) {
            assert_eq!((self.server.arrivals().latest().0 - self.began).as_secs(), expect);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_there_at_the_first_look_has_waited_since_it_was_accepted() {
        let mut line = Line::new();
        line.send("head").await;
        line.wait().await;
        line.read("head").await;
        line.check(0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_later_counts_from_its_first_byte() {
        let mut line = Line::new();
        line.look();
        line.wait().await;
        line.send("he").await;
        line.read("he").await;
        line.wait().await;
        line.send("ad").await;
        line.read("ad").await;
        line.check(1);
    }

    #[tokio::test(start_paused = true)]
    async fn later_requests_count_from_their_own_first_byte() {
        let mut line = Line::new();
        line.send("head").await;
        line.read("head").await;
        line.check(0);
        line.wait().await;
        line.send("body").await;
        line.read("body").await;
        line.answer().await;
        line.look();
        line.wait().await;
        line.send("second").await;
        line.read("second").await;
        line.check(2);
    }

    #[tokio::test(start_paused = true)]
    async fn requests_sent_ahead_count_from_the_end_of_the_answer_before() {
        let mut line = Line::new();
        line.send("both at once").await;
        line.read("both at once").await;
        line.check(0);
        line.wait().await;
        line.answer().await;
        line.wait().await;
        line.check(1);
    }
}
