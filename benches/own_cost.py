#!/usr/bin/env python3
"""What scrum itself costs: a 300 KB diff, three reviewers of 300 ms each, beside a shell loop doing the same.

    cargo build --release && python3 benches/own_cost.py FOLDER [--rounds 5]

FOLDER holds make_repo.py, mock_llm.py and baseline.sh (a repository generator, a mock model server, and the loop over
curl and jq that one would write without scrum). All runs are made one after the other in one go, the best of the
rounds counts. Wall time is set against the slowest chain: what the mock server saw between the first request and the
last answer, which no client can beat. CPU is user + system of the process and its children.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("folder", type=pathlib.Path)
ap.add_argument("--rounds", type=int, default=5)
ap.add_argument("--latency-ms", type=int, default=300)
ap.add_argument("--scrum", default=str(pathlib.Path(__file__).resolve().parent.parent / "target/release/scrum"))
opts = ap.parse_args()
opts.folder = opts.folder.resolve()
MODELS = ["alpha", "beta", "gamma"]


def measure(argv, cwd, env):
    """Wall and CPU seconds, peak memory in MB of the largest process, and the exit status."""
    start = time.perf_counter()
    child = subprocess.Popen(argv, cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / 1024,
            "status": os.waitstatus_to_exitcode(status)}


def ask(base, path, post=False):
    request = urllib.request.Request(base + path, data=b"{}" if post else None)
    return json.load(urllib.request.urlopen(request))


def main():
    with tempfile.TemporaryDirectory() as tmp:
        tmp = pathlib.Path(tmp)
        repo = tmp / "r300"
        subprocess.run([sys.executable, opts.folder / "make_repo.py", repo, "--diff-kb", "300", "--files", "40",
                        "--components", "6", "--seed", "1"], check=True, stdout=subprocess.DEVNULL)
        diff = subprocess.run(["git", "-C", repo, "diff", "base..head"], check=True, capture_output=True).stdout
        mock = subprocess.Popen([sys.executable, opts.folder / "mock_llm.py", "--port", "0", "--print-port",
                                 "--latency-ms", str(opts.latency_ms)], stdout=subprocess.PIPE, text=True)
        try:
            base = f"http://127.0.0.1:{mock.stdout.readline().strip()}"
            config = "[bundle]\nwarn_bytes = 60000\n[panel.mock]\nreviewers = " + json.dumps(MODELS) + "\n"
            for model in MODELS:
                config += f'[[reviewer]]\nid = "{model}"\nprovider = "openai"\nmodel = "{model}"\nbase_url = "{base}/v1"\n'
            (tmp / "scrum.toml").write_text(config)
            (tmp / "home").mkdir()
            env = {"PATH": os.environ["PATH"], "HOME": str(tmp / "home")}
            scrum = [opts.scrum, "review", "base..head", "--panel", "mock", "--config", str(tmp / "scrum.toml"),
                     "--concurrency", "32", "-o", str(tmp / "out.txt")]
            loop = ["bash", str(opts.folder / "baseline.sh"), str(repo), "base..head", f"{base}/v1", str(tmp / "loop"), *MODELS]
            rows = {"scrum": (scrum, env), "shell loop": (loop, env), "shell loop, 8 at once": (loop, {**env, "JOBS": "8"})}
            best = {}
            for _ in range(opts.rounds):
                for name, (argv, environment) in rows.items():
                    ask(base, "/__reset", post=True)
                    figures = measure(argv, repo, environment)
                    figures["stats"] = ask(base, "/__stats")
                    if figures["status"] != 0:
                        sys.exit(f"{name} ended with status {figures['status']}")
                    if name not in best or figures["wall"] < best[name]["wall"]:
                        best[name] = figures
            report(best, len(diff))
        finally:
            mock.kill()


def report(best, diff_bytes):
    print(f"diff {diff_bytes / 1000:.0f} KB, {len(MODELS)} reviewers at {opts.latency_ms} ms, best of {opts.rounds}\n")
    print("| | calls | wall s | slowest chain s | wall / chain | CPU s | peak MB | sent per reviewer / diff |")
    print("|---|---|---|---|---|---|---|---|")
    for name, f in best.items():
        chain = f["stats"]["span_s"]
        sent = f["stats"]["prompt_chars"] / len(MODELS) / diff_bytes
        print(f"| {name} | {f['stats']['calls']} | {f['wall']:.3f} | {chain:.3f} | {f['wall'] / chain:.3f} | {f['cpu']:.3f} "
              f"| {f['rss']:.0f} | {sent:.2f} |")
    scrum = best["scrum"]
    for name, f in best.items():
        if name != "scrum":
            print(f"\nscrum against {name}: wall {scrum['wall'] / f['wall']:.2f} ×, CPU {scrum['cpu'] / f['cpu']:.2f} ×")


main()
