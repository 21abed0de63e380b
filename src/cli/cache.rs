//! `scrum cache`: what is kept of earlier answers and what that was worth; `scrum cache prune` takes some out.

use std::time::Duration;

use bytesize::ByteSize;
use clap::{Args, Subcommand};
use jiff::{Span, SpanRelativeTo};

use super::{
    Global,
    error::{CliError, Status},
    ui::Ui,
    workspace::Workspace,
};
use crate::{
    report::words,
    store::cache::{Contents, Hits, Limits},
};

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    #[command(subcommand)]
    command: Option<CacheCommand>,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Take out answers that are too old or too many: as `[cache]` in scrum.toml says, or as said here
    Prune(PruneArgs),
}

#[derive(Debug, Args)]
struct PruneArgs {
    /// Take out everything
    #[arg(long, conflicts_with_all = ["older_than", "max_bytes"])]
    all: bool,
    /// Take out what is older, such as `30d`, `2w` or `12h`
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    older_than: Option<Duration>,
    /// Take out the oldest until no more than this is left, such as `200MB` or `1GiB`
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_bytes: Option<u64>,
}

pub(super) fn run(global: &Global, args: &CacheArgs, ui: Ui) -> Result<Status, CliError> {
    let workspace = Workspace::open_anywhere(global, ui)?;
    let cache = workspace.cache(true);
    let text = match &args.command {
        None => {
            let folder = workspace.shown(&cache.folder).to_string();
            shown(&folder, cache.contents()?, cache.hits()?, workspace.cache_limits())
        }
        Some(CacheCommand::Prune(args)) => {
            let gone = cache.prune(args.over(workspace.cache_limits()))?;
            pruned(gone, cache.contents()?)
        }
    };
    Ui::result(&text, None)?;
    Ok(Status::Done)
}

impl PruneArgs {
    fn over(&self, configured: Limits) -> Limits {
        if self.all {
            return Limits { most_bytes: 0, most_age: Duration::MAX };
        }
        Limits {
            most_bytes: self.max_bytes.unwrap_or(configured.most_bytes),
            most_age: self.older_than.unwrap_or(configured.most_age),
        }
    }
}

fn shown(folder: &str, contents: Contents, hits: Hits, limits: Limits) -> String {
    let oldest = contents.oldest.map(|kept| format!(", the oldest of {}", kept.strftime("%Y-%m-%d")));
    let days = limits.most_age.as_secs() / (24 * 3_600);
    format!(
        "{folder}: {}{}\nlimits: {}, {}\n{}\n",
        answers(contents),
        oldest.unwrap_or_default(),
        words::size(limits.most_bytes),
        words::count(usize::try_from(days).unwrap_or(usize::MAX), "day"),
        worth(hits),
    )
}

/// `14 answers, 120 KB`.
fn answers(contents: Contents) -> String {
    format!("{}, {}", words::count(contents.replies, "answer"), words::size(contents.bytes))
}

/// `used 14 times, which saved $0.12 and 2 answers of unknown price`.
fn worth(hits: Hits) -> String {
    if hits.replies == 0 {
        return "not used so far".to_owned();
    }
    let known = (hits.saved_usd > 0.0 || hits.unpriced == 0).then(|| words::dollars(hits.saved_usd));
    let unknown =
        (hits.unpriced > 0).then(|| format!("{} of unknown price", words::count(hits.unpriced, "answer")));
    let saved: Vec<String> = known.into_iter().chain(unknown).collect();
    format!("used {}, which saved {}", words::count(hits.replies, "time"), words::list(&saved))
}

fn pruned(gone: Contents, left: Contents) -> String {
    format!("taken out: {}\nleft: {}\n", answers(gone), answers(left))
}

fn parse_size(text: &str) -> Result<u64, String> {
    let size = text.parse::<ByteSize>().map(|size| size.as_u64());
    size.map_err(|_| {
        "must be a number of bytes, or one with KB, MB, GB, KiB, MiB or GiB behind it".to_owned()
    })
}

/// A day has 24 hours here, a week seven days; months and years have no length of their own.
fn parse_time(text: &str) -> Result<Duration, String> {
    let length = text.parse().and_then(|span: Span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    let length = length.ok().and_then(|length| Duration::try_from(length).ok());
    length.ok_or_else(|| {
        "must be a number with w, d, h, m or s behind it, such as 30d, 2w or 12h; a month has no fixed length".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes() {
        let hours = |text: &str| parse_time(text).ok().map(|time| time.as_secs() / 3_600);
        assert_eq!(["30d", "2w", "12h", "0s"].map(hours), [Some(720), Some(336), Some(12), Some(0)]);
        assert_eq!(["1mo", "-3d", "soon", "", "30"].map(hours), [None; 5]);
        let size = |text: &str| parse_size(text).ok();
        assert_eq!(
            ["200MB", "1 GiB", "5000", "much", "-1MB"].map(size),
            [Some(200_000_000), Some(1 << 30), Some(5_000), None, None]
        );
    }

    #[test]
    fn what_it_was_worth() {
        let check = |replies, saved_usd, unpriced, expect: &str| {
            assert_eq!(worth(Hits { replies, saved_usd, unpriced }), expect);
        };
        check(0, 0.0, 0, "not used so far");
        check(1, 0.0, 0, "used 1 time, which saved $0.00");
        check(14, 0.125, 2, "used 14 times, which saved $0.12 and 2 answers of unknown price");
        check(3, 0.0, 3, "used 3 times, which saved 3 answers of unknown price");
    }
}
