//! Made-up credentials of every kind, what is none, and what a masked bundle looks like.
//!
//! Values are put together from parts so that no scanner takes this file for a leak.

use super::*;
use crate::{
    bundle::Guard,
    change::{Content, FileStatus, Hunk},
};

/// Digits and letters that repeat nothing; not random, so that failures can be read.
const MIXED: &str =
    "k7Qm2Zt9Yb4Nw6Vx8Lp3Rs5Cj1Hf0GeUaTdXoWiBuEvPyKhMnJgSrLqFzDc7Va2Wq9Ze4Rt6Yu8Io3Pl5Kj1Hg0Fd";
const HEX: &str = "9f3a7c1e5b8d2046af71c3e95d0b8264e1f7a93c5d82b06497ae3f1c5b8d2e60";
const UPPER: &str = "Q3EGR7X2LMZP6WTUK5YHNB4VJCDSAF";

fn mixed(length: usize) -> &'static str {
    &MIXED[..length]
}

fn bundle(path: &str, text: &str) -> Bundle {
    let lines: Vec<String> = text.lines().map(|line| format!("+{line}\n")).collect();
    let hunk = Hunk {
        old_start: 0,
        old_lines: 0,
        new_start: 1,
        new_lines: u32::try_from(lines.len()).unwrap(),
        text: format!("@@ -0,0 +1,{} @@\n{}", lines.len(), lines.concat()).into_bytes(),
    };
    let header = format!(
        "diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/{path}\n"
    );
    let file = FilePatch {
        path: path.into(),
        old_path: None,
        status: FileStatus::Added,
        content: Content::Text,
        generated: false,
        header: header.into_bytes(),
        hunks: vec![hunk],
        size: 0,
    };
    Bundle { id: "c1_app".to_owned(), component: "app".to_owned(), files: vec![file], guard: Guard::Ok }
}

/// The added lines of `text` as reviewers see them.
fn masked(path: &str, text: &str) -> String {
    let bundle = bundle(path, text);
    let masks = find(std::slice::from_ref(&bundle), &mut []);
    let shown = shown(std::slice::from_ref(&bundle), &masks);
    let lines = shown[0].files[0].hunks[0].lines();
    let lines: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.text).into_owned()).collect();
    lines.join("\n")
}

/// `{mixed 0 40}` and the like filled in.
fn filled(template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, inside)) = rest.split_once('{') {
        let (words, behind) = inside.split_once('}').unwrap();
        let words: Vec<&str> = words.split(' ').collect();
        let text = match words[0] {
            "mixed" => MIXED,
            "hex" => HEX,
            "upper" => UPPER,
            other => panic!("{other}"),
        };
        out.extend([before, &text[words[1].parse().unwrap()..words[2].parse().unwrap()]]);
        rest = behind;
    }
    out + rest
}

#[test]
fn every_kind_of_credential_is_masked_and_nothing_else_of_its_line() {
    let rows = include_str!("examples.txt").lines().filter(|line| !line.starts_with('#'));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.splitn(3, " | ").collect()).collect();
    assert!(rows.len() >= 60, "{}", rows.len());
    let mut wrong = Vec::new();
    for row in rows {
        let [kind, path, template] = row[..] else { panic!("{row:?}") };
        let (before, rest) = template.split_once('«').unwrap();
        let (value, behind) = rest.split_once('»').unwrap();
        let line = format!("{before}{}{behind}", filled(value));
        let expect = format!("{before}[masked: {kind} #1]{behind}");
        let found = masked(path, &line);
        if found != expect {
            wrong.push(format!("{path}: {line}\n  found {found}\n expect {expect}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_credential_stays() {
    let check = |path: &str, line: &str| assert_eq!(masked(path, line), line, "{path}");
    check("a.py", "PASSWORD = os.environ['DB_PASSWORD']");
    check("a.py", "password = getpass.getpass('Your password: ')");
    check("a.py", "password = 'changeme'");
    check("a.rs", "pub password: Option<SecretString>,");
    check("a.ts", "const tokenUrl = 'https://auth.acme.io/oauth2/token';");
    check("a.ts", "const apiKey = 'your-api-key-here-123';");
    check("a.ts", "<input type=\"password\" name=\"password\" placeholder=\"Password2\" />");
    check("a.yml", "token: ${{ secrets.GITHUB_TOKEN }}");
    check("a.yml", "        secretName: tls-cert-2024");
    check("a.toml", "api_key_env = \"OPENROUTER_API_KEY\"");
    check("a.go", "key := fmt.Sprintf(\"user:%d:token\", id)");
    check("a.py", &format!("EXAMPLE = 'AKIA{}EXAMPLE'", "IOSFODNN7"));
    check("a.py", &format!("t = 'ghp_{}'", "0".repeat(36)));
    check("a.yaml", "url: postgres://user:password@localhost/main");
    check("a.yaml", "url: postgres://app:${DB_PASSWORD}@db/main");
    check("a.md", "Send `Authorization: Bearer <token>` with each request.");
    check("a.go", "req.Header.Set(\"Authorization\", \"Bearer \"+token)");
    check("a.lock", "checksum = \"9f3a7c1e5b8d2046af71c3e95d0b8264e1f7a93c5d82b06497ae3f1c5b8d2e60\"");
    check("a.pem", "-----BEGIN PUBLIC KEY-----");
    check("a.py", "if text.startswith('-----BEGIN PRIVATE KEY-----'):\n    return parse(text)");
    check("src/a.rs", "let tokens = tokenize(\"a b\"); // 3 tokens");
    check("service.yaml", "kind: Service\ndata:\n  mode: cHJvZHVjdGlvbg==");
}

#[test]
fn a_value_below_its_name_is_masked() {
    let check = |path: &str, above: &str, value: &str, below: &str| {
        let text = format!("{above}{value}{below}");
        let shown = masked(path, &text);
        assert!(!shown.contains(value) && shown.contains("[masked: "), "{path}: {shown}");
        assert!(shown.starts_with(above) && shown.ends_with(below), "{shown}");
    };
    let secret = filled("{mixed 0 24}");
    check("a.yaml", "db:\n  password: |\n    ", &secret, "\n  user: ada");
    check("a.yaml", "db:\n  password: >-\n    ", &secret, "\n  user: ada");
    check("a.yaml", "db:\n  api_key:\n    ", &secret, "\n  user: ada");
    check("a.py", "client = connect(\n    password=\n        \"", &secret, "\",\n)");
    check("a.ts", "client.setPassword(\n    '", &secret, "',\n);");
    check("a.json", "{\n  \"apiKey\":\n    \"", &secret, "\"\n}");
}

#[test]
fn what_stands_below_a_name_and_is_no_value_stays() {
    let check = |path: &str, text: &str| assert_eq!(masked(path, text), text, "{path}");
    check("a.yaml", "password:\n  minLength: 8\n  maxLength: 64x");
    check("a.yaml", "password:\n  secretKeyRef:\n    name: db-main-2");
    check("a.yaml", "password: |\n  ${DB_PASSWORD}");
    check("a.yaml", "api_key:\n  required");
    check("a.env", "PASSWORD=\nUSERNAME=ada-L0velace");
    check("a.properties", "db.password=\ndb.user=ada-L0velace");
    check("a.yaml", "passwords:\n- first\n- second-2x");
    check("a.py", "def password(\n    self, minimum_length_8\n):");
    check("a.py", "PASSWORD_HINT = (\n    \"At least 8 characters\"\n)");
    check("a.yaml", "token:\n  type: string\n  maxLength: 64x");
}

#[test]
fn equal_values_have_equal_numbers_wherever_they_stand() {
    let text = "password = 'hT7#kq9Lz!2v'\nother_password = 'Zk3vQ9pT'\nlog('hT7#kq9Lz!2v')\nassert x == \"Zk3vQ9pT\"";
    insta::assert_snapshot!(masked("a.py", text), @r#"
    password = '[masked: password #1]'
    other_password = '[masked: password #2]'
    log('[masked: password #1]')
    assert x == "[masked: password #2]"
    "#);
}

#[test]
fn a_marker_that_somebody_wrote_is_no_mask() {
    let text = format!("a = '[masked: password #1]'\npassword = '{}'\n", mixed(12));
    insta::assert_snapshot!(masked("a.py", &text), @r"
    a = '[masked: password #1]'
    password = '[masked: password #1]'
    ");
    assert_eq!(find(&[bundle("a.py", "token = '[masked: aws-key #1]'\n")], &mut []), []);
}

#[test]
fn a_private_key_is_masked_row_by_row() {
    let row = &MIXED[..64];
    let key = |name: &str, indent: &str, behind: &str| {
        format!(
            "{indent}-----BEGIN {name}-----{behind}\n{indent}{row}{behind}\n{indent}{}{behind}\n{indent}{}=={behind}\n{indent}-----END {name}-----{behind}",
            &MIXED[10..74],
            mixed(20)
        )
    };
    insta::assert_snapshot!(masked("deploy/key.txt", &key("RSA PRIVATE KEY", "", "")), @"
    -----BEGIN RSA PRIVATE KEY-----
    [masked: private-key #1]
    [masked: private-key #1]
    [masked: private-key #1]
    -----END RSA PRIVATE KEY-----
    ");
    insta::assert_snapshot!(masked("values.yaml", &format!("tls:\n{}\nreplicas: 3", key("PRIVATE KEY", "    ", ""))), @"
    tls:
        -----BEGIN PRIVATE KEY-----
        [masked: private-key #1]
        [masked: private-key #1]
        [masked: private-key #1]
        -----END PRIVATE KEY-----
    replicas: 3
    ");
    insta::assert_snapshot!(masked("a.go", &key("OPENSSH PRIVATE KEY", "\t\"", "\\n\" +")), @r#"
    "-----BEGIN OPENSSH PRIVATE KEY-----\n" +
    "[masked: private-key #1]\n" +
    "[masked: private-key #1]\n" +
    "[masked: private-key #1]\n" +
    "-----END OPENSSH PRIVATE KEY-----\n" +
    "#);
    let one_line = format!(
        "  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{row}\\n{row}\\n-----END PRIVATE KEY-----\\n\","
    );
    insta::assert_snapshot!(masked("account.json", &one_line), @r#"  "private_key": "-----BEGIN PRIVATE KEY-----[masked: private-key #1]-----END PRIVATE KEY-----\n","#);
    let pgp = format!(
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{row}\n=aB3d\n-----END PGP PRIVATE KEY BLOCK-----"
    );
    insta::assert_snapshot!(masked("key.asc", &pgp), @"
    -----BEGIN PGP PRIVATE KEY BLOCK-----
    Version: GnuPG v2

    [masked: private-key #1]
    [masked: private-key #1]
    -----END PGP PRIVATE KEY BLOCK-----
    ");
    insta::assert_snapshot!(masked("notes.md", &format!("{row}\n{}\n-----END PRIVATE KEY-----", mixed(12))), @"
    [masked: private-key #1]
    [masked: private-key #1]
    -----END PRIVATE KEY-----
    ");
    insta::assert_snapshot!(masked("tls/server.key", &format!("{row}\n{row}")), @"
    [masked: private-key #1]
    [masked: private-key #1]
    ");
}

#[test]
fn data_of_kubernetes_secrets_is_masked() {
    let text = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: mysecret\ndata:\n  user: YWRtaW4tdXNlcg==\n  cert: SGVsbG8gd29ybGQ=\nstringData:\n  password: s3cr3tPa55";
    insta::assert_snapshot!(masked("k8s/secret.yaml", text), @"
    apiVersion: v1
    kind: Secret
    metadata:
      name: mysecret
    data:
      user: [masked: kubernetes-secret #1]
      cert: [masked: kubernetes-secret #2]
    stringData:
      password: [masked: password #1]
    ");
}

/// A bundle in which a value is removed, changed, in context, in a hunk's head and in the file that a link replaces.
fn edited() -> Bundle {
    let mut bundle = bundle("app.py", "");
    let file = &mut bundle.files[0];
    file.status = FileStatus::Modified;
    file.header =
        b"diff --git a/app.py b/app.py\n--- a/app.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-token = 'Zk3vQ9pTw2'\n"
            .to_vec();
    file.hunks[0] = Hunk {
        old_start: 7,
        old_lines: 3,
        new_start: 7,
        new_lines: 3,
        text: b"@@ -7,3 +7,3 @@ PASSWORD = 'hT7#kq9Lz!2v'\n API_KEY = '9f8a7c6b5d4e3f2a1b0c'\r\n-secret = 'Zk3vQ9pTw2'\n+secret = os.environ['S']\n done()\n\\ No newline at end of file\n".to_vec(),
    };
    bundle
}

#[test]
fn every_line_of_a_bundle_is_masked_and_stays_a_line() {
    let bundle = edited();
    let mut commits =
        [Commit { id: "ab".repeat(20), message: "Rotate\n\nThe old one was Zk3vQ9pTw2.\n".to_owned() }];
    let masks = find(std::slice::from_ref(&bundle), &mut commits);
    let shown = shown(std::slice::from_ref(&bundle), &masks);
    insta::assert_snapshot!(String::from_utf8_lossy(&shown[0].diff()).replace('\r', "␍"), @r"
    diff --git a/app.py b/app.py
    --- a/app.py
    +++ /dev/null
    @@ -1 +0,0 @@
    -token = '[masked: secret #1]'
    @@ -7,3 +7,3 @@ PASSWORD = '[masked: password #1]'
     API_KEY = '[masked: secret #2]'␍
    -secret = '[masked: secret #1]'
    +secret = os.environ['S']
     done()
    \ No newline at end of file
    ");
    insta::assert_snapshot!(commits[0].message, @"
    Rotate

    The old one was [masked: secret #1].
    ");
}

#[test]
fn a_mask_says_where_its_value_stands() {
    let bundle = edited();
    let mut commits = [Commit { id: "ab".repeat(20), message: "Zk3vQ9pTw2\n".to_owned() }];
    let masks = find(std::slice::from_ref(&bundle), &mut commits);
    insta::assert_debug_snapshot!(masks.iter().map(|mask| (mask.marker(), &mask.place)).collect::<Vec<_>>(), @r#"
    [
        (
            "[masked: secret #1]",
            Line {
                bundle: "c1_app",
                path: app.py,
                side: Header,
                line: 5,
                at: 9..19,
            },
        ),
        (
            "[masked: password #1]",
            Line {
                bundle: "c1_app",
                path: app.py,
                side: Section,
                line: 7,
                at: 28..40,
            },
        ),
        (
            "[masked: secret #2]",
            Line {
                bundle: "c1_app",
                path: app.py,
                side: New,
                line: 7,
                at: 11..31,
            },
        ),
        (
            "[masked: secret #1]",
            Line {
                bundle: "c1_app",
                path: app.py,
                side: Old,
                line: 8,
                at: 10..20,
            },
        ),
        (
            "[masked: secret #1]",
            Commit {
                id: "abababababababababababababababababababab",
            },
        ),
    ]
    "#);
}

#[test]
fn text_from_elsewhere_repeats_no_value() {
    let bundle = edited();
    let masks = find(std::slice::from_ref(&bundle), &mut []);
    let values = Values::of(std::slice::from_ref(&bundle), &masks).unwrap();
    assert_eq!(values.conceal("QUOTE: secret = 'Zk3vQ9pTw2'"), "QUOTE: secret = '[masked: secret #1]'");
    assert!(matches!(values.conceal("nothing of the kind"), Cow::Borrowed(_)));
    assert!(Values::of(std::slice::from_ref(&bundle), &[]).is_none());
}

proptest::proptest! {
    /// Whatever stands in a bundle, masking keeps its lines, and leaves nothing that masking would find.
    #[test]
    fn lines_stay_lines(
        lines in proptest::collection::vec("[ -~]{0,30}|(password|token)( = |: )['\"][a-zA-Z0-9!#]{4,14}['\"]|-----(BEGIN|END) PRIVATE KEY-----|[A-Za-z0-9+/=]{30,70}", 0..12),
        path in "(a\\.py|\\.env|id_rsa|s\\.yaml)",
    ) {
        let bundle = bundle(&path, &lines.join("\n"));
        let masks = find(std::slice::from_ref(&bundle), &mut []);
        let shown = shown(std::slice::from_ref(&bundle), &masks);
        let (before, after) = (&bundle.files[0].hunks[0], &shown[0].files[0].hunks[0]);
        proptest::prop_assert_eq!(before.lines().count(), after.lines().count());
        for (before, after) in before.lines().zip(after.lines()) {
            proptest::prop_assert_eq!((before.kind, before.old, before.new), (after.kind, after.old, after.new));
            proptest::prop_assert!(before.text == after.text || after.text.windows(9).any(|part| part == b"[masked: "));
        }
        if let Some(values) = Values::of(std::slice::from_ref(&bundle), &masks) {
            let text = String::from_utf8(shown[0].diff()).unwrap();
            proptest::prop_assert_eq!(values.conceal(&text), text.as_str());
        }
    }

    /// Foreign positions of an edited run never panic and mask nothing that is not there.
    #[test]
    fn positions_of_an_edited_run_do_no_harm(line in 0_u32..5, from in 0_usize..40, to in 0_usize..40) {
        let bundle = bundle("a.py", "one\ntwo");
        let at = Range { start: from, end: to };
        let place = Place::Line { bundle: bundle.id.clone(), path: "a.py".into(), side: Side::New, line, at };
        let masks = [Mask { kind: "secret".to_owned(), number: 1, place }];
        let shown = shown(std::slice::from_ref(&bundle), &masks);
        proptest::prop_assert_eq!(shown[0].files[0].hunks[0].lines().count(), 2);
        Values::of(std::slice::from_ref(&bundle), &masks);
    }
}
