//! Repositories whose configuration runs programs, and links that lead out of them: nothing is run, nothing is followed.

use super::reviewed;
use crate::sandbox::Sandbox;

#[test]
fn programs_of_git_configuration_are_not_run() {
    let sandbox = Sandbox::new();
    sandbox.write("src/a.py", "a = 1\n");
    sandbox.script("git add -A && git commit -qm First");
    sandbox.write("src/a.py", "a = 2\n");
    sandbox.write(".gitattributes", "* diff=evil filter=evil merge=evil\n");
    sandbox.script("git add -A && git commit -qm Second");
    let trap = sandbox.repo().parent().unwrap().join("trap");
    let trap = format!("touch {}; cat", trap.display());
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
        "core.editor",
        "core.askPass",
        "core.gitProxy",
        "diff.external",
        "diff.evil.textconv",
        "diff.evil.command",
        "filter.evil.clean",
        "filter.evil.smudge",
        "filter.evil.process",
        "merge.evil.driver",
        "credential.helper",
        "gpg.program",
        "uploadpack.packObjectsHook",
        "alias.diff",
        "alias.log",
    ] {
        sandbox.script(&format!("git config '{key}' '{trap}'"));
    }
    sandbox.script("git config filter.evil.required true && git config core.hooksPath hooks && git config core.untrackedCache true");
    let hooks = "mkdir -p hooks .git/hooks; for hook in pre-commit post-checkout post-index-change fsmonitor-watchman reference-transaction pre-auto-gc; do \
                 printf '#!/bin/sh\\ntouch ../trap\\n' | tee hooks/$hook > .git/hooks/$hook; chmod +x hooks/$hook .git/hooks/$hook; done";
    sandbox.script(hooks);
    sandbox.write("src/a.py", "a = 3\n");
    sandbox.write("src/new.py", "b = eval(input())\n");
    for how in [
        &["review", "HEAD"][..],
        &["review", "--worktree"],
        &["review", "--staged"],
        &["bundle", "HEAD~1..HEAD"],
    ] {
        let arguments: Vec<&str> = how
            .iter()
            .copied()
            .chain((how[0] == "review").then_some(["--panel", "offline"]).into_iter().flatten())
            .collect();
        let printed = sandbox.scrum(&arguments);
        assert_eq!(printed.status, 0, "{arguments:?}: {}", printed.stderr);
        assert!(!sandbox.repo().join("../trap").exists(), "{arguments:?} ran something");
    }
    // The trap works: git itself falls into it.
    let _ = sandbox.command("git").args(["diff", "HEAD~1"]).output().unwrap();
    assert!(sandbox.repo().join("../trap").exists());
}

#[test]
fn links_are_shown_and_not_followed() {
    let sandbox = Sandbox::new();
    sandbox.script("echo 'key = 12345-top-secret' > ../outside; mkdir ../folder; echo '12345-top-secret' > ../folder/file");
    sandbox.script("echo a > a; git add -A; git commit -qm First");
    sandbox.script("ln -s ../outside link; ln -s ../folder way; ln -s /etc/passwd passwd; ln -s . self; git add -A; git commit -qm Links");
    sandbox.script("git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),../module 2>/dev/null || git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),module; git commit -qm Module");
    sandbox.script("printf '[submodule \"module\"]\\n\\tpath = ../../folder\\n\\turl = ext::touch%% ../trap\\n' > .gitmodules; git add .gitmodules; git commit -qm Modules");
    let tally = reviewed("links", &sandbox, &["review", "HEAD~3..HEAD", "--panel", "offline"]);
    assert!(tally["bundles"].as_array().is_some_and(|bundles| !bundles.is_empty()));
    sandbox.script("ln -s ../outside fresh; ln -s ../folder anew; mkfifo pipe");
    reviewed("links on disk", &sandbox, &["review", "--worktree", "--panel", "offline"]);
    let kept = sandbox.script("cat .scrum/bundles/*/*.diff");
    assert!(kept.contains("+../outside") && kept.contains("+/etc/passwd"), "{kept}");
    assert!(!kept.contains("top-secret") && !kept.contains("root:"), "{kept}");
    assert!(!sandbox.repo().join("../trap").exists());
}
