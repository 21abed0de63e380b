//! Who asks: [`Callers`] makes a [`Caller`] of a request's headers, or says why it is not let in.
//!
//! A key is looked up by its hash, so how long that takes says nothing about any key. How much somebody may ask for is
//! decided in `tenants`, and where keys are kept is the store's affair.

use std::{
    borrow::Cow,
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, HOST, ORIGIN, WWW_AUTHENTICATE},
};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::{dashboard, trace::identified};
use crate::{
    digest,
    provider::relay::Problem,
    reviewer::is_loopback,
    store::{
        callers::{self, Holder},
        database::{Database, DatabaseError},
    },
};

/// How often the keys are read again: how long a new one has to wait, and one that was taken away still works.
const LOOK: Duration = Duration::from_secs(1);
/// Where Anthropic's clients put a key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// For whom a request is made.
pub(super) const ORGANISATION: &str = "x-org-id";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    /// The name of its key; empty where none is asked for.
    pub(super) name: Arc<str>,
    /// For whom it asks; empty where it does not say and has no name.
    pub(super) tenant: Arc<str>,
    /// A hash of what it proved itself with, or of what it sent where nothing is asked for.
    credential: Option<[u8; 32]>,
    /// Its key is for this tenant and no other.
    pub(super) is_bound: bool,
}

impl Caller {
    /// Tells callers apart; empty for all who sent nothing.
    pub(super) fn credential(&self) -> &[u8] {
        self.credential.as_ref().map_or(&[], <[u8; 32]>::as_slice)
    }

    /// Whose jobs and runs it sees; `None`: everybody's. Who may name any tenant, and names none, sees them all.
    pub(super) fn sees_only(&self) -> Option<&str> {
        (self.is_bound || self.tenant != self.name).then_some(&*self.tenant)
    }

    /// Whether it may change what is `tenant`'s, if it names that one.
    pub(super) fn may_name(&self, tenant: &str) -> bool {
        *tenant == *self.tenant || (!self.is_bound && !tenant.is_empty())
    }
}

/// Why a request is not let in. Holds nothing of what was sent for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// None was sent.
    #[error("a key is needed: send `Authorization: Bearer KEY` or `x-api-key: KEY`")]
    NoKey,
    /// Nobody has this one.
    #[error("this key is not known here; it may have been removed")]
    UnknownKey,
    /// A key that is bound to a tenant, and the name of another one.
    #[error("this key is for another tenant than x-org-id names")]
    OtherTenant,
    /// No name of a tenant.
    #[error("x-org-id must be one name of at most {most} printable ASCII characters", most = callers::LONGEST_NAME)]
    BadTenant,
    /// Sent by a web page of somewhere else.
    #[error(
        "requests from web pages of another origin are only answered with a key, sent by `Authorization: Bearer` or `x-api-key`"
    )]
    ForeignOrigin,
    /// The server is asked for by a name that somebody else may have pointed at this machine.
    #[error("this server is asked for as localhost or by its address only, unless callers have keys")]
    ForeignHost,
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        let problem = |status, code| Self::new(status, denied.to_string()).code(code);
        match denied {
            Denied::NoKey | Denied::UnknownKey => {
                let mut problem = problem(StatusCode::UNAUTHORIZED, "invalid_api_key");
                problem.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                problem
            }
            Denied::OtherTenant => problem(StatusCode::FORBIDDEN, "mismatched_organization"),
            Denied::BadTenant => problem(StatusCode::BAD_REQUEST, "invalid_organization"),
            Denied::ForeignOrigin => problem(StatusCode::FORBIDDEN, "foreign_origin"),
            Denied::ForeignHost => problem(StatusCode::FORBIDDEN, "foreign_host"),
        }
    }
}

/// Why it cannot be said who may ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardError {
    /// Anybody could, from other machines too.
    #[error("other machines may reach {0}, and callers have no keys")]
    Unguarded(IpAddr),
    /// The keys cannot be read.
    #[error(transparent)]
    Store(#[from] DatabaseError),
}

/// Who may ask. Clones share what is known.
#[derive(Clone)]
pub struct Callers {
    door: Arc<RwLock<Door>>,
    listens_on_loopback: bool,
}

#[derive(Default)]
struct Door {
    by_key: HashMap<[u8; 32], Known>,
    /// There are keys, or have been: the last one that is taken away opens no door.
    is_locked: bool,
}

/// Whose key it is.
struct Known {
    name: Arc<str>,
    tenant: Option<Arc<str>>,
}

impl Callers {
    /// Those who have a key in `database`, asked on `address`. Without any key everybody is let in who can reach it: unless
    /// that is this machine alone, `without_keys` must say that this is meant.
    pub async fn new(database: &Database, address: IpAddr, without_keys: bool) -> Result<Self, GuardError> {
        let listens_on_loopback = address.to_canonical().is_loopback();
        let holders = callers::all(database).await?;
        if holders.is_empty() && !listens_on_loopback && !without_keys {
            return Err(GuardError::Unguarded(address));
        }
        let callers = Self { door: Arc::default(), listens_on_loopback };
        callers.know(holders);
        Ok(callers)
    }

    /// Reads the keys again every second until `end`. What cannot be read leaves them as they were.
    pub(super) async fn keep_up(self, database: Database, end: CancellationToken) {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while end.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Ok(holders) = callers::all(&database).await {
                self.know(holders);
            }
        }
    }

    fn know(&self, holders: Vec<Holder>) {
        let known = |Holder { name, tenant, key, .. }: Holder| {
            (key, Known { name: name.into(), tenant: tenant.map(Arc::from) })
        };
        let by_key: HashMap<_, _> = holders.into_iter().map(known).collect();
        let mut door = self.door.write().unwrap_or_else(PoisonError::into_inner);
        door.is_locked |= !by_key.is_empty();
        door.by_key = by_key;
    }

    /// Who sent `headers`.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<Caller, Denied> {
        let door = self.door.read().unwrap_or_else(PoisonError::into_inner);
        if door.is_locked {
            return door.opened_by(method, headers);
        }
        drop(door);
        self.is_of_here(headers)?;
        is_of_own_page(method, headers)?;
        let (name, tenant) = (Arc::from(""), Arc::from(tenant(headers)?.unwrap_or_default()));
        Ok(Caller {
            name,
            tenant,
            credential: sent(headers).map(|key| digest::sha256_bytes(&[key])),
            is_bound: false,
        })
    }

    /// Where nothing is asked for, a page in somebody's browser could spend what this machine's owner pays. A browser says
    /// whose page it is with every request that could; and a name that leads here today may have led elsewhere when the
    /// page was loaded.
    fn is_of_here(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let host = headers.get(HOST).map(HeaderValue::as_bytes);
        if self.listens_on_loopback && !host.is_none_or(names_this_machine) {
            return Err(Denied::ForeignHost);
        }
        is_of_own_origin(headers)
    }
}

/// By `Origin`, which must be what the request was sent to.
fn is_of_own_origin(headers: &HeaderMap) -> Result<(), Denied> {
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let is_same = |origin: &[u8]| {
        let authority =
            [b"http://".as_slice(), b"https://"].iter().find_map(|scheme| origin.strip_prefix(*scheme));
        authority.is_some() && authority == host
    };
    if headers.get_all(ORIGIN).iter().all(|origin| is_same(origin.as_bytes())) {
        Ok(())
    } else {
        Err(Denied::ForeignOrigin)
    }
}

/// What a browser sends of itself, a login or nothing, any page can have it send. It says whose page that is; another's may lead
/// here by a link and do nothing else. Browsers that do not say it are asked for their `Origin`.
fn is_of_own_page(method: &Method, headers: &HeaderMap) -> Result<(), Denied> {
    let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    let Some(site) = said("sec-fetch-site") else { return is_of_own_origin(headers) };
    let is_link = method == Method::GET
        && said("sec-fetch-mode") == Some(b"navigate")
        && said("sec-fetch-dest") == Some(b"document");
    if [b"same-origin".as_slice(), b"none"].contains(&site) || is_link {
        Ok(())
    } else {
        Err(Denied::ForeignOrigin)
    }
}

impl Door {
    fn opened_by(&self, method: &Method, headers: &HeaderMap) -> Result<Caller, Denied> {
        let login = login(headers);
        let keys = [sent(headers).map(Cow::Borrowed), login.clone().map(Cow::Owned)];
        let hashes: Vec<_> =
            keys.into_iter().flatten().map(|key| digest::sha256_bytes(&[key.as_ref()])).collect();
        let known = hashes.iter().find_map(|hash| Some((*hash, self.by_key.get(hash)?)));
        let denied = if hashes.is_empty() { Denied::NoKey } else { Denied::UnknownKey };
        let (key, Known { name, tenant: own }) = known.ok_or(denied)?;
        if login.is_some_and(|login| digest::sha256_bytes(&[&login]) == key) {
            is_of_own_page(method, headers)?;
        }
        let tenant = match (own, tenant(headers)?) {
            (Some(own), Some(named)) if own.as_ref() != named => return Err(Denied::OtherTenant),
            (Some(own), _) => Arc::clone(own),
            (None, Some(named)) => Arc::from(named),
            (None, None) => Arc::clone(name),
        };
        Ok(Caller { name: Arc::clone(name), tenant, credential: Some(key), is_bound: own.is_some() })
    }
}

/// Lets a request through with its [`Caller`] among its extensions, or tells why not.
pub(super) async fn guard(State(callers): State<Callers>, mut request: Request, next: Next) -> Response {
    match callers.check(request.method(), request.headers()) {
        Ok(caller) => {
            identified(&caller.name, &caller.tenant);
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(denied) => dashboard::refused(request.headers(), denied.into()),
    }
}

/// The password of a login by `Authorization: Basic`, which is how a browser can send a key; who it is for is of no account.
fn login(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, text) = headers.get(AUTHORIZATION)?.to_str().ok()?.trim().split_once(' ')?;
    let login = STANDARD.decode(text.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = login.iter().position(|byte| *byte == b':')?;
    Some(login[colon + 1..].to_vec()).filter(|password| !password.is_empty())
}

/// What was sent for a key. A proxy's own way to log in may stand where a bearer would.
fn sent(headers: &HeaderMap) -> Option<&[u8]> {
    let value = |name: HeaderName| Some(headers.get(name)?.as_bytes().trim_ascii());
    let (bearer, other) = match value(AUTHORIZATION) {
        Some(value) => {
            let (scheme, key) =
                value.split_at(value.iter().position(|byte| *byte == b' ').unwrap_or(value.len()));
            if scheme.eq_ignore_ascii_case(b"bearer") {
                (Some(key.trim_ascii()), None)
            } else {
                (None, Some(value))
            }
        }
        None => (None, None),
    };
    [bearer, value(API_KEY), other].into_iter().flatten().find(|key| !key.is_empty())
}

/// The tenant that is named, if one is.
fn tenant(headers: &HeaderMap) -> Result<Option<&str>, Denied> {
    let mut named = headers.get_all(ORGANISATION).iter();
    let Some(name) = named.next() else { return Ok(None) };
    let name = name.to_str().map_err(|_| Denied::BadTenant)?;
    match (name, named.next()) {
        ("", None) => Ok(None),
        (name, None) if callers::fit_name(name).is_ok() => Ok(Some(name)),
        (_, _) => Err(Denied::BadTenant),
    }
}

/// Whether `host`, with or without a port, can only mean this machine.
fn names_this_machine(host: &[u8]) -> bool {
    // What would end the name, or begin it anew, is no part of one.
    let is_name = !host.iter().any(|byte| b"@/?#\\".contains(byte));
    is_name && std::str::from_utf8(host).is_ok_and(|host| is_loopback(&format!("http://{host}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CI: &str = "scrum_of-ci";
    const ADA: &str = "scrum_of-ada";

    fn holder(name: &str, tenant: Option<&str>, key: &str) -> Holder {
        Holder {
            name: name.to_owned(),
            tenant: tenant.map(str::to_owned),
            key: digest::sha256_bytes(&[key.as_bytes()]),
            since: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    /// On a loopback address or not.
    fn callers(listens_on_loopback: bool, holders: Vec<Holder>) -> Callers {
        let callers = Callers { door: Arc::default(), listens_on_loopback };
        callers.know(holders);
        callers
    }

    fn two() -> Callers {
        callers(false, vec![holder("ci", Some("acme"), CI), holder("ada", None, ADA)])
    }

    fn headers(sent: &[(&'static str, &str)]) -> HeaderMap {
        sent.iter()
            .map(|(name, value)| (name.parse::<http::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    /// `name for tenant`, or why not.
    fn asked(callers: &Callers, sent: &[(&'static str, &str)]) -> Result<String, Denied> {
        callers
            .check(&Method::POST, &headers(sent))
            .map(|caller| format!("{} for {}", caller.name, caller.tenant))
    }

    #[test]
    fn who_has_a_key() {
        let callers = two();
        let check = |sent: &[(&'static str, &str)], expect: Result<&str, Denied>| {
            assert_eq!(asked(&callers, sent), expect.map(str::to_owned), "{sent:?}");
        };
        check(&[], Err(Denied::NoKey));
        check(&[("authorization", "Bearer ")], Err(Denied::NoKey));
        check(&[("authorization", "Bearer scrum_of-c")], Err(Denied::UnknownKey));
        check(&[("authorization", "Basic scrum_of-ci")], Err(Denied::UnknownKey));
        check(&[("authorization", "Bearer scrum_of-ci")], Ok("ci for acme"));
        check(&[("authorization", "bearer  scrum_of-ci")], Ok("ci for acme"));
        check(&[("x-api-key", CI)], Ok("ci for acme"));
        check(&[("authorization", "Basic dXNlcjpwYXNz"), ("x-api-key", CI)], Ok("ci for acme"));
        check(&[("authorization", "Bearer wrong"), ("x-api-key", CI)], Err(Denied::UnknownKey));
        check(&[("x-api-key", CI), ("x-org-id", "acme")], Ok("ci for acme"));
        check(&[("x-api-key", CI), ("x-org-id", "")], Ok("ci for acme"));
        check(&[("x-api-key", CI), ("x-org-id", "other")], Err(Denied::OtherTenant));
        check(&[("x-api-key", ADA)], Ok("ada for ada"));
        check(&[("x-api-key", ADA), ("x-org-id", "acme")], Ok("ada for acme"));
        check(&[("x-api-key", ADA), ("x-org-id", "a"), ("x-org-id", "b")], Err(Denied::BadTenant));
        check(&[("x-api-key", ADA), ("x-org-id", &"x".repeat(129))], Err(Denied::BadTenant));
        check(&[("x-api-key", ADA), ("x-org-id", "caf\u{e9}")], Err(Denied::BadTenant));
        let basic = |password: &str| format!("Basic {}", STANDARD.encode(format!("ada:{password}")));
        check(&[("authorization", &basic(CI))], Ok("ci for acme"));
        check(&[("authorization", &basic("wrong"))], Err(Denied::UnknownKey));
        check(&[("authorization", &basic("wrong")), ("x-api-key", CI)], Ok("ci for acme"));
        // The browser sends a login with whatever any page asks for.
        let (login, host) = (basic(CI), ("host", "b.example"));
        let check_login = |said: &[(&'static str, &str)], expect: Result<&str, Denied>| {
            check(&[&[("authorization", login.as_str()), host], said].concat(), expect);
        };
        check_login(&[("origin", "https://b.example")], Ok("ci for acme"));
        check_login(&[("origin", "https://a.example")], Err(Denied::ForeignOrigin));
        check_login(&[("origin", "https://c.example"), ("sec-fetch-site", "same-origin")], Ok("ci for acme"));
        check_login(&[("sec-fetch-site", "same-site")], Err(Denied::ForeignOrigin));
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        check_login(&link, Err(Denied::ForeignOrigin));
        let led = [("authorization", login.as_str()), link[0], link[1], link[2]];
        assert!(callers.check(&Method::GET, &headers(&led)).is_ok(), "a link is followed");
        assert!(
            callers.check(&Method::GET, &headers(&led[..2])).is_err(),
            "nothing is loaded into another page"
        );
        // A page that knows a key may ask from wherever it is.
        check(
            &[("x-api-key", CI), ("origin", "https://a.example"), ("host", "b.example")],
            Ok("ci for acme"),
        );
    }

    #[test]
    fn whose_page_it_is() {
        let check =
            |listens_on_loopback: bool, sent: &[(&'static str, &str)], expect: Result<&str, Denied>| {
                let callers = callers(listens_on_loopback, Vec::new());
                assert_eq!(asked(&callers, sent), expect.map(str::to_owned), "{sent:?}");
            };
        let here = ("host", "127.0.0.1:4001");
        check(true, &[], Ok(" for "));
        check(true, &[here], Ok(" for "));
        check(true, &[("host", "localhost")], Ok(" for "));
        check(true, &[("host", "[::1]:4001")], Ok(" for "));
        check(true, &[here, ("x-org-id", "acme")], Ok(" for acme"));
        check(true, &[here, ("origin", "http://127.0.0.1:4001")], Ok(" for "));
        check(true, &[here, ("origin", "http://127.0.0.1:3000")], Err(Denied::ForeignOrigin));
        check(true, &[here, ("origin", "https://evil.example")], Err(Denied::ForeignOrigin));
        check(true, &[here, ("origin", "null")], Err(Denied::ForeignOrigin));
        check(true, &[here, ("origin", "127.0.0.1:4001")], Err(Denied::ForeignOrigin));
        check(true, &[("host", "evil.example:4001")], Err(Denied::ForeignHost));
        check(true, &[("host", "127.0.0.1.evil.example")], Err(Denied::ForeignHost));
        check(true, &[("host", "evil.example@127.0.0.1")], Err(Denied::ForeignHost));
        check(true, &[("host", "localhost#.evil.example")], Err(Denied::ForeignHost));
        check(true, &[("host", "evil.example"), ("origin", "http://evil.example")], Err(Denied::ForeignHost));
        check(false, &[("host", "gateway.example")], Ok(" for "));
        check(false, &[("host", "gateway.example"), ("origin", "https://gateway.example")], Ok(" for "));
        check(
            false,
            &[("host", "gateway.example"), ("origin", "https://evil.example")],
            Err(Denied::ForeignOrigin),
        );
    }

    #[test]
    fn what_is_sent_tells_callers_apart_where_nothing_is_asked_for() {
        let callers = callers(true, Vec::new());
        let credential = |sent: &[(&'static str, &str)]| {
            callers.check(&Method::POST, &headers(sent)).unwrap().credential().to_vec()
        };
        assert!(credential(&[]).is_empty());
        let [one, other] =
            ["one", "other"].map(|key| credential(&[("authorization", &format!("Bearer {key}"))]));
        assert!(!one.is_empty() && one != other);
        assert_eq!(credential(&[("x-api-key", "one")]), one);
    }

    #[test]
    fn the_last_key_that_is_taken_away_opens_no_door() {
        let callers = callers(true, vec![holder("ci", None, CI)]);
        callers.know(Vec::new());
        assert_eq!(asked(&callers, &[("x-api-key", CI)]), Err(Denied::UnknownKey));
        assert_eq!(asked(&callers, &[]), Err(Denied::NoKey));
        callers.know(vec![holder("ada", None, ADA)]);
        assert_eq!(asked(&callers, &[("x-api-key", ADA)]), Ok("ada for ada".to_owned()));
    }

    #[tokio::test]
    async fn whether_it_may_listen_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("scrum.db")).unwrap();
        let check = async |address: &str, without_keys: bool, expect: bool| {
            let callers = Callers::new(&database, address.parse().unwrap(), without_keys).await;
            assert_eq!(callers.is_ok(), expect, "{address}");
        };
        check("127.0.0.1", false, true).await;
        check("::1", false, true).await;
        check("::ffff:127.0.0.1", false, true).await;
        check("0.0.0.0", false, false).await;
        check("192.0.2.1", false, false).await;
        check("0.0.0.0", true, true).await;
        callers::add(&database, holder("ci", None, CI)).await.unwrap();
        check("0.0.0.0", false, true).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_is_known_soon_after_it_is_made_and_no_longer_when_it_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("scrum.db");
        let [database, elsewhere] = [(); 2].map(|()| Database::open(&path).unwrap());
        let callers = Callers::new(&database, [127, 0, 0, 1].into(), false).await.unwrap();
        let end = CancellationToken::new();
        let watching = tokio::spawn(callers.clone().keep_up(database, end.clone()));
        assert_eq!(asked(&callers, &[]), Ok(" for ".to_owned()));
        callers::add(&elsewhere, holder("ci", None, CI)).await.unwrap();
        tokio::time::sleep(2 * LOOK).await;
        assert_eq!(asked(&callers, &[("x-api-key", CI)]), Ok("ci for ci".to_owned()));
        callers::remove(&elsewhere, "ci").await.unwrap();
        tokio::time::sleep(2 * LOOK).await;
        assert_eq!(asked(&callers, &[("x-api-key", CI)]), Err(Denied::UnknownKey));
        end.cancel();
        watching.await.unwrap();
    }

    #[test]
    fn what_those_are_told_who_are_not_let_in() {
        let told = |denied: Denied| {
            let problem = Problem::from(denied);
            format!("{} {}", problem.status.as_u16(), problem.to_json())
        };
        insta::assert_snapshot!(told(Denied::NoKey), @r#"401 {"error":{"message":"a key is needed: send `Authorization: Bearer KEY` or `x-api-key: KEY`","type":"authentication_error","param":null,"code":"invalid_api_key"}}"#);
        insta::assert_snapshot!(told(Denied::OtherTenant), @r#"403 {"error":{"message":"this key is for another tenant than x-org-id names","type":"permission_error","param":null,"code":"mismatched_organization"}}"#);
    }
}
