//! When a request is made again, and when not: [`persist`].
//!
//! A request that may have been carried out is made again only if that changes nothing. Nothing here knows HTTP: `limits` reads
//! what a server says about waiting.

use std::{pin::pin, time::Duration};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Longest that one request waits in all its pauses together. GitHub's secondary limits ask for a minute.
const PATIENCE: Duration = Duration::from_secs(150);
/// Attempts after the first.
const RETRIES: usize = 4;
/// Our own pause before the first of them; each later one is twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Who waits for longer wonders why.
const UNNOTICED: Duration = Duration::from_secs(2);

/// What a request does to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::forge) enum Effect {
    /// Nothing.
    Reads,
    /// A change that is the same when made twice.
    Repeatable,
    /// A change that would be there twice.
    Once,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// With an answer that stands.
    Answered,
    /// There were too many requests, so it was not carried out; the server wants to be left alone for so long.
    Limited(Duration),
    /// It never left: nobody there.
    NotSent,
    /// Nobody knows whether it was carried out.
    Unknown,
}

/// What came of all attempts.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome<T> {
    /// The server's answer.
    Answer(T),
    /// The last failure; it may have been carried out all the same where `is_unknown`.
    Failure { last: T, is_unknown: bool },
    /// The server wants a longer pause than this is worth.
    Limited { last: T, pause: Duration },
}

/// Keeps two changes apart.
pub(super) struct Pace {
    pause: Duration,
    last: Mutex<Option<Instant>>,
}

impl Pace {
    /// At least `pause` from the beginning of one change to the beginning of the next.
    pub(super) fn new(pause: Duration) -> Self {
        Self { pause, last: Mutex::new(None) }
    }

    async fn turn(&self) {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            sleep_until(last + self.pause).await;
        }
        *last = Some(Instant::now());
    }
}

/// What is waited for. Pauses of less than [`UNNOTICED`] are nobody's concern.
#[derive(Debug)]
pub(super) enum Delay<'a, T> {
    /// An attempt's answer. Told once a request.
    Answer,
    /// The next attempt after one that failed so. Told once a request.
    Failed(&'a T),
    /// The end of a limit that was told so.
    Limited(&'a T, Duration),
}

/// Makes attempts until one stands or no further one is right; `tell` hears of waits.
pub(super) async fn persist<T, F>(
    effect: Effect,
    pace: &Pace,
    mut attempt: impl FnMut() -> F,
    tell: impl Fn(&Delay<'_, T>),
) -> Outcome<T>
where
    F: Future<Output = (Fate, T)> + Send,
{
    let mut patience = Patience::new();
    let (mut is_slow, mut has_failed) = (false, false);
    loop {
        if effect != Effect::Reads {
            pace.turn().await;
        }
        let slow = || {
            if !std::mem::replace(&mut is_slow, true) {
                tell(&Delay::Answer);
            }
        };
        let (fate, last) = noticing(attempt(), slow).await;
        match patience.next(effect, fate) {
            Next::Take => return Outcome::Answer(last),
            Next::Again(delay) => {
                match fate {
                    _ if delay < UNNOTICED => {}
                    Fate::Limited(_) => tell(&Delay::Limited(&last, delay)),
                    Fate::Answered | Fate::NotSent | Fate::Unknown => {
                        if !std::mem::replace(&mut has_failed, true) {
                            tell(&Delay::Failed(&last));
                        }
                    }
                }
                sleep(delay).await;
            }
            Next::GiveUp => return Outcome::Failure { last, is_unknown: is_unknown(effect, fate) },
            Next::Limited(pause) => return Outcome::Limited { last, pause },
        }
    }
}

/// Waits for `work`, and calls `slow` when that takes longer than [`UNNOTICED`].
async fn noticing<T>(work: impl Future<Output = T>, slow: impl FnOnce()) -> T {
    let mut work = pin!(work);
    if let Ok(done) = timeout(UNNOTICED, &mut work).await {
        return done;
    }
    slow();
    work.await
}

fn is_unknown(effect: Effect, fate: Fate) -> bool {
    effect != Effect::Reads && fate == Fate::Unknown
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Take,
    Again(Duration),
    GiveUp,
    Limited(Duration),
}

struct Patience {
    delays: ExponentialBackoff,
    left: Duration,
}

impl Patience {
    fn new() -> Self {
        let delays =
            ExponentialBuilder::new().with_min_delay(FIRST_DELAY).with_max_times(RETRIES).with_factor(2.0);
        Self { delays: delays.build(), left: PATIENCE }
    }

    fn next(&mut self, effect: Effect, fate: Fate) -> Next {
        match fate {
            Fate::Answered => Next::Take,
            Fate::Unknown if effect == Effect::Once => Next::GiveUp,
            Fate::NotSent | Fate::Unknown => self.pause(None).map_or(Next::GiveUp, Next::Again),
            Fate::Limited(asked) => self.pause(Some(asked)).map_or(Next::Limited(asked), Next::Again),
        }
    }

    /// The pause before the next attempt, if there is to be one.
    fn pause(&mut self, asked: Option<Duration>) -> Option<Duration> {
        let own = self.delays.next()?;
        let delay = asked.unwrap_or(own);
        self.left = self.left.checked_sub(delay)?;
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Makes a request that fares like `fates`, the last of them for ever. Gives the outcome, the attempts, and the seconds it took.
    async fn check(effect: Effect, fates: &[Fate], expect: (Outcome<usize>, usize, u64)) {
        let (begin, pace, mut attempts) = (Instant::now(), Pace::new(Duration::ZERO), 0);
        let outcome = persist(
            effect,
            &pace,
            || {
                attempts += 1;
                let fate = fates[fates.len().min(attempts) - 1];
                std::future::ready((fate, attempts))
            },
            |_| (),
        )
        .await;
        let seconds = begin.elapsed().as_secs();
        assert_eq!((outcome, attempts, seconds), expect, "{effect:?} {fates:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_been_done_is_not_done_again() {
        use Effect::{Once, Reads, Repeatable};
        use Fate::{Answered, Limited, NotSent, Unknown};
        let answer = Outcome::Answer;
        let failure = |last, is_unknown| Outcome::Failure { last, is_unknown };
        check(Once, &[Answered], (answer(1), 1, 0)).await;
        check(Once, &[Unknown, Answered], (failure(1, true), 1, 0)).await;
        check(Once, &[NotSent, Answered], (answer(2), 2, 1)).await;
        check(Once, &[NotSent], (failure(5, false), 5, 1 + 2 + 4 + 8)).await;
        check(Once, &[Limited(7 * SECOND), Answered], (answer(2), 2, 7)).await;
        check(Once, &[Limited(7 * SECOND), Unknown, Answered], (failure(2, true), 2, 7)).await;
        check(Repeatable, &[Unknown, Unknown, Answered], (answer(3), 3, 3)).await;
        check(Repeatable, &[Unknown], (failure(5, true), 5, 15)).await;
        check(Reads, &[Unknown, NotSent, Answered], (answer(3), 3, 3)).await;
        check(Reads, &[Unknown], (failure(5, false), 5, 15)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn long_limits_are_not_waited_for() {
        use Fate::{Answered, Limited};
        let limited = |last, seconds| Outcome::Limited { last, pause: seconds * SECOND };
        let once = Effect::Once;
        check(once, &[Limited(60 * SECOND), Limited(60 * SECOND), Answered], (Outcome::Answer(3), 3, 120))
            .await;
        check(once, &[Limited(60 * SECOND)], (limited(3, 60), 3, 120)).await;
        check(once, &[Limited(1_200 * SECOND), Answered], (limited(1, 1_200), 1, 0)).await;
        check(once, &[Limited(Duration::MAX)], (Outcome::Limited { last: 1, pause: Duration::MAX }, 1, 0))
            .await;
        check(once, &[Limited(SECOND)], (limited(5, 1), 5, 4)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn changes_keep_their_distance() {
        let pace = Pace::new(SECOND);
        let answered = || std::future::ready((Fate::Answered, ()));
        let begin = Instant::now();
        for (effect, expect) in [
            (Effect::Once, 0),
            (Effect::Reads, 0),
            (Effect::Repeatable, 1),
            (Effect::Once, 2),
            (Effect::Reads, 2),
        ] {
            persist(effect, &pace, answered, |_| ()).await;
            assert_eq!(begin.elapsed().as_secs(), expect, "{effect:?}");
        }
    }

    /// What is told of a request whose attempts take `seconds` each and fare like `fates`, the last of them for ever.
    async fn check_told(seconds: u32, fates: &[Fate], expect: &[&str]) {
        let (pace, told, mut attempts) = (Pace::new(Duration::ZERO), Mutex::new(Vec::new()), 0);
        let attempt = || {
            attempts += 1;
            let fate = fates[fates.len().min(attempts) - 1];
            async move {
                sleep(seconds * SECOND).await;
                (fate, attempts)
            }
        };
        let tell = |delay: &Delay<'_, usize>| told.try_lock().unwrap().push(format!("{delay:?}"));
        persist(Effect::Reads, &pace, attempt, tell).await;
        assert_eq!(told.into_inner(), expect, "{seconds} {fates:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_told_and_not_too_often() {
        use Fate::{Answered, Limited, NotSent};
        check_told(0, &[Answered], &[]).await;
        check_told(1, &[NotSent, Answered], &[]).await;
        check_told(0, &[NotSent], &["Failed(2)"]).await;
        check_told(5, &[NotSent], &["Answer", "Failed(2)"]).await;
        check_told(0, &[Limited(SECOND), Answered], &[]).await;
        let twice = ["Limited(1, 60s)", "Limited(2, 60s)"];
        check_told(0, &[Limited(60 * SECOND), Limited(60 * SECOND), Answered], &twice).await;
        check_told(0, &[Limited(1_200 * SECOND)], &[]).await;
    }
}
