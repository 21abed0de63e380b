#!/usr/bin/env python3
"""How long scrum takes when nothing is waited for: `--version`, and a review of 20 bundles by 5 replayed reviewers.

    cargo build --release && python3 benches/startup.py [--rounds 20]

The baseline of the same run is `git --version`, and `git diff` of the reviewed range. The best of the rounds counts.
"""
import argparse
import os
import pathlib
import subprocess
import tempfile
import time

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--rounds", type=int, default=20)
ap.add_argument("--scrum", default=str(pathlib.Path(__file__).resolve().parent.parent / "target/release/scrum"))
opts = ap.parse_args()
BUNDLES, REVIEWERS = 20, ["opus", "gpt", "gemini", "kimi", "qwen"]


def best(argv, cwd, env):
    least = float("inf")
    for _ in range(opts.rounds):
        start = time.perf_counter()
        subprocess.run(argv, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        least = min(least, time.perf_counter() - start)
    return least * 1000


def prepare(tmp, env):
    repo = tmp / "repo"
    for commit in range(2):
        for part in range(BUNDLES):
            folder = repo / f"part{part:02}"
            folder.mkdir(parents=True, exist_ok=True)
            rows = [f"value_{row}_{part} = {row * (commit + 1)}\n" for row in range(300)]
            (folder / "values.py").write_text("".join(rows))
        if commit == 0:
            subprocess.run(["git", "init", "-q", "-b", "main", repo], check=True, env=env)
        subprocess.run(["git", "add", "-A"], cwd=repo, check=True, env=env)
        subprocess.run(["git", "commit", "-qm", "change"], cwd=repo, check=True, env=env)
    replies = tmp / "replies"
    replies.mkdir()
    for number, reviewer in enumerate(REVIEWERS):
        for part in range(BUNDLES):
            blocks = "\n".join(f"SEVERITY: WARN\nWHERE: part{part:02}/values.py:{line}\nWHAT: value {line} is doubled without a reason\n"
                               for line in range(10 + number, 100, 10))
            (replies / f"c{part + 1}_part{part:02}__{reviewer}.md").write_text(blocks + "\nVERDICT: ship-with-fixes\n")
    config = "[bundle]\npack_bytes = 0\n[panel.saved]\nreviewers = " + str(REVIEWERS).replace("'", '"') + "\n"
    for reviewer in REVIEWERS:
        config += f'[[reviewer]]\nid = "{reviewer}"\nprovider = "replay"\nmodel = "{reviewer}"\ndir = "{replies}"\n'
    (tmp / "scrum.toml").write_text(config)
    return repo


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        (tmp / "home").mkdir()
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp / "home")}
        for who in ("AUTHOR", "COMMITTER"):
            env.update({f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@example.invalid"})
        repo = prepare(tmp, env)
        review = [opts.scrum, "review", "HEAD~1..HEAD", "--panel", "saved", "--config", str(tmp / "scrum.toml")]
        rows = [("scrum --version", best([opts.scrum, "--version"], repo, env), "git --version", best(["git", "--version"], repo, env)),
                ("scrum review, 20 bundles × 5 replayed", best(review, repo, env), "git diff", best(["git", "diff", "HEAD~1..HEAD"], repo, env))]
        print("| | ms | baseline | ms | ratio |\n|---|---|---|---|---|")
        for name, value, baseline, other in rows:
            print(f"| {name} | {value:.1f} | {baseline} | {other:.1f} | {value / other:.1f} |")


main()
