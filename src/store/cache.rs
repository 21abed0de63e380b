//! Replies that outlive their run: [`Cache`] keeps each under a digest of its question and of who was asked.
//!
//! Reviews and answers about claims lie in one folder and are pruned together. What makes a question the same is decided
//! by whoever makes the digest. A file that is damaged, too old or not ours is as good as none.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StoreError, append_line, create_folder, keep_out_of_git, lines, read, to_json, write};
use crate::{cost, coverage::Outcome, digest};

/// Digits of a key.
const KEY_DIGITS: usize = 64;

/// What every nonce has: sixteen hexadecimal digits.
const NONCE_DIGITS: usize = 16;

/// Where replies are kept, and which of them are used.
#[derive(Debug, Clone)]
pub struct Cache {
    /// The folder; need not exist.
    pub folder: PathBuf,
    /// Whether what is kept is used; what comes is kept all the same.
    pub is_read: bool,
    /// Older replies are not used.
    pub most_age: Duration,
    /// The present.
    pub now: Timestamp,
}

/// One reply as it stands on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    /// `scrum.reply/1`.
    schema: String,
    /// Who answered; for people.
    reviewer: String,
    /// The nonce it was asked with.
    nonce: String,
    /// SHA-256 of `text`.
    sha256: String,
    cost_usd: Option<f64>,
    /// What was told of how it was asked for.
    remark: Option<String>,
    /// Verbatim.
    text: String,
}

/// A reply that need not be asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// As it came, but for the nonce, which is the present run's.
    pub text: String,
    /// What it had cost in US dollars; `None` when nobody knows.
    pub cost_usd: Option<f64>,
    /// What its reader should know of how it was asked for, such as a parameter that was left out.
    pub remark: Option<String>,
}

/// What is in a cache, or was taken out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Replies.
    pub replies: usize,
    /// Their size on disk.
    pub bytes: u64,
    /// When the oldest was kept.
    pub oldest: Option<Timestamp>,
}

/// What was not asked because a reply was there.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Hits {
    /// Replies used.
    pub replies: usize,
    /// What asking for them had cost, as far as known.
    pub saved_usd: f64,
    /// Those whose price is not known.
    pub unpriced: usize,
}

/// What may stay when a cache is pruned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of all replies; the oldest go first.
    pub most_bytes: u64,
    /// Most age of a reply.
    pub most_age: Duration,
}

impl Cache {
    const SCHEMA: &str = "scrum.reply/1";

    /// The reply kept under `key`, which is a digest, to be read with `nonce`.
    pub fn reply(&self, key: &str, nonce: &str) -> Option<Kept> {
        let path = self.path(key);
        if !self.is_read || self.age(&path)? > self.most_age {
            return None;
        }
        let entry: Entry = serde_json::from_slice(&read(&path).ok()?).ok()?;
        let is_whole =
            entry.schema == Self::SCHEMA && entry.sha256 == digest::sha256(&[entry.text.as_bytes()]);
        (is_whole && is_nonce(&entry.nonce)).then(|| Kept {
            text: entry.text.replace(&entry.nonce, nonce),
            cost_usd: entry.cost_usd,
            remark: entry.remark,
        })
    }

    /// Keeps `text`, which answered a question asked with `nonce`, under `key`; whole or not at all.
    pub fn keep(&self, key: &str, nonce: &str, outcome: &Outcome, text: &str) -> Result<(), StoreError> {
        let entry = Entry {
            schema: Self::SCHEMA.to_owned(),
            reviewer: outcome.reviewer.to_string(),
            nonce: nonce.to_owned(),
            sha256: digest::sha256(&[text.as_bytes()]),
            cost_usd: outcome.cost_usd,
            remark: outcome.reason.clone(),
            text: text.to_owned(),
        };
        self.create()?;
        let path = self.path(key);
        write(&path, to_json(&path, &entry)?.as_bytes())
    }

    /// Notes that replies were used.
    pub fn note(&self, hits: &Hits) -> Result<(), StoreError> {
        if hits.replies == 0 {
            return Ok(());
        }
        self.create()?;
        let path = self.hits_path();
        append_line(&path, &to_json(&path, hits)?)
    }

    /// All that was not asked so far.
    pub fn hits(&self) -> Result<Hits, StoreError> {
        let noted = lines(&self.hits_path())?;
        let noted: Vec<Hits> = noted.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Hits {
            replies: noted.iter().map(|one| one.replies).sum(),
            saved_usd: cost::total(noted.iter().map(|one| one.saved_usd)),
            unpriced: noted.iter().map(|one| one.unpriced).sum(),
        })
    }

    /// What is there.
    pub fn contents(&self) -> Result<Contents, StoreError> {
        Ok(self.files()?.iter().collect())
    }

    /// Takes out what is over `limits`, the oldest first. What another process takes out meanwhile is no error.
    pub fn prune(&self, limits: Limits) -> Result<Contents, StoreError> {
        let mut files = self.files()?;
        files.sort_by(|a, b| (b.kept_at, &b.path).cmp(&(a.kept_at, &a.path)));
        let mut left = 0_u64;
        let mut gone = Vec::new();
        for file in files {
            let age = self.now.duration_since(file.kept_at).unsigned_abs();
            let fits = left.saturating_add(file.bytes) <= limits.most_bytes;
            if fits && (age <= limits.most_age || file.kept_at > self.now) {
                left += file.bytes;
                continue;
            }
            match std::fs::remove_file(&file.path) {
                Ok(()) => gone.push(file),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(source) => return Err(StoreError::Write { path: file.path, source }),
            }
        }
        Ok(gone.iter().collect())
    }

    fn create(&self) -> Result<(), StoreError> {
        create_folder(&self.folder)?;
        keep_out_of_git(&self.folder)
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }

    fn hits_path(&self) -> PathBuf {
        self.folder.join("hits.jsonl")
    }

    fn age(&self, path: &Path) -> Option<Duration> {
        let kept_at = kept_at(&std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?)?;
        Some(self.now.duration_since(kept_at).max(jiff::SignedDuration::ZERO).unsigned_abs())
    }

    fn files(&self) -> Result<Vec<File>, StoreError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::Read { path: self.folder.clone(), source }),
        };
        let file = |entry: std::fs::DirEntry| {
            let metadata = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            is_ours(&entry.file_name().to_string_lossy()).then(|| {
                Some(File { path: entry.path(), bytes: metadata.len(), kept_at: kept_at(&metadata)? })
            })?
        };
        Ok(entries.flatten().filter_map(file).collect())
    }
}

/// A reply's file.
struct File {
    path: PathBuf,
    bytes: u64,
    kept_at: Timestamp,
}

impl<'a> FromIterator<&'a File> for Contents {
    fn from_iter<I: IntoIterator<Item = &'a File>>(files: I) -> Self {
        files.into_iter().fold(Self::default(), |sum, file| Self {
            replies: sum.replies + 1,
            bytes: sum.bytes + file.bytes,
            oldest: Some(sum.oldest.map_or(file.kept_at, |oldest| oldest.min(file.kept_at))),
        })
    }
}

fn kept_at(metadata: &std::fs::Metadata) -> Option<Timestamp> {
    Timestamp::try_from(metadata.modified().ok()?).ok()
}

/// A folder that somebody configured may hold more than replies: nothing else is ever touched.
fn is_ours(name: &str) -> bool {
    name.strip_suffix(".json").is_some_and(|key| key.len() == KEY_DIGITS && is_hexadecimal(key))
}

fn is_nonce(text: &str) -> bool {
    text.len() == NONCE_DIGITS && is_hexadecimal(text)
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{coverage::State, reviewer::ReviewerId};

    const OLD: &str = "0123456789abcdef";
    const NEW: &str = "fedcba9876543210";
    const DAY: Duration = Duration::from_hours(24);

    fn cache(folder: &Path) -> Cache {
        Cache { folder: folder.join("cache"), is_read: true, most_age: 30 * DAY, now: Timestamp::now() }
    }

    fn key(digit: char) -> String {
        String::from(digit).repeat(KEY_DIGITS)
    }

    fn outcome(cost_usd: Option<f64>) -> Outcome {
        let answered = Outcome::new("c1_a".to_owned(), ReviewerId::new("kimi").unwrap(), State::Answered);
        Outcome { cost_usd, ..answered }
    }

    #[test]
    fn a_reply_comes_back_with_the_present_nonce() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        assert_eq!(cache.reply(&key('a'), NEW), None);
        let text = format!("VERDICT: ship \u{1b}[31m\r\n\nEND {OLD}\n");
        cache.keep(&key('a'), OLD, &outcome(Some(0.02)), &text).unwrap();
        let expect = Kept { text: text.replace(OLD, NEW), cost_usd: Some(0.02), remark: None };
        assert_eq!(cache.reply(&key('a'), NEW), Some(expect));
        assert_eq!(Cache { is_read: false, ..cache.clone() }.reply(&key('a'), NEW), None);
        let later = cache.now.checked_add(SignedDuration::from_hours(24 * 31)).unwrap();
        assert_eq!(Cache { now: later, ..cache }.reply(&key('a'), NEW), None);
    }

    #[test]
    fn what_is_damaged_or_foreign_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.keep(&key('a'), OLD, &outcome(None), "VERDICT: hold").unwrap();
        let path = cache.path(&key('a'));
        let whole = std::fs::read_to_string(&path).unwrap();
        let check = |text: &[u8]| {
            std::fs::write(&path, text).unwrap();
            assert_eq!(cache.reply(&key('a'), NEW), None, "{}", String::from_utf8_lossy(text));
        };
        check(b"");
        check(&whole.as_bytes()[..whole.len() / 2]);
        check(whole.replace("VERDICT: hold", "VERDICT: ship").as_bytes());
        check(whole.replace("scrum.reply/1", "scrum.reply/2").as_bytes());
        // A nonce that is none would be replaced all over the text.
        check(whole.replace(OLD, "V").as_bytes());
        check(&[0xff; 100]);
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(cache.reply(&key('a'), NEW), None);
    }

    #[test]
    fn pruning_takes_the_oldest_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        for (digit, days) in [('a', 40), ('b', 20), ('c', 10), ('d', 1)] {
            cache.keep(&key(digit), OLD, &outcome(None), "VERDICT: ship").unwrap();
            let file = std::fs::File::options().append(true).open(cache.path(&key(digit))).unwrap();
            file.set_modified(std::time::SystemTime::from(cache.now) - days * DAY).unwrap();
        }
        std::fs::write(cache.folder.join("notes.json"), "{}").unwrap();
        cache.note(&Hits { replies: 1, ..Hits::default() }).unwrap();
        let bytes = cache.contents().unwrap().bytes / 4;
        let left = || {
            ['a', 'b', 'c', 'd']
                .into_iter()
                .filter(|digit| cache.path(&key(*digit)).exists())
                .collect::<String>()
        };
        let check = |most_bytes: u64, days: u32, gone: usize, expect: &str| {
            let pruned = cache.prune(Limits { most_bytes, most_age: days * DAY }).unwrap();
            assert_eq!((pruned.replies, left().as_str()), (gone, expect));
        };
        check(u64::MAX, 50, 0, "abcd");
        check(u64::MAX, 30, 1, "bcd");
        check(2 * bytes, 30, 1, "cd");
        check(0, 30, 2, "");
        assert!(cache.folder.join("notes.json").exists() && cache.hits_path().exists());
    }

    #[test]
    fn hits_are_added_up() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        assert_eq!(cache.hits().unwrap(), Hits::default());
        cache.note(&Hits::default()).unwrap();
        assert!(!cache.folder.exists());
        let hits = Hits { replies: 2, saved_usd: 0.1, unpriced: 1 };
        cache.note(&hits).unwrap();
        cache.note(&Hits { saved_usd: 0.2, ..hits }).unwrap();
        assert_eq!(cache.hits().unwrap(), Hits { replies: 4, saved_usd: 0.3, unpriced: 2 });
    }
}
