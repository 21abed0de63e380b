//! How much each tenant may ask for within a minute: [`Tenants`] admits a request or says when it would.
//!
//! What an answer takes is known when it is there: an [`Admission`] stands for a guess until then. Who asks for whom is decided
//! in `callers`; nothing is waited for here.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use tokio::time::Instant;

use super::bucket::Bucket;
use crate::{config::JobLimits, provider::relay::Problem, report::words, reviewer::Allowance};

/// Most tenants that have an account of their own, besides those named in the configuration. Beyond, newcomers share one.
const MOST_ACCOUNTS: usize = 10_000;
/// How often accounts are looked through for those that are full again.
const TIDY: Duration = Duration::from_secs(1);
/// Bytes of JSON to a token, about.
const BYTES_A_TOKEN: u64 = 4;

/// About how many tokens answering `body` takes: those of the prompt, and all of the answer that it asks for.
pub(super) fn guess(body: &[u8], most_of_answer: Option<u64>) -> u64 {
    (body.len() as u64).div_ceil(BYTES_A_TOKEN).saturating_add(most_of_answer.unwrap_or_default())
}

/// What each tenant has left. A tenant without limits is in nobody's way, and one that has all of its minute is forgotten: so many
/// names as anybody can think of take no memory.
#[derive(Clone)]
pub(super) struct Tenants {
    shared: Arc<Shared>,
}

struct Shared {
    usual: Allowance,
    named: BTreeMap<String, Allowance>,
    accounts: Mutex<Accounts>,
}

struct Accounts {
    of: HashMap<Arc<str>, Account>,
    /// Of all who find no room.
    strangers: Account,
    tidied: Instant,
}

/// A tenant's buckets, where it has limits.
#[derive(Debug, Clone, Copy)]
struct Account {
    requests: Option<Bucket>,
    tokens: Option<Bucket>,
}

/// A request that was let in. Dropping it gives its tokens back, though not the request.
#[must_use]
pub(super) struct Admission {
    shared: Arc<Shared>,
    /// `None`: the strangers.
    tenant: Option<Arc<str>>,
    /// What was taken for its tokens; `None` once that is settled.
    guess: Option<u64>,
}

/// More than a tenant may ask for within a minute.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too many {what} a minute for this tenant: {} allowed, {} asked for, {} left; try again in {}",
    words::grouped(*.limit), words::grouped(*.asked), words::grouped(*.left), spelled(*.wait))]
pub(super) struct Exceeded {
    /// Of what.
    what: What,
    limit: u64,
    asked: u64,
    left: u64,
    wait: Duration,
    standing: Standing,
}

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Requests,
    Tokens,
    Jobs,
}

/// How much of a minute's worth is left, where there are limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Standing {
    requests: Option<Level>,
    tokens: Option<Level>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    limit: u64,
    left: u64,
    until_full: Duration,
}

impl Tenants {
    /// All with `usual` limits but those that are `named`.
    pub(super) fn new(usual: Allowance, named: BTreeMap<String, Allowance>) -> Self {
        let now = Instant::now();
        let strangers = Account::new(usual, now);
        let accounts = Mutex::new(Accounts { of: HashMap::new(), strangers, tidied: now });
        Self { shared: Arc::new(Shared { usual, named, accounts }) }
    }

    /// The same for jobs, each of which is a request.
    pub(super) fn of_jobs(limits: &JobLimits) -> Self {
        let allowance = |jobs| Allowance { requests_per_minute: jobs, tokens_per_minute: None };
        let named = limits.named.iter().map(|(tenant, jobs)| (tenant.clone(), allowance(*jobs)));
        Self::new(allowance(limits.usual), named.collect())
    }

    /// Lets a request of about `tokens` in, or says when it would be.
    pub(super) fn admit(&self, tenant: &Arc<str>, tokens: u64) -> Result<Admission, Exceeded> {
        let now = Instant::now();
        let mut accounts = self.shared.accounts();
        let (own, account) = self.shared.account(&mut accounts, Some(tenant), now);
        account.admit(tokens, now)?;
        let tenant = own.then(|| Arc::clone(tenant));
        drop(accounts);
        Ok(Admission { shared: Arc::clone(&self.shared), tenant, guess: Some(tokens) })
    }

    #[cfg(test)]
    fn remembered(&self) -> usize {
        self.shared.accounts().of.len()
    }
}

impl Shared {
    fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account of `tenant`, and whether that is its own.
    fn account<'a>(
        &self,
        accounts: &'a mut Accounts,
        tenant: Option<&Arc<str>>,
        now: Instant,
    ) -> (bool, &'a mut Account) {
        let Some(tenant) = tenant else { return (false, &mut accounts.strangers) };
        if !accounts.of.contains_key(tenant) {
            let named = self.named.get(tenant.as_ref());
            accounts.tidy(now);
            let is_crowded = || accounts.of.len() >= MOST_ACCOUNTS;
            if named.is_none() && (self.usual == Allowance::default() || is_crowded()) {
                return (false, &mut accounts.strangers);
            }
            let account = Account::new(named.copied().unwrap_or(self.usual), now);
            accounts.of.insert(Arc::clone(tenant), account);
        }
        match accounts.of.get_mut(tenant) {
            Some(account) => (true, account),
            None => (false, &mut accounts.strangers),
        }
    }
}

impl Accounts {
    fn tidy(&mut self, now: Instant) {
        if now.saturating_duration_since(self.tidied) >= TIDY {
            self.of.retain(|_, account| !account.is_full(now));
            self.tidied = now;
        }
    }
}

impl Account {
    fn new(allowance: Allowance, now: Instant) -> Self {
        let bucket = |limit| Bucket::new(limit, now);
        Self {
            requests: allowance.requests_per_minute.map(bucket),
            tokens: allowance.tokens_per_minute.map(bucket),
        }
    }

    fn admit(&mut self, tokens: u64, now: Instant) -> Result<(), Exceeded> {
        let asked = [(What::Requests, self.requests, 1), (What::Tokens, self.tokens, tokens)];
        let waits = asked.into_iter().filter_map(|(what, bucket, asked)| {
            let bucket = bucket?;
            let (limit, left, wait) = (bucket.size(), bucket.left(now), bucket.wait(asked, now));
            (!wait.is_zero()).then(|| Exceeded {
                what,
                limit,
                asked,
                left,
                wait,
                standing: self.standing(now),
            })
        });
        if let Some(exceeded) = waits.max_by_key(|exceeded| exceeded.wait) {
            return Err(exceeded);
        }
        self.requests.iter_mut().for_each(|bucket| bucket.take(1, now));
        self.tokens.iter_mut().for_each(|bucket| bucket.take(tokens, now));
        Ok(())
    }

    /// What was let in as `thought` tokens took `real` ones.
    fn correct(&mut self, thought: u64, real: u64, now: Instant) {
        let Some(bucket) = &mut self.tokens else { return };
        bucket.take(real.saturating_sub(thought), now);
        bucket.give_back(thought.saturating_sub(real), now);
    }

    fn standing(&self, now: Instant) -> Standing {
        let level = |bucket: Bucket| Level {
            limit: bucket.size(),
            left: bucket.left(now),
            until_full: bucket.until_full(now),
        };
        Standing { requests: self.requests.map(level), tokens: self.tokens.map(level) }
    }

    fn is_full(&self, now: Instant) -> bool {
        [self.requests, self.tokens].into_iter().flatten().all(|bucket| bucket.until_full(now).is_zero())
    }
}

impl Admission {
    /// The request took so many `tokens`.
    pub(super) fn settle(mut self, tokens: u64) {
        self.correct(tokens);
    }

    fn correct(&mut self, real: u64) {
        let Some(guess) = self.guess.take().filter(|guess| *guess != real) else { return };
        let now = Instant::now();
        let mut accounts = self.shared.accounts();
        // One that was forgotten meanwhile was full.
        self.shared.account(&mut accounts, self.tenant.as_ref(), now).1.correct(guess, real, now);
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.correct(0);
    }
}

impl From<Exceeded> for Problem {
    fn from(exceeded: Exceeded) -> Self {
        let problem =
            Self::new(StatusCode::TOO_MANY_REQUESTS, exceeded.to_string()).code("rate_limit_exceeded");
        let mut problem = problem.retry_after(exceeded.retry_after_secs());
        exceeded.standing.tell(&mut problem.headers);
        problem
    }
}

impl Exceeded {
    /// What was asked for was jobs.
    pub(super) fn of_jobs(self) -> Self {
        Self { what: What::Jobs, ..self }
    }

    /// Whole seconds, at least one, after which the same request is let in if nothing else is.
    fn retry_after_secs(&self) -> u64 {
        self.wait.as_nanos().div_ceil(1_000_000_000).try_into().unwrap_or(u64::MAX).max(1)
    }
}

impl Standing {
    /// Writes it down as `OpenAI` does.
    fn tell(&self, headers: &mut HeaderMap) {
        let levels = [
            (self.requests, ["limit-requests", "remaining-requests", "reset-requests"]),
            (self.tokens, ["limit-tokens", "remaining-tokens", "reset-tokens"]),
        ];
        for (level, names) in levels {
            let Some(Level { limit, left, until_full }) = level else { continue };
            let values = [limit.to_string(), left.to_string(), spelled(until_full)];
            for (name, value) in names.into_iter().zip(values) {
                let name = HeaderName::try_from(format!("x-ratelimit-{name}"));
                if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                    headers.insert(name, value);
                }
            }
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Jobs => "jobs",
        })
    }
}

/// A time as `OpenAI` writes them, rounded up to the millisecond: `0s`, `17ms`, `1.5s`, `6m0s`, `1h0m2s`.
fn spelled(time: Duration) -> String {
    let milliseconds = time.as_nanos().div_ceil(1_000_000);
    if (1..1_000).contains(&milliseconds) {
        return format!("{milliseconds}ms");
    }
    let (minutes, rest) = (milliseconds / 60_000, milliseconds % 60_000);
    let fraction = match rest % 1_000 {
        0 => String::new(),
        part => format!(".{part:03}").trim_end_matches('0').to_owned(),
    };
    let seconds = format!("{}{fraction}s", rest / 1_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    fn allowance(requests: u32, tokens: u32) -> Allowance {
        Allowance {
            requests_per_minute: NonZeroU32::new(requests),
            tokens_per_minute: NonZeroU32::new(tokens),
        }
    }

    fn tenants(usual: Allowance) -> Tenants {
        let named = [("acme".to_owned(), allowance(2, 0)), ("free".to_owned(), Allowance::default())];
        Tenants::new(usual, named.into())
    }

    fn admit(tenants: &Tenants, tenant: &str, tokens: u64) -> Result<Admission, Exceeded> {
        tenants.admit(&Arc::from(tenant), tokens)
    }

    /// The seconds that `tenant` has to wait, if it has.
    fn turned_away(tenants: &Tenants, tenant: &str, tokens: u64) -> Option<u64> {
        let admitted = admit(tenants, tenant, tokens);
        admitted.map(|admission| admission.settle(tokens)).err().map(|exceeded| exceeded.retry_after_secs())
    }

    fn tokens_left(tenants: &Tenants, tenant: &str) -> Option<u64> {
        let mut accounts = tenants.shared.accounts();
        let (now, tenant) = (Instant::now(), Arc::from(tenant));
        let standing = tenants.shared.account(&mut accounts, Some(&tenant), now).1.standing(now);
        standing.tokens.map(|tokens| tokens.left)
    }

    async fn wait(seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn each_tenant_has_its_own_minute() {
        let tenants = tenants(allowance(3, 0));
        for _ in 0..3 {
            assert_eq!(turned_away(&tenants, "one", 0), None);
        }
        assert_eq!(turned_away(&tenants, "one", 0), Some(20));
        assert_eq!(turned_away(&tenants, "two", 0), None);
        assert_eq!([(); 3].map(|()| turned_away(&tenants, "acme", 0)), [None, None, Some(30)]);
        assert_eq!([(); 9].map(|()| turned_away(&tenants, "free", 9)), [None; 9]);
        wait(20).await;
        assert_eq!([(); 2].map(|()| turned_away(&tenants, "one", 0)), [None, Some(20)]);
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_count_as_they_were_when_that_is_known() {
        let check = |guess: u64, real: Option<u64>, left: u64| {
            let tenants = tenants(allowance(0, 600));
            let admission = admit(&tenants, "one", guess).unwrap();
            match real {
                Some(real) => admission.settle(real),
                None => drop(admission),
            }
            assert_eq!(tokens_left(&tenants, "one"), Some(left), "{guess} {real:?}");
        };
        check(100, Some(100), 500);
        check(100, Some(10), 590);
        check(100, Some(250), 350);
        check(100, Some(0), 600);
        check(100, None, 600);
        check(0, Some(900), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_larger_than_a_minute_waits_for_a_full_one() {
        let tenants = tenants(allowance(0, 600));
        assert_eq!(turned_away(&tenants, "one", 60), None);
        assert_eq!(turned_away(&tenants, "one", 6_000), Some(6));
        wait(6).await;
        assert_eq!(turned_away(&tenants, "one", 6_000), None);
        assert_eq!(turned_away(&tenants, "one", 1), Some(541));
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_is_turned_away_takes_nothing() {
        let tenants = tenants(allowance(2, 600));
        assert_eq!(turned_away(&tenants, "one", 500), None);
        for _ in 0..9 {
            assert_eq!(turned_away(&tenants, "one", 200), Some(10));
        }
        assert_eq!(turned_away(&tenants, "one", 100), None);
    }

    /// An answer may take longer than its tenant is remembered.
    #[tokio::test(start_paused = true)]
    async fn a_late_answer_still_counts() {
        let tenants = tenants(allowance(0, 600));
        let admission = admit(&tenants, "one", 60).unwrap();
        wait(100).await;
        drop(admit(&tenants, "two", 0));
        assert_eq!(tenants.remembered(), 1);
        admission.settle(660);
        assert_eq!(turned_away(&tenants, "one", 10), Some(1));
    }

    #[tokio::test(start_paused = true)]
    async fn names_without_end_take_no_memory() {
        let tenants = tenants(allowance(1, 0));
        for number in 0..MOST_ACCOUNTS * 20 {
            let _ = admit(&tenants, &format!("tenant-{number}"), 1);
            assert!(tenants.remembered() <= MOST_ACCOUNTS);
        }
        // There is no way around the limit in a new name: those who find no room share one.
        assert_eq!(turned_away(&tenants, "one more", 1), Some(60));
        assert_eq!(turned_away(&tenants, "acme", 1), None);
        wait(60).await;
        assert_eq!(turned_away(&tenants, "one more", 1), None);
        assert_eq!(tenants.remembered(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_caller_is_told() {
        let tenants = tenants(allowance(600, 30_000));
        assert_eq!(turned_away(&tenants, "one", 14_567), None);
        let exceeded = admit(&tenants, "one", 24_754).map(drop).unwrap_err();
        insta::assert_snapshot!(exceeded, @"too many tokens a minute for this tenant: 30,000 allowed, 24,754 asked for, 15,433 left; try again in 18.642s");
        insta::assert_debug_snapshot!(Problem::from(exceeded).headers, @r#"
        {
            "retry-after": "19",
            "x-ratelimit-limit-requests": "600",
            "x-ratelimit-remaining-requests": "599",
            "x-ratelimit-reset-requests": "100ms",
            "x-ratelimit-limit-tokens": "30000",
            "x-ratelimit-remaining-tokens": "15433",
            "x-ratelimit-reset-tokens": "29.134s",
        }
        "#);
    }

    #[test]
    fn times_are_spelled_as_openai_does() {
        let check = |milliseconds: u64, expect: &str| {
            assert_eq!(spelled(Duration::from_millis(milliseconds)), expect);
        };
        check(0, "0s");
        check(17, "17ms");
        check(1_000, "1s");
        check(1_500, "1.5s");
        check(18_642, "18.642s");
        check(360_000, "6m0s");
        check(3_602_010, "1h0m2.01s");
        assert_eq!(spelled(Duration::from_nanos(1)), "1ms");
    }

    #[test]
    fn a_guess_holds_prompt_and_answer() {
        let check = |bytes: usize, most: Option<u64>, expect: u64| {
            assert_eq!(guess(&vec![b'x'; bytes], most), expect);
        };
        check(0, None, 0);
        check(9, None, 3);
        check(4_000, Some(500), 1_500);
        check(4, Some(u64::MAX), u64::MAX);
    }
}
