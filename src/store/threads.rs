//! Conversations in the database: [`Threads`]. A turn is stored whole or not at all.
//!
//! Everything is asked for on behalf of a [`Viewer`]: threads of another tenant, and turns that are somebody else's own, are as
//! good as not there. Names, times and limits are the callers' affair.

use jiff::Timestamp;

use super::database::{Database, DatabaseError, Engine, Problem, Row, Sql, values};
use crate::{
    conversation::{About, Message, Role, Scope, Thread, Turn, Viewer},
    coverage::Spent,
};

macro_rules! find {
    () => {
        "SELECT id, title, run, issue, reviewer, context, created FROM threads WHERE id = ?1 AND tenant = ?2"
    };
}

/// A thread by its id and tenant.
const FIND: &str = find!();

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
            .write(move |sql| {
                insert_thread(sql, &viewer.tenant, &thread)?;
                first.as_ref().map_or(Ok(()), |turn| insert_turn(sql, &viewer, &thread.id, turn))
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
            .read(move |sql| {
                let found = sql.query(FIND, values![&id, &viewer.tenant])?;
                let thread = found.first().map(thread).transpose()?;
                thread.map(|thread| Ok((thread, visible(sql, &viewer, &id)?))).transpose()
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
                     ORDER BY created DESC, id DESC LIMIT 1";
        let look = move |sql: &mut dyn Sql| {
            let found = sql.query(query, values![&tenant, &run, &issue, &reviewer])?;
            found.first().map(|row| row.get(0)).transpose()
        };
        self.database.read(look).await
    }

    /// Stores a turn at the end of a thread. False if there is no such thread.
    pub async fn add(&self, viewer: &Viewer, thread: &str, turn: Turn) -> Result<bool, DatabaseError> {
        let (viewer, thread) = (viewer.clone(), thread.to_owned());
        self.database
            .write(move |sql| {
                // Nobody else may add to it meanwhile: a turn stands in one piece.
                let find = match sql.engine() {
                    Engine::Sqlite => FIND,
                    Engine::Postgres => concat!(find!(), " FOR UPDATE"),
                };
                if sql.query(find, values![&thread, &viewer.tenant])?.is_empty() {
                    return Ok(false);
                }
                insert_turn(sql, &viewer, &thread, &turn)?;
                Ok(true)
            })
            .await
    }
}

fn insert_thread(sql: &mut dyn Sql, tenant: &str, thread: &Thread) -> Result<(), Problem> {
    let Thread { id, title, about, created } = thread;
    let about = about.as_ref();
    let (run, issue) = (about.map(|one| &one.run), about.and_then(|one| one.issue.as_ref()));
    let (reviewer, context) = (about.and_then(|one| one.reviewer.as_ref()), about.map(|one| &one.context));
    sql.execute(
        "INSERT INTO threads (id, tenant, title, run, issue, reviewer, context, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        values![id, tenant, title, run, issue, reviewer, context, created.as_millisecond()],
    )?;
    Ok(())
}

fn insert_turn(sql: &mut dyn Sql, viewer: &Viewer, thread: &str, turn: &Turn) -> Result<(), Problem> {
    let mut both = [&turn.question, &turn.answer].into_iter();
    both.try_for_each(|message| insert_message(sql, viewer, thread, message))
}

fn insert_message(
    sql: &mut dyn Sql,
    viewer: &Viewer,
    thread: &str,
    message: &Message,
) -> Result<(), Problem> {
    let Message { id, role, content, provider, model, reason, scope, caller, spent, created } = message;
    sql.execute(
        "INSERT INTO messages (thread, place, id, role, content, provider, model, reason, scope, caller,
                               credential, tokens_in, tokens_out, cost_usd, created)
         VALUES (?1, (SELECT coalesce(max(place) + 1, 0) FROM messages WHERE thread = ?1),
                 ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        values![
            thread,
            id,
            role.word(),
            content,
            provider,
            model,
            reason,
            scope.word(),
            caller,
            viewer.credential.as_slice(),
            spent.tokens_in,
            spent.tokens_out,
            spent.cost_usd,
            created.as_millisecond(),
        ],
    )?;
    Ok(())
}

fn visible(sql: &mut dyn Sql, viewer: &Viewer, thread: &str) -> Result<Vec<Message>, Problem> {
    let found = sql.query(
        "SELECT id, role, content, provider, model, reason, scope, caller, tokens_in, tokens_out, cost_usd, created
         FROM messages WHERE thread = ?1 AND (scope = 'org' OR credential = ?2) ORDER BY place",
        values![thread, viewer.credential.as_slice()],
    )?;
    found.iter().map(message).collect()
}

/// Of a row of [`FIND`].
fn thread(row: &Row) -> Result<Thread, Problem> {
    let about = match (row.get(2)?, row.get(5)?) {
        (Some(run), Some(context)) => Some(About { run, issue: row.get(3)?, reviewer: row.get(4)?, context }),
        _ => None,
    };
    Ok(Thread { id: row.get(0)?, title: row.get(1)?, about, created: moment(row, 6)? })
}

fn message(row: &Row) -> Result<Message, Problem> {
    Ok(Message {
        id: row.get(0)?,
        role: word(row, 1, &Role::ALL, Role::word)?,
        content: row.get(2)?,
        provider: row.get(3)?,
        model: row.get(4)?,
        reason: row.get(5)?,
        scope: word(row, 6, &Scope::ALL, Scope::word)?,
        caller: row.get(7)?,
        spent: Spent {
            tokens_in: row.get(8)?,
            tokens_out: row.get(9)?,
            cost_usd: row.get(10)?,
            ..Spent::default()
        },
        created: moment(row, 11)?,
    })
}

/// One of `all`, by the word in a column.
fn word<T: Copy>(
    row: &Row,
    column: usize,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<T, Problem> {
    let found: String = row.get(column)?;
    all.iter().copied().find(|one| name(*one) == found).ok_or_else(|| row.unfit(column))
}

fn moment(row: &Row, column: usize) -> Result<Timestamp, Problem> {
    Timestamp::from_millisecond(row.get(column)?).map_err(|_| row.unfit(column))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::database::testing::each, *};

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
        each(async |database| {
            let threads = Threads::new(database);
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
        })
        .await;
    }

    #[tokio::test]
    async fn others_see_what_they_may() {
        each(async |database| {
            let threads = Threads::new(database);
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
        })
        .await;
    }

    #[tokio::test]
    async fn half_a_turn_is_none() {
        each(async |database| {
            let threads = Threads::new(database);
            let me = viewer("", b"");
            threads.begin(&me, plain("t1"), None).await.unwrap();
            let mut torn = turn("one", Scope::Private);
            torn.answer.id = torn.question.id.clone();
            assert!(threads.add(&me, "t1", torn.clone()).await.is_err());
            assert!(threads.begin(&me, plain("t2"), Some(torn)).await.is_err());
            assert_eq!(threads.thread(&me, "t2").await, Ok(None));
            assert_eq!(threads.thread(&me, "t1").await.unwrap().unwrap().1, []);
        })
        .await;
    }

    #[tokio::test]
    async fn the_newest_thread_about_an_issue() {
        each(async |database| {
            let threads = Threads::new(database);
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
        })
        .await;
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Turns that many add at once stand one behind the other, each question before its answer.
        #[test]
        fn turns_never_mix(tenants in proptest::collection::vec(0..3_usize, 1..24)) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(each(async |database| {
                let threads = Threads::new(database);
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
            }));
        }
    }
}
