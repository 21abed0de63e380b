//! Every special case of a changed file: the same text as git's, accepted by `git apply`, read back unchanged.

use scrum::change::{Change, Content, FileStatus};
use scrum::git::read_diff;

use super::fixture::{Fixture, text, whole_text};

/// The change of the last commit, after comparing it with git's own output, with `git apply` and with itself read back.
pub(crate) fn last_commit(fixture: &Fixture) -> Change {
    let change = fixture.read_range("HEAD~1..HEAD");
    let ours = String::from_utf8_lossy(&whole_text(&change)).into_owned();
    let arguments = ["diff", "-M", "--abbrev=10", "HEAD~1..HEAD"];
    let theirs = String::from_utf8_lossy(&fixture.git(&arguments)).into_owned();
    if change.files.iter().all(|file| file.content == Content::Text) {
        assert_eq!(ours, theirs);
    }
    fixture.assert_each_applies("HEAD~1", &change);
    assert_round_trip(&change);
    change
}

/// Reading a change's text gives the same patches, but for what the text does not tell.
pub(crate) fn assert_round_trip(change: &Change) {
    let again = read_diff(&whole_text(change)).unwrap();
    let expected: Vec<_> = change
        .files
        .iter()
        .cloned()
        .map(|mut file| {
            (file.size, file.generated) = (0, false);
            file
        })
        .collect();
    assert_eq!(again.files, expected);
}

/// What happened to which paths, in one line a file.
fn summary(change: &Change) -> String {
    let line = |file: &scrum::change::FilePatch| {
        let (added, removed) = file.counts();
        let from = file.old_path.as_ref().map(|old| format!("{old} -> ")).unwrap_or_default();
        format!("{} {from}{} +{added} -{removed}\n", file.status.word(), file.path)
    };
    change.files.iter().map(line).collect()
}

fn numbered(lines: std::ops::Range<u32>) -> String {
    lines.map(|number| ["line ", &number.to_string(), "\n"].concat()).collect()
}

#[test]
fn plain_edits() {
    let fixture = Fixture::new();
    fixture.write("kept.txt", numbered(0..40));
    fixture.write("gone.txt", "a\nb\n");
    fixture.write("one.txt", "one\n");
    fixture.commit("first");
    fixture.write("kept.txt", numbered(0..40).replace("line 3\n", "line three\n").replace("line 30\n", ""));
    fixture.write("new/file.txt", "x\ny\n");
    fixture.write("one.txt", "two\n");
    fixture.remove("gone.txt");
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"
    deleted gone.txt +0 -2
    modified kept.txt +1 -2
    added new/file.txt +2 -0
    modified one.txt +1 -1
    ");
}

#[test]
fn renames() {
    let fixture = Fixture::new();
    fixture.write("a/same.txt", numbered(0..30));
    fixture.write("a/edited.txt", numbered(100..140));
    fixture.write("a/mod.rs", numbered(200..240));
    fixture.write("b/mod.rs", numbered(300..340));
    fixture.write("empty", "");
    fixture.commit("first");
    fixture.git(&["mv", "a/same.txt", "c same.txt"]);
    fixture.git(&["mv", "a/edited.txt", "edited2.txt"]);
    fixture.write("edited2.txt", numbered(100..140).replace("line 120\n", "line 12x\n"));
    fixture.git(&["mv", "a", "x"]);
    fixture.git(&["mv", "b", "y"]);
    fixture.write("x/mod.rs", numbered(205..242));
    fixture.git(&["mv", "empty", "nothing"]);
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"
    renamed a/same.txt -> c same.txt +0 -0
    renamed a/edited.txt -> edited2.txt +1 -1
    renamed empty -> nothing +0 -0
    renamed a/mod.rs -> x/mod.rs +2 -5
    renamed b/mod.rs -> y/mod.rs +0 -0
    ");
}

#[cfg(unix)]
#[test]
fn modes_links_and_types() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let fixture = Fixture::new();
    fixture.write("run.sh", "echo\n");
    fixture.write("both.sh", "echo 1\necho 2\n");
    fixture.write("becomes-link", "text\nmore\n");
    symlink("run.sh", fixture.path().join("link")).unwrap();
    symlink("run.sh", fixture.path().join("becomes-file")).unwrap();
    fixture.write("moved.sh", numbered(0..30));
    fixture.commit("first");
    let executable = |name: &str| {
        std::fs::set_permissions(fixture.path().join(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    executable("run.sh");
    fixture.write("both.sh", "echo 1\necho 3\n");
    executable("both.sh");
    fixture.git(&["mv", "moved.sh", "moved2.sh"]);
    executable("moved2.sh");
    for name in ["link", "becomes-link", "becomes-file"] {
        fixture.remove(name);
    }
    symlink("both.sh", fixture.path().join("link")).unwrap();
    symlink("both.sh", fixture.path().join("becomes-link")).unwrap();
    fixture.write("becomes-file", "one\ntwo\n");
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"
    type-changed becomes-file +2 -0
    type-changed becomes-link +1 -0
    modified both.sh +1 -1
    modified link +1 -1
    renamed moved.sh -> moved2.sh +0 -0
    modified run.sh +0 -0
    ");
}

#[test]
fn line_ends() {
    let fixture = Fixture::new();
    fixture.write("crlf.txt", numbered(0..10).replace('\n', "\r\n"));
    fixture.write("cr.txt", "a\rb\rc");
    fixture.write("loses.txt", "a\nb\n");
    fixture.write("gains.txt", "a\nb");
    fixture.write("never.txt", "a\nb");
    fixture.write("gone.txt", "a\nb");
    fixture.write("empties.txt", "a\nb");
    fixture.commit("first");
    fixture.write("crlf.txt", numbered(0..10).replace('\n', "\r\n").replace('5', "V"));
    fixture.write("cr.txt", "a\rB\rc");
    fixture.write("loses.txt", "a\nb");
    fixture.write("gains.txt", "a\nb\n");
    fixture.write("never.txt", "a\nB");
    fixture.write("new.txt", "only");
    fixture.write("empty.txt", "");
    fixture.write("empties.txt", "");
    fixture.remove("gone.txt");
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"
    modified cr.txt +1 -1
    modified crlf.txt +1 -1
    modified empties.txt +0 -2
    added empty.txt +0 -0
    modified gains.txt +1 -1
    deleted gone.txt +0 -2
    modified loses.txt +1 -1
    modified never.txt +1 -1
    added new.txt +1 -0
    ");
}

#[cfg(unix)]
#[test]
fn odd_names() {
    use std::os::unix::ffi::OsStrExt as _;
    let names: [&[u8]; 14] = [
        b"with space",
        b"trailing ",
        b"quo\"te",
        b"back\\slash",
        b"ta\tb",
        b"new\nline",
        b"uml\xc3\xa4ut",
        b"latin\xe4",
        b"q\" and space",
        b" b/x",
        b"-dash",
        b"a b/b a",
        b"esc\x1b[31m",
        b"--- a/x",
    ];
    let fixture = Fixture::new();
    let path = |name: &'static [u8]| std::path::Path::new(std::ffi::OsStr::from_bytes(name));
    for name in names {
        fixture.write_at(path(name), [name, b"\n", numbered(0..9).as_bytes()].concat());
    }
    fixture.write("moves", numbered(50..80));
    fixture.commit("first");
    for name in names {
        fixture.write_at(path(name), [name, b"!\n", numbered(0..9).as_bytes(), b"\xff\xfe\n"].concat());
    }
    fixture.git(&["mv", "moves", "to a \"new\" place"]);
    fixture.write("to a new place/empty file", "");
    fixture.commit("second");
    let change = fixture.read_range("HEAD~1..HEAD");
    assert_eq!(change.files.len(), 16);
    fixture.assert_each_applies("HEAD~1", &change);
    assert_round_trip(&change);
    let paths: Vec<&[u8]> = change.files.iter().map(|file| file.path.as_bytes()).collect();
    for name in names {
        assert!(paths.contains(&name), "{}", String::from_utf8_lossy(name));
    }
}

#[test]
fn binary_files() {
    let fixture = Fixture::new();
    fixture.write(".gitattributes", "*.dat binary\n*.forced diff\n");
    fixture.write("late.bin", [vec![b'a'; 8000], b"\0".to_vec()].concat());
    fixture.write("early.bin", b"a\0b");
    fixture.write("plain.dat", "text\n");
    fixture.write("x.forced", b"a\0b\n");
    fixture.commit("first");
    fixture.write("late.bin", [vec![b'a'; 8000], b"\0b".to_vec()].concat());
    fixture.write("early.bin", b"a\0c");
    fixture.write("plain.dat", "other\n");
    fixture.write("x.forced", b"a\0c\n");
    fixture.write("new.bin", b"\0");
    fixture.commit("second");
    let change = last_commit(&fixture);
    let binary: Vec<_> = change
        .files
        .iter()
        .map(|file| (file.path.to_string(), file.content == Content::Binary, file.size))
        .collect();
    let expected = [
        ("early.bin", true, 3),
        ("late.bin", false, 8002),
        ("new.bin", true, 1),
        ("plain.dat", true, 6),
        ("x.forced", false, 4),
    ];
    assert_eq!(binary, expected.map(|(path, binary, size)| (path.to_owned(), binary, size)));
    insta::assert_snapshot!(String::from_utf8_lossy(&text(&change.files[2])), @"
    diff --git a/new.bin b/new.bin
    new file mode 100644
    index 0000000000000000000000000000000000000000..f76dd238ade08917e6712764a16a22005a50573d
    Binary files /dev/null and b/new.bin differ
    ");
}

#[test]
fn submodules() {
    let inner = Fixture::new();
    inner.write("x", "1\n");
    inner.commit("one");
    let fixture = Fixture::new();
    fixture.write("plain", "a\nb\nc\n");
    fixture.git(&["submodule", "add", "-q", inner.path().to_str().unwrap(), "sub"]);
    fixture.commit("first");
    inner.write("x", "2\n");
    inner.commit("two");
    fixture.git(&["-C", "sub", "pull", "-q"]);
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"modified sub +1 -1");
    fixture.git(&["rm", "-q", "-f", "sub"]);
    fixture.write("sub", "now a file\n");
    fixture.commit("third");
    let change = last_commit(&fixture);
    insta::assert_snapshot!(summary(&change), @"
    modified .gitmodules +0 -3
    type-changed sub +1 -0
    ");
    assert_eq!(change.files[1].status, FileStatus::TypeChanged);
}

#[test]
fn a_folder_takes_a_files_place() {
    let fixture = Fixture::new();
    fixture.write("x", "file\n");
    fixture.write("y/z", "in folder\n");
    fixture.commit("first");
    fixture.remove("x");
    fixture.write("x/inner", "other\n");
    fixture.remove("y/z");
    std::fs::remove_dir(fixture.path().join("y")).unwrap();
    fixture.write("y", "now a file\n");
    fixture.commit("second");
    insta::assert_snapshot!(summary(&last_commit(&fixture)), @"
    deleted x +0 -1
    added x/inner +1 -0
    added y +1 -0
    deleted y/z +0 -1
    ");
}

/// Enough files for several threads: moved, edited while moving, kept their name or not, half of them unedited.
#[test]
fn many_renames_are_gits() {
    let fixture = Fixture::new();
    let content = |number: u32| numbered(number * 100..number * 100 + 30);
    for number in 0..80 {
        fixture.write(&format!("old/{}/file{number}.txt", number % 7), content(number));
    }
    fixture.commit("first");
    fixture.git(&["rm", "-r", "-q", "old"]);
    for number in 0..80 {
        let name = if number % 3 == 0 { format!("file{number}.txt") } else { format!("other{number}.txt") };
        let edited = content(number).replace("5\n", &"x".repeat(number as usize / 4));
        fixture.write(
            &format!("new/{}/{name}", number % 5),
            if number % 2 == 0 { edited } else { content(number) },
        );
    }
    fixture.commit("second");
    let change = last_commit(&fixture);
    assert!(change.files.iter().filter(|file| file.status == FileStatus::Renamed).count() > 60);

    fixture.git(&["worktree", "add", "-q", "--detach", "linked"]);
    let linked = scrum::git::Repo::discover(&fixture.path().join("linked")).unwrap();
    let range = scrum::git::RangeSpec::Commits("HEAD~1..HEAD".into());
    assert_eq!(linked.read(&range).unwrap().files, change.files);
}
