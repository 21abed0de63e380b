//! Conversations in the database: [`Threads`]. A turn is stored whole or not at all.
//!
//! Everything is asked for on behalf of a [`Viewer`]: threads of another tenant, and turns that are somebody else's own, are as
//! good as not there. Names, times and limits are the callers' affair.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::database::{Database, DatabaseError};
use crate::{
    conversation::{About, Message, Role, Scope, Thread, Turn, Viewer},
    coverage::Spent,
};

/// The threads of a database.
#[derive(Clone)]
pub struct Threads {
    database: Database,
}

impl Threads {
    /// Those in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Stores a new thread of the viewer's tenant, with what was said in it already.
    pub async fn begin(
        &self,
        viewer: &Viewer,
        thread: Thread,
        first: Option<Turn>,
    ) -> Result<(), DatabaseError> {
        let viewer = viewer.clone();
        self.database
            .write(move |it| {
                insert_thread(it, &viewer.tenant, &thread)?;
                first.map_or(Ok(()), |turn| insert_turn(it, &viewer, &thread.id, &turn))
            })
            .await
    }

    /// A thread and what of it the viewer may see, in the order it was said.
    pub async fn thread(
        &self,
        viewer: &Viewer,
        id: &str,
    ) -> Result<Option<(Thread, Vec<Message>)>, DatabaseError> {
        let (viewer, id) = (viewer.clone(), id.to_owned());
        self.database
            .read(move |it| {
                let thread = find(it, &viewer, &id)?;
                thread.map(|thread| Ok((thread, visible(it, &viewer, &id)?))).transpose()
            })
            .await
    }

    /// The newest thread about an issue that asks `reviewer`.
    pub async fn latest_about(
        &self,
        viewer: &Viewer,
        about: [&str; 2],
        reviewer: &str,
    ) -> Result<Option<String>, DatabaseError> {
        let ([run, issue], reviewer) = (about.map(str::to_owned), reviewer.to_owned());
        let tenant = viewer.tenant.clone();
        let query = "SELECT id FROM threads WHERE tenant = ?1 AND run = ?2 AND issue = ?3 AND reviewer = ?4
                     ORDER BY created DESC, rowid DESC LIMIT 1";
        let look = move |it: &Connection| {
            it.query_row(query, params![tenant, run, issue, reviewer], |row| row.get(0)).optional()
        };
        self.database.read(look).await
    }

    /// Stores a turn at the end of a thread. False if there is no such thread.
    pub async fn add(&self, viewer: &Viewer, thread: &str, turn: Turn) -> Result<bool, DatabaseError> {
        let (viewer, thread) = (viewer.clone(), thread.to_owned());
        self.database
            .write(move |it| {
                if find(it, &viewer, &thread)?.is_none() {
                    return Ok(false);
                }
                insert_turn(it, &viewer, &thread, &turn)?;
                Ok(true)
            })
            .await
    }
}

fn insert_thread(it: &Connection, tenant: &str, thread: &Thread) -> rusqlite::Result<()> {
    let Thread { id, title, about, created } = thread;
    let about = about.as_ref();
    let (run, issue) = (about.map(|one| &one.run), about.and_then(|one| one.issue.as_ref()));
    let (reviewer, context) = (about.and_then(|one| one.reviewer.as_ref()), about.map(|one| &one.context));
    it.execute(
        "INSERT INTO threads (id, tenant, title, run, issue, reviewer, context, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![id, tenant, title, run, issue, reviewer, context, created.as_millisecond()],
    )?;
    Ok(())
}

fn insert_turn(it: &Connection, viewer: &Viewer, thread: &str, turn: &Turn) -> rusqlite::Result<()> {
    let mut both = [&turn.question, &turn.answer].into_iter();
    both.try_for_each(|message| insert_message(it, viewer, thread, message))
}

fn insert_message(it: &Connection, viewer: &Viewer, thread: &str, message: &Message) -> rusqlite::Result<()> {
    let Message { id, role, content, provider, model, reason, scope, caller, spent, created } = message;
    it.execute(
        "INSERT INTO messages (thread, place, id, role, content, provider, model, reason, scope, caller,
                               credential, tokens_in, tokens_out, cost_usd, created)
         VALUES (?1, (SELECT coalesce(max(place) + 1, 0) FROM messages WHERE thread = ?1),
                 ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            thread,
            id,
            role.word(),
            content,
            provider,
            model,
            reason,
            scope.word(),
            caller,
            viewer.credential,
            spent.tokens_in.map(counted),
            spent.tokens_out.map(counted),
            spent.cost_usd,
            created.as_millisecond(),
        ],
    )?;
    Ok(())
}

fn find(it: &Connection, viewer: &Viewer, id: &str) -> rusqlite::Result<Option<Thread>> {
    it.query_row(
        "SELECT id, title, run, issue, reviewer, context, created FROM threads WHERE id = ?1 AND tenant = ?2",
        params![id, viewer.tenant],
        thread,
    )
    .optional()
}

fn visible(it: &Connection, viewer: &Viewer, thread: &str) -> rusqlite::Result<Vec<Message>> {
    let mut found = it.prepare(
        "SELECT id, role, content, provider, model, reason, scope, caller, tokens_in, tokens_out, cost_usd, created
         FROM messages WHERE thread = ?1 AND (scope = 'org' OR credential = ?2) ORDER BY place",
    )?;
    found.query_map(params![thread, viewer.credential], message)?.collect()
}

fn thread(row: &Row<'_>) -> rusqlite::Result<Thread> {
    let about = match (row.get("run")?, row.get("context")?) {
        (Some(run), Some(context)) => {
            Some(About { run, issue: row.get("issue")?, reviewer: row.get("reviewer")?, context })
        }
        _ => None,
    };
    Ok(Thread { id: row.get("id")?, title: row.get("title")?, about, created: moment(row)? })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let tokens = |column| row.get::<_, Option<i64>>(column).map(|n| n.and_then(|n| n.try_into().ok()));
    Ok(Message {
        id: row.get("id")?,
        role: word(row, "role", &Role::ALL, Role::word)?,
        content: row.get("content")?,
        provider: row.get("provider")?,
        model: row.get("model")?,
        reason: row.get("reason")?,
        scope: word(row, "scope", &Scope::ALL, Scope::word)?,
        caller: row.get("caller")?,
        spent: Spent {
            tokens_in: tokens("tokens_in")?,
            tokens_out: tokens("tokens_out")?,
            cost_usd: row.get("cost_usd")?,
            ..Spent::default()
        },
        created: moment(row)?,
    })
}

/// One of `all`, by the word in a column.
fn word<T: Copy>(
    row: &Row<'_>,
    column: &str,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> rusqlite::Result<T> {
    let found: String = row.get(column)?;
    let one = all.iter().copied().find(|one| name(*one) == found);
    one.ok_or_else(|| unreadable(row, column, Type::Text, format!("{found:?} is not known").into()))
}

fn moment(row: &Row<'_>) -> rusqlite::Result<Timestamp> {
    let column = "created";
    Timestamp::from_millisecond(row.get(column)?)
        .map_err(|error| unreadable(row, column, Type::Integer, Box::new(error)))
}

fn unreadable(
    row: &Row<'_>,
    column: &str,
    kind: Type,
    why: Box<dyn std::error::Error + Send + Sync>,
) -> rusqlite::Error {
    let at = row.as_ref().column_index(column).unwrap_or_default();
    rusqlite::Error::FromSqlConversionFailure(at, kind, why)
}

/// `SQLite` has no larger numbers.
fn counted(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn threads() -> (tempfile::TempDir, Threads) {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("scrum.db")).unwrap();
        (folder, Threads::new(database))
    }

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    fn plain(id: &str) -> Thread {
        Thread { id: id.to_owned(), title: "Burst".to_owned(), about: None, created: at(1) }
    }

    fn turn(name: &str, scope: Scope) -> Turn {
        let message = |role: Role, spent: Spent| Message {
            id: format!("{name}-{}", role.word()),
            role,
            content: format!("{name} says \u{0}\u{1b}[31m {}", role.word()),
            provider: "opus".to_owned(),
            model: "claude-opus-5".to_owned(),
            reason: "review".to_owned(),
            scope,
            caller: "ci".to_owned(),
            spent,
            created: at(1_700_000_000_123),
        };
        let spent = Spent {
            tokens_in: Some(u64::MAX >> 1),
            tokens_out: Some(2),
            cost_usd: Some(0.25),
            ..Spent::default()
        };
        Turn { question: message(Role::User, Spent::default()), answer: message(Role::Assistant, spent) }
    }

    fn viewer(tenant: &str, credential: &[u8]) -> Viewer {
        Viewer { tenant: tenant.to_owned(), credential: credential.to_vec() }
    }

    #[tokio::test]
    async fn what_was_said_comes_back_whole() {
        let (_folder, threads) = threads();
        let me = viewer("org", b"key");
        let about = About {
            run: "r".to_owned(),
            issue: Some("3fa9".to_owned()),
            reviewer: Some("opus".to_owned()),
            context: "the code".to_owned(),
        };
        let thread = Thread { about: Some(about), ..plain("t1") };
        threads.begin(&me, thread.clone(), None).await.unwrap();
        let (one, two) = (turn("one", Scope::Private), turn("two", Scope::Org));
        assert_eq!(threads.add(&me, "t1", one.clone()).await, Ok(true));
        assert_eq!(threads.add(&me, "t1", two.clone()).await, Ok(true));
        let expect = vec![one.question, one.answer, two.question, two.answer];
        assert_eq!(threads.thread(&me, "t1").await, Ok(Some((thread, expect))));
    }

    #[tokio::test]
    async fn others_see_what_they_may() {
        let (_folder, threads) = threads();
        let (me, colleague, stranger) = (viewer("org", b"a"), viewer("org", b"b"), viewer("other", b"a"));
        threads.begin(&me, plain("t1"), None).await.unwrap();
        threads.add(&me, "t1", turn("own", Scope::Private)).await.unwrap();
        threads.add(&me, "t1", turn("all", Scope::Org)).await.unwrap();
        let seen = async |viewer: &Viewer| {
            let found = threads.thread(viewer, "t1").await.unwrap();
            found.map(|(_, messages)| messages.into_iter().map(|one| one.id).collect::<Vec<_>>())
        };
        assert_eq!(seen(&me).await.unwrap(), ["own-user", "own-assistant", "all-user", "all-assistant"]);
        assert_eq!(seen(&colleague).await.unwrap(), ["all-user", "all-assistant"]);
        assert_eq!(seen(&stranger).await, None);
        assert_eq!(threads.add(&stranger, "t1", turn("not", Scope::Org)).await, Ok(false));
        assert_eq!(threads.add(&me, "nowhere", turn("not", Scope::Org)).await, Ok(false));
        assert_eq!(seen(&me).await.unwrap().len(), 4);
    }

    #[tokio::test]
    async fn half_a_turn_is_none() {
        let (_folder, threads) = threads();
        let me = viewer("", b"");
        threads.begin(&me, plain("t1"), None).await.unwrap();
        let mut torn = turn("one", Scope::Private);
        torn.answer.id = torn.question.id.clone();
        assert!(threads.add(&me, "t1", torn.clone()).await.is_err());
        assert!(threads.begin(&me, plain("t2"), Some(torn)).await.is_err());
        assert_eq!(threads.thread(&me, "t2").await, Ok(None));
        assert_eq!(threads.thread(&me, "t1").await.unwrap().unwrap().1, []);
    }

    #[tokio::test]
    async fn the_newest_thread_about_an_issue() {
        let (_folder, threads) = threads();
        let me = viewer("", b"");
        for (id, created, reviewer) in [("old", 1, "opus"), ("new", 2, "opus"), ("other", 3, "kimi")] {
            let about = About {
                run: "r".to_owned(),
                issue: Some("i".to_owned()),
                reviewer: Some(reviewer.to_owned()),
                context: String::new(),
            };
            let thread = Thread { about: Some(about), created: at(created), ..plain(id) };
            threads.begin(&me, thread, None).await.unwrap();
        }
        let check = async |about: [&str; 2], reviewer: &str, expect: Option<&str>| {
            let found = threads.latest_about(&me, about, reviewer).await.unwrap();
            assert_eq!(found.as_deref(), expect, "{about:?} {reviewer}");
        };
        check(["r", "i"], "opus", Some("new")).await;
        check(["r", "i"], "kimi", Some("other")).await;
        check(["r", "j"], "opus", None).await;
        let other = viewer("org", b"");
        assert_eq!(threads.latest_about(&other, ["r", "i"], "opus").await, Ok(None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Turns that many add at once stand one behind the other, each question before its answer.
        #[test]
        fn turns_never_mix(tenants in proptest::collection::vec(0..3_usize, 1..24)) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let (_folder, threads) = threads();
                let viewers = ["a", "b", "c"].map(|tenant| viewer(tenant, b""));
                for (id, me) in viewers.iter().enumerate() {
                    threads.begin(me, plain(&id.to_string()), None).await.unwrap();
                }
                let add = tenants.iter().enumerate().map(|(n, tenant)| {
                    let (threads, me) = (&threads, &viewers[*tenant]);
                    async move { threads.add(me, &tenant.to_string(), turn(&n.to_string(), Scope::Org)).await }
                });
                futures_util::future::join_all(add).await;
                for (id, me) in viewers.iter().enumerate() {
                    let (_, said) = threads.thread(me, &id.to_string()).await.unwrap().unwrap();
                    let wanted = tenants.iter().filter(|tenant| **tenant == id).count();
                    assert_eq!(said.len(), 2 * wanted);
                    for turn in said.chunks(2) {
                        assert_eq!(turn[0].id.strip_suffix("-user"), turn[1].id.strip_suffix("-assistant"));
                    }
                }
            });
        }
    }
}
