//! What one upstream call answers, as it comes: [`Log`], a list of chunks that each reader follows at its own pace.
//!
//! Nothing is sent to readers. A reader has a place in the log; it takes the chunk that stands there, or leaves its waker
//! and is woken when there is more. So a late reader begins at the first byte, a slow one holds up nobody, and none can
//! miss a chunk. A log knows neither keys nor time: who may join is decided in `flight`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::Mutex;

/// What a chunk takes besides its bytes: its entry in the list and its allocation's own.
const CHUNK_OVERHEAD: usize = 64;

/// What comes before the first chunk.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// As the provider answered.
    pub status: StatusCode,
    /// As the provider sent them.
    pub headers: HeaderMap,
}

/// Why a reader gets no whole answer. No reader is cut off without one of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The call failed or broke off, in the words of whoever made it.
    #[error("{0}")]
    Upstream(Arc<str>),
    /// Nothing is missing, but the answer itself says that it failed, so it is not kept.
    #[error("the answer reports an error")]
    Reported,
    /// The call reached the greatest age of a flight.
    #[error("the answer took too long")]
    TooOld,
    /// This reader took nothing for so long that the others would have had to wait for it.
    #[error("too slow in reading the answer")]
    TooSlow,
    /// The task that made the call is gone: it panicked, or the program ends.
    #[error("the call was given up")]
    Lost,
}

impl From<String> for Broken {
    fn from(words: String) -> Self {
        Self::Upstream(words.into())
    }
}

impl From<&str> for Broken {
    fn from(words: &str) -> Self {
        Self::Upstream(words.into())
    }
}

/// The answer so far. One task writes it; readers are known by the number of their place.
pub(super) struct Log {
    state: Mutex<State>,
}

struct State {
    head: Option<Arc<Head>>,
    chunks: VecDeque<Bytes>,
    /// Chunks that stood before `chunks` and were forgotten; always 0 while newcomers may join.
    forgotten: usize,
    is_sealed: bool,
    end: Option<Result<(), Broken>>,
    places: BTreeMap<usize, Place>,
    next_place: usize,
    /// The writer, while it waits for the last reader to leave.
    on_abandoned: Option<Waker>,
    /// The writer, while it waits for room.
    on_room: Option<Waker>,
    share: Share,
}

/// How far one reader has got.
#[derive(Default)]
struct Place {
    /// Chunks taken.
    taken: usize,
    /// The reader, while it waits.
    waker: Option<Waker>,
    /// It has something to take, and has not come since the writer began to wait for room.
    is_suspect: bool,
}

impl Log {
    /// An empty log, which may hold as much as `share` says.
    pub(super) fn new(share: Share) -> Self {
        let state = State {
            head: None,
            chunks: VecDeque::new(),
            forgotten: 0,
            is_sealed: false,
            end: None,
            places: BTreeMap::new(),
            next_place: 0,
            on_abandoned: None,
            on_room: None,
            share,
        };
        Self { state: Mutex::new(state) }
    }

    /// Adds a reader at the first chunk. Only for logs that nobody has sealed or abandoned.
    pub(super) fn join(&self) -> usize {
        self.with(|state| {
            let place = state.next_place;
            state.next_place += 1;
            state.places.insert(place, Place::default());
            place
        })
    }

    /// Takes a reader out. Whether nobody is left who needs the rest.
    pub(super) fn leave(&self, place: usize) -> bool {
        let (is_abandoned, wakers) = self.with(|state| {
            state.places.remove(&place);
            if state.places.is_empty() {
                // An emptied map keeps its last node, and logs lie on the shelf by the thousand.
                state.places = BTreeMap::new();
            }
            (state.is_abandoned(), [state.on_room.take(), state.abandoned_waker()])
        });
        wake(wakers.into_iter().flatten());
        is_abandoned
    }

    /// The head, once there is one.
    pub(super) fn poll_head(&self, place: usize, context: &Context<'_>) -> Poll<Result<Arc<Head>, Broken>> {
        self.with(|state| match (&state.head, &state.end) {
            (Some(head), _) => Poll::Ready(Ok(Arc::clone(head))),
            (None, Some(Err(broken))) => Poll::Ready(Err(broken.clone())),
            (None, Some(Ok(()))) => Poll::Ready(Err(Broken::Lost)),
            (None, None) => state.wait(place, context),
        })
    }

    /// The next chunk of the reader at `place`; `None` after the last of a whole answer.
    pub(super) fn poll_chunk(
        &self,
        place: usize,
        context: &Context<'_>,
    ) -> Poll<Option<Result<Bytes, Broken>>> {
        let (next, waiting) = self.with(|state| {
            let next = state.poll_chunk(place, context);
            let waiting = if next.is_ready() { state.on_room.take() } else { None };
            (next, waiting)
        });
        wake(waiting);
        next
    }

    /// Tells what the provider answered.
    pub(super) fn set_head(&self, head: Head) {
        let wakers = self.with(|state| {
            state.head = Some(Arc::new(head));
            state.reader_wakers()
        });
        wake(wakers);
    }

    /// Adds a chunk if there is room for it.
    pub(super) fn append(&self, chunk: &Bytes) -> bool {
        self.poll_append(chunk, &Context::from_waker(Waker::noop())).is_ready()
    }

    /// Adds a chunk as soon as there is room for it. Waits only for readers of this log.
    pub(super) fn poll_append(&self, chunk: &Bytes, context: &Context<'_>) -> Poll<()> {
        let appended = self.with(|state| {
            if state.append(chunk) {
                return Poll::Ready(state.reader_wakers());
            }
            state.on_room = Some(context.waker().clone());
            Poll::Pending
        });
        appended.map(wake)
    }

    /// From now on, what all readers have taken may be forgotten. Only after the last newcomer.
    pub(super) fn seal(&self) {
        self.with(|state| state.is_sealed = true);
    }

    /// Begins to watch readers that have something to take.
    pub(super) fn suspect_readers(&self) {
        self.with(|state| {
            let written = state.written();
            state.places.values_mut().for_each(|place| place.is_suspect = place.taken < written);
        });
    }

    /// Cuts off the readers that have not come since [`suspect_readers`](Self::suspect_readers).
    pub(super) fn cut_suspects(&self) {
        let wakers = self.with(|state| {
            let cut: Vec<Place> =
                state.places.extract_if(.., |_, place| place.is_suspect).map(|(_, place)| place).collect();
            let wakers = cut.into_iter().filter_map(|place| place.waker);
            wakers.chain(state.abandoned_waker()).collect::<Vec<_>>()
        });
        wake(wakers);
    }

    /// Waits until the last reader has left.
    pub(super) fn poll_abandoned(&self, context: &Context<'_>) -> Poll<()> {
        self.with(|state| {
            if state.is_abandoned() {
                return Poll::Ready(());
            }
            state.on_abandoned = Some(context.waker().clone());
            Poll::Pending
        })
    }

    /// Writes the last word: nothing is added any more.
    pub(super) fn end(&self, end: Result<(), Broken>) {
        let wakers = self.with(|state| {
            state.end = Some(end);
            (state.on_abandoned, state.on_room) = (None, None);
            state.reader_wakers()
        });
        wake(wakers);
    }

    /// The head and the weight of an answer that is whole.
    pub(super) fn whole(&self) -> Option<(Arc<Head>, usize)> {
        self.with(|state| match (&state.head, &state.end) {
            (Some(head), Some(Ok(()))) => Some((Arc::clone(head), state.share.bytes)),
            _ => None,
        })
    }

    /// Gives its share back: somebody else answers for what this log holds.
    pub(super) fn release(&self) {
        self.with(|state| {
            state.share.give_back(state.share.bytes);
            state.chunks.shrink_to_fit();
        });
    }

    /// Wakers are called outside: whoever is woken may come for the lock at once.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn written(&self) -> usize {
        self.forgotten + self.chunks.len()
    }

    /// Whether all readers have left before the end. Nobody joins any more then.
    fn is_abandoned(&self) -> bool {
        self.places.is_empty() && self.end.is_none()
    }

    fn abandoned_waker(&mut self) -> Option<Waker> {
        if self.is_abandoned() { self.on_abandoned.take() } else { None }
    }

    fn reader_wakers(&mut self) -> Vec<Waker> {
        self.places.values_mut().filter_map(|place| place.waker.take()).collect()
    }

    fn wait<T>(&mut self, place: usize, context: &Context<'_>) -> Poll<T> {
        if let Some(place) = self.places.get_mut(&place) {
            place.waker.get_or_insert_with(|| context.waker().clone()).clone_from(context.waker());
        }
        Poll::Pending
    }

    fn poll_chunk(&mut self, place: usize, context: &Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        let Some(reader) = self.places.get_mut(&place) else {
            return Poll::Ready(Some(Err(Broken::TooSlow)));
        };
        reader.is_suspect = false;
        if let Some(chunk) = self.chunks.get(reader.taken - self.forgotten) {
            reader.taken += 1;
            return Poll::Ready(Some(Ok(chunk.clone())));
        }
        match &self.end {
            Some(Ok(())) => Poll::Ready(None),
            Some(Err(broken)) => Poll::Ready(Some(Err(broken.clone()))),
            None => self.wait(place, context),
        }
    }

    fn append(&mut self, chunk: &Bytes) -> bool {
        if self.is_sealed {
            self.forget_taken();
        }
        let has_room = self.share.take(weight(chunk));
        if has_room {
            self.chunks.push_back(chunk.clone());
        }
        has_room
    }

    /// Forgets the chunks that every reader has taken.
    fn forget_taken(&mut self) {
        let taken = self.places.values().map(|place| place.taken).min().unwrap_or_else(|| self.written());
        let chunks = self.chunks.drain(..taken - self.forgotten);
        self.share.give_back(chunks.map(|chunk| weight(&chunk)).sum());
        self.forgotten = taken;
    }
}

fn wake(wakers: impl IntoIterator<Item = Waker>) {
    wakers.into_iter().for_each(Waker::wake);
}

fn weight(chunk: &Bytes) -> usize {
    chunk.len() + CHUNK_OVERHEAD
}

/// What one log holds of what all may hold together; given back when it is dropped.
pub(super) struct Share {
    bytes: usize,
    most: usize,
    most_of_all: usize,
    of_all: Arc<AtomicUsize>,
}

impl Share {
    /// Nothing yet, `most` at most, as long as all shares of `of_all` are no more than `most_of_all`; in bytes.
    pub(super) fn new(most: usize, most_of_all: usize, of_all: Arc<AtomicUsize>) -> Self {
        Self { bytes: 0, most, most_of_all, of_all }
    }

    /// Whether there is room for so much. A log that holds nothing always has room for one chunk, or it would never end.
    fn take(&mut self, bytes: usize) -> bool {
        let of_all = self.of_all.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let fits = self.bytes + bytes <= self.most && of_all <= self.most_of_all;
        if fits || self.bytes == 0 {
            self.bytes += bytes;
            return true;
        }
        self.of_all.fetch_sub(bytes, Ordering::Relaxed);
        false
    }

    fn give_back(&mut self, bytes: usize) {
        self.bytes -= bytes;
        self.of_all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}
