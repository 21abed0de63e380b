//! A real server of `PostgreSQL` for tests: [`address`] gives each caller a schema of its own on it.
//!
//! The first test that needs the server starts it, for all programs of tests that run at the time; when the last of them has
//! ended, it is stopped and removed. It listens in a folder only. Tests that stop their server have one for themselves: [`Own`].

#![expect(clippy::print_stderr, reason = "who skips says so")]

use std::{
    env,
    fs::{self, DirBuilder, File, Permissions},
    hash::{DefaultHasher, Hash, Hasher},
    os::unix::{
        fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
};

use postgres::{Client, NoTls};

/// Ends the server when nobody holds the second lock any more; whoever looks whether there is one has the first.
const WATCH: &str = r#"
cd "$1"
while sleep 2; do
    exec 8>start.lock 9>users.lock
    flock 8
    if flock --nonblock 9; then
        read -r server <data/postmaster.pid && kill -QUIT "$server"
        while kill -0 "$server"; do sleep 0.1; done
        rm -rf data
        exit
    fi
    exec 8>&- 9>&-
done
"#;

/// The address of a schema that nobody else uses. `None`, and a word about it, where no server is installed; under `CI=true` that
/// is a failure.
pub(crate) fn address() -> Option<String> {
    static DATA: OnceLock<Option<PathBuf>> = OnceLock::new();
    DATA.get_or_init(|| Some(shared(&Programs::installed()?))).as_deref().map(schema)
}

/// Makes a schema on the server whose data, and socket, is in a folder.
fn schema(data: &Path) -> String {
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let server = format!("postgres://scrum@{}/postgres", data.display().to_string().replace('/', "%2F"));
    let make = || Client::connect(&server, NoTls).unwrap().batch_execute(&format!("CREATE SCHEMA {name}"));
    // Within a test's own runtime it would not do.
    thread::scope(|scope| scope.spawn(make).join()).unwrap().unwrap();
    format!("{server}?options=-csearch_path%3D{name}")
}

/// A server for one test, which may stop it.
pub(crate) struct Own {
    folder: tempfile::TempDir,
    programs: Programs,
}

impl Own {
    /// Starts one; `None` as with [`address`].
    pub(crate) fn start() -> Option<Self> {
        let programs = Programs::installed()?;
        let folder = tempfile::tempdir().unwrap();
        // Its user must get through.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let own = Self { folder, programs };
        own.programs.make(&own.data());
        own.start_again();
        Some(own)
    }

    /// The address of a schema on it.
    pub(crate) fn address(&self) -> String {
        schema(&self.data())
    }

    /// Stops it as a crash would: what is not on disk is gone.
    pub(crate) fn crash(&self) {
        done(self.programs.control(&self.data(), &["stop", "--mode", "immediate"]));
    }

    /// Starts it after that.
    pub(crate) fn start_again(&self) {
        self.programs.start(&self.data());
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.programs.control(&self.data(), &["stop", "--mode", "immediate"]).output();
    }
}

/// The data folder of the server that tests share. It answers from now on until this program ends.
fn shared(programs: &Programs) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    env::current_exe().unwrap().parent().hash(&mut hasher);
    // A socket's path has hardly 100 bytes.
    let folder = PathBuf::from(format!("/tmp/scrum-tests-{:x}", hasher.finish()));
    DirBuilder::new().recursive(true).mode(0o755).create(&folder).unwrap();
    let looking = File::create(folder.join("start.lock")).unwrap();
    looking.lock().unwrap();
    let using = File::create(folder.join("users.lock")).unwrap();
    using.lock_shared().unwrap();
    std::mem::forget(using);
    let data = folder.join("data");
    let asks = programs.command("pg_isready").arg("--host").arg(&data).output().unwrap();
    if !asks.status.success() {
        let _ = fs::remove_dir_all(&data);
        programs.make(&data);
        programs.start(&data);
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "sh"]).arg(&folder).process_group(0);
        watch.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It outlives this program, and is nobody's child then.
        drop(watch.spawn().unwrap());
    }
    data
}

/// Where the server's programs are, and who runs them: root may not.
struct Programs {
    bin: PathBuf,
    user: Option<(u32, u32)>,
}

impl Programs {
    fn installed() -> Option<Self> {
        let found = bin().and_then(|bin| {
            let is_root = tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0;
            let user = if is_root { Some(servers_user()?) } else { None };
            Some(Self { bin, user })
        });
        let is_demanded = env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(found.is_some() || !is_demanded, "PostgreSQL is not installed");
        if found.is_none() {
            eprintln!("skipped: PostgreSQL is not installed");
        }
        found
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.bin.join(name));
        command.current_dir("/");
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    /// An empty server in a folder of its user's own.
    fn make(&self, data: &Path) {
        DirBuilder::new().mode(0o700).create(data).unwrap();
        if let Some((user, group)) = self.user {
            chown(data, Some(user), Some(group)).unwrap();
        }
        let mut make = self.command("initdb");
        make.args(["--no-sync", "--auth=trust", "--username=scrum", "--encoding=UTF8", "--locale=C"]);
        done(make.arg("--pgdata").arg(data));
    }

    fn start(&self, data: &Path) {
        let listen = format!(
            "-c listen_addresses= -c max_connections=500 -c unix_socket_directories={}",
            data.display()
        );
        let log = data.join("log");
        done(
            self.control(
                data,
                &["start", "--wait", "--options", &listen, "--log", &log.display().to_string()],
            ),
        );
    }

    fn control(&self, data: &Path, told: &[&str]) -> Command {
        let mut control = self.command("pg_ctl");
        control.args(told).arg("--pgdata").arg(data);
        control
    }
}

/// The newest of those that Debian has, or what is on the path.
fn bin() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut bins: Vec<_> = versions.map(|version| version.path().join("bin")).collect();
    bins.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    bins.into_iter().rev().chain(env::split_paths(&path)).find(|bin| bin.join("initdb").exists())
}

/// Whom to be instead of root, with the group.
fn servers_user() -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.strip_prefix("postgres:")?.split(':').skip(1).map(str::parse);
        Some((fields.next()?.ok()?, fields.next()?.ok()?))
    })
}

fn done(mut command: impl std::borrow::BorrowMut<Command>) {
    // Its children keep the ends of pipes open: nothing of theirs is read.
    let command: &mut Command = command.borrow_mut();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(status.as_ref().is_ok_and(std::process::ExitStatus::success), "{command:?}: {status:?}");
}
