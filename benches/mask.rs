//! How long it takes to find and mask credentials, by kind and size of the change.
//!
//! `cargo bench --bench mask` prints a row for each kind of text, the time for each size in milliseconds: twice the text must
//! take about twice the time, whatever it says. docs/design/secrets.md has the figures.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]

use std::time::Instant;

use scrum::{
    bundle::{Bundle, Guard},
    change::{Content, FilePatch, FileStatus, Hunk},
    mask,
};

/// Bytes of the changes.
const SIZES: [usize; 3] = [2_500_000, 5_000_000, 10_000_000];

/// Times each is measured; the fastest counts.
const TIMES: usize = 3;

/// A text's name and its line of a number.
type Kind = (&'static str, fn(u64) -> String);

const KINDS: [Kind; 7] = [
    ("code", |at| {
        format!("    let total_{at} = items.iter().map(|item| item.price * item.count).sum::<u64>();")
    }),
    ("names of credentials, no values", |at| {
        format!("password = get_password(TOKEN_{at}); // secret key of the user")
    }),
    ("a password in every line", |at| format!("DB_PASSWORD = \"hT7#{}!2v\"", letters(at, 12))),
    ("a token in every line", |at| format!("t = 'ghp_{}'", letters(at, 36))),
    ("rows of base64", |at| letters(at, 76)),
    ("beginnings of private keys", |_| "-----BEGIN RSA PRIVATE KEY-----".to_owned()),
    ("lines of a megabyte", |at| format!("{} secret=\"x\" ", letters(at, 90)).repeat(10_000)),
];

/// `count` letters and digits that only `seed` decides.
fn letters(seed: u64, count: usize) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[usize::try_from(state % 62).unwrap_or_default()])
    };
    std::iter::repeat_with(next).take(count).collect()
}

fn main() {
    println!("{:<32} {:>9} {:>9} {:>9}  masks", "ms for MB", "2.5", "5", "10");
    for (name, line) in KINDS {
        let measured = SIZES.map(|size| measure(&change(size, line)));
        let times = measured.map(|(milliseconds, _)| format!("{milliseconds:>9.0}"));
        println!("{name:<32} {}  {}", times.join(" "), measured[2].1);
    }
}

/// Milliseconds for finding and masking, and how many masks there are.
fn measure(bundles: &[Bundle]) -> (f64, usize) {
    let once = || {
        let start = Instant::now();
        let masks = mask::find(bundles, &mut []);
        let shown = mask::shown(bundles, &masks);
        assert_eq!(shown.len(), bundles.len());
        (start.elapsed().as_secs_f64() * 1_000.0, masks.len())
    };
    let mut runs: Vec<(f64, usize)> = std::iter::repeat_with(once).take(TIMES).collect();
    runs.sort_by(|a, b| a.0.total_cmp(&b.0));
    runs[0]
}

/// A new file of `size` bytes.
fn change(size: usize, line: fn(u64) -> String) -> Vec<Bundle> {
    let mut text = Vec::with_capacity(size + 1_000_000);
    let mut lines = 0;
    while text.len() < size {
        text.push(b'+');
        text.extend_from_slice(line(lines.into()).as_bytes());
        text.push(b'\n');
        lines += 1;
    }
    let head = format!("@@ -0,0 +1,{lines} @@\n").into_bytes();
    let hunk =
        Hunk { old_start: 0, old_lines: 0, new_start: 1, new_lines: lines, text: [head, text].concat() };
    let file = FilePatch {
        path: "src/lib.rs".into(),
        old_path: None,
        status: FileStatus::Added,
        content: Content::Text,
        generated: false,
        header: Vec::new(),
        hunks: vec![hunk],
        size: size as u64,
    };
    vec![Bundle { id: "c1_src".to_owned(), component: "src".to_owned(), files: vec![file], guard: Guard::Ok }]
}
