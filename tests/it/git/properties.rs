//! Properties over generated histories: every patch applies, adds up to what git says, and reads back unchanged.

use std::collections::BTreeMap;

use proptest::prelude::*;
use scrum::change::Content;
use scrum::git::read_diff;

use super::fixture::{Fixture, whole_text};
use super::special::assert_round_trip;

/// Files by name.
type Tree = BTreeMap<String, Vec<u8>>;

fn content() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        5 => "[ a-d]{0,12}\n".prop_map(String::into_bytes),
        1 => "[a-d]{0,5}\r\n".prop_map(String::into_bytes),
        1 => Just(b"\xff\xe4\n".to_vec()),
        1 => Just(b"-- \n".to_vec()),
        1 => Just(b"@@ -1 +1 @@\n".to_vec()),
        1 => Just(b"no newline".to_vec()),
    ];
    prop_oneof![
        9 => prop::collection::vec(line, 0..30).prop_map(|lines| lines.concat()),
        1 => Just(b"\0binary".to_vec()),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let name = prop_oneof![4 => "[a-c]{1,2}", 2 => "[a-c]/[a-c ]{1,2}", 1 => "[a\"\\\\\t\n ä]{1,3}x", 1 => "b/[a-c]/[xy]"];
    prop::collection::btree_map(name, content(), 0..8).prop_map(without_clashes)
}

/// A name cannot be a file and a folder at once.
fn without_clashes(tree: Tree) -> Tree {
    let names: Vec<String> = tree.keys().cloned().collect();
    let is_folder = |name: &str| names.iter().any(|other| other.starts_with(&format!("{name}/")));
    tree.into_iter().filter(|(name, _)| !is_folder(name)).collect()
}

/// The second tree takes some contents of the first to new names, so that renames come about.
fn two_trees() -> impl Strategy<Value = (Tree, Tree)> {
    (tree(), tree(), prop::collection::vec("[a-c]{1,2}/moved", 0..3)).prop_map(|(old, mut new, moves)| {
        let contents: Vec<_> = old.values().cloned().collect();
        new.extend(moves.into_iter().zip(contents).map(|(name, mut content)| {
            content.extend_from_slice(b"one more\n");
            (name, content)
        }));
        (old, without_clashes(new))
    })
}

fn commit(fixture: &Fixture, tree: &Tree) {
    fixture.git(&["rm", "-r", "-q", "-f", "--ignore-unmatch", "."]);
    for (name, content) in tree {
        fixture.write(name, content);
    }
    fixture.commit("state");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn patches_apply_add_up_and_read_back((old, new) in two_trees()) {
        let fixture = Fixture::new();
        commit(&fixture, &old);
        commit(&fixture, &new);
        let change = fixture.read_range("HEAD~1..HEAD");
        fixture.assert_each_applies("HEAD~1", &change);
        assert_round_trip(&change);
        if change.files.iter().all(|file| file.content == Content::Text) {
            let (ours, theirs) = (whole_text(&change), fixture.git(&["diff", "-M", "--abbrev=10", "HEAD~1..HEAD"]));
            let shown = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            prop_assert_eq!(shown(&ours), shown(&theirs));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Hostile text gives a change or an error, never a panic, and what is read is read again the same.
    #[test]
    fn any_text_is_read_or_refused(
        parts in prop::collection::vec(prop_oneof![
            Just("diff --git a/x b/x\n".to_owned()), Just("--- a/x\n".to_owned()), Just("+++ b/x\n".to_owned()),
            Just("@@ -1,2 +1 @@\n".to_owned()), Just("@@ -1 +1 @@ f\n".to_owned()), Just(" a\n".to_owned()),
            Just("-b\n".to_owned()), Just("+c\n".to_owned()), Just("\\ No newline\n".to_owned()),
            Just("rename from \"a\\t\n".to_owned()), Just("rename to \"b\\7\"\n".to_owned()),
            Just("new file mode 100644\n".to_owned()), Just("deleted file mode 1\n".to_owned()),
            Just("GIT binary patch\n".to_owned()), Just("literal 1\n".to_owned()), Just("\n".to_owned()),
            "\\PC{0,10}\n",
        ], 0..14)
    ) {
        if let Ok(change) = read_diff(parts.concat().as_bytes()) {
            assert_round_trip(&change);
        }
    }
}
