#!/usr/bin/env python3
"""How fast the dashboard's pages are where there are many runs.

    cargo build --release && python3 benches/dashboard.py [--runs 10000] [--rounds 200] [--scrum PATH]

Half of the runs lie in the folder of runs (`run.json` and a line of `findings.jsonl` each), half are jobs of the store that are
over. Each page is asked once cold and then again and again over one connection that is kept open, one request at a time. Prints
Markdown. Needs nothing but Python.
"""

import argparse
import http.client
import json
import os
import signal
import sqlite3
import subprocess
import tempfile
import time
import uuid

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGES = ["/", "/runs", "/runs?page=50", "/runs?repository=%2Fsrv%2Fgit%2F3", "/runs?text=topic77", "/queue", "/gateway"]


def totals(number):
    by = {"BLOCK": number % 3, "WARN": number % 7, "INFO": number % 5}
    return {"convergent": number % 2, "distinct": sum(by.values()), "retracted": 0, "rejected": 0, "by_severity": by, "by_lineage": {}}


def folder(place, count):
    lines = []
    for number in range(count):
        run = f"20260101-{number:09d}-abcdef"
        spec = {"base": None, "head": None, "spec": f"main..topic{number}"}
        os.makedirs(f"{place}/.scrum/reviews/{run}")
        with open(f"{place}/.scrum/reviews/{run}/run.json", "w") as file:
            json.dump({"started_at": "2026-01-01T00:00:00Z", "range": spec, "repository": f"https://forge.example/acme/{number % 9}"}, file)
        lines.append(json.dumps({"schema": "scrum.summary/1", "run": run, "finished_at": None, "range": spec, "totals": totals(number),
                                 "bundles": [], "answered": 3, "asked": 4, "verdict": "hold", "gate": "fail"}))
    with open(f"{place}/.scrum/reviews/findings.jsonl", "w") as file:
        file.write("".join(line + "\n" for line in lines))


def jobs(store, count):
    # Long enough ago not to be the newest, not long enough to be removed.
    begun = int(time.time() * 1000) - count * 1000
    rows = []
    for number in range(count):
        at = begun + number * 1000
        job = str(uuid.UUID(int=(at << 80) | (7 << 76) | (2 << 62) | number))
        task = json.dumps({"kind": "review", "repo": f"/srv/git/{number % 9}", "range": f"main..topic{number}"})
        result = json.dumps({"exit": 0, "gate": "pass", "kind": "review", "run": f"20260202-{number:09d}-fedcba", "verdict": "ship",
                             "totals": totals(number), "spent": {"tokens_in": 1, "tokens_out": 1, "cost_usd": 0.01}})
        rows.append((job, "acme", "api", 1, "review", task, 60, 3, "succeeded", 1, 1, at, at, at, at + 500, result))
    statement = """INSERT INTO jobs (id, tenant, source, priority, kind, task, timeout_secs, max_attempts, state, place, attempt,
                   created, since, started, finished, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
    with sqlite3.connect(store) as database:
        database.executemany(statement, rows)


def serve(scrum, place):
    command = [scrum, "serve", "--listen", "127.0.0.1:0"]
    environment = {**os.environ, "HOME": place, "SCRUM_LOG_LEVEL": "error"}
    process = subprocess.Popen(command, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return process, process.stdout.readline().strip().removeprefix("listening on http://")


def ask(connection, path):
    begun = time.perf_counter()
    connection.request("GET", path, headers={"accept": "text/html"})
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, (path, answer.status, body[:500])
    return (time.perf_counter() - begun) * 1000, len(body)


def stop(process):
    process.send_signal(signal.SIGTERM)
    process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--scrum", default=f"{ROOT}/target/release/scrum")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        stop(serve(given.scrum, place)[0])  # makes the store
        folder(place, given.runs // 2)
        jobs(f"{place}/.scrum/scrum.db", given.runs - given.runs // 2)
        process, address = serve(given.scrum, place)
        try:
            connection = http.client.HTTPConnection(address)
            print(f"{given.runs} runs; load {os.getloadavg()[0]:.1f}\n")
            print(f"The first page, with all runs read: {ask(connection, '/runs')[0]:.0f} ms\n")
            print("| page | median ms | 95 of 100 | KB |\n|---|---:|---:|---:|")
            for page in PAGES:
                times = sorted(ask(connection, page) for _ in range(given.rounds))
                rank = lambda share: times[int(share * (len(times) - 1))][0]
                print(f"| `{page}` | {rank(0.5):.2f} | {rank(0.95):.2f} | {times[0][1] / 1000:.0f} |")
        finally:
            stop(process)


if __name__ == "__main__":
    main()
