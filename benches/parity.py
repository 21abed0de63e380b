#!/usr/bin/env python3
"""scrum parity against a load tool: 1,000 cases to two local servers, beside the same requests sent by `hey`.

    cargo build --release && python3 benches/parity.py [--rounds 7]

Needs node (the servers, one process each) and hey. Both tools send the same body 1,000 times to each server, 8 requests at a time
to each; hey as two processes at once. Runs alternate; the best of the rounds counts, and the ratio is of one and the same go.
Wall time is that of whole processes: scrum reads 1,000 cases, compares 1,000 pairs of bodies of 2 KB and writes a JSON report.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile
import time

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--rounds", type=int, default=7)
ap.add_argument("--cases", type=int, default=1000)
ap.add_argument("--scrum", default=str(pathlib.Path(__file__).resolve().parent.parent / "target/release/scrum"))
opts = ap.parse_args()

SERVER = """
const items = Array.from({length: 20}, (_, n) => ({id: n, name: "item " + n, price: n * 1.25, tags: ["a", "b"], note: "x".repeat(20)}));
const shift = Number(process.argv[1]);
require("http").createServer((request, response) => {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece)).on("end", () => {
    const body = {elapsed_ms: shift, echo: Buffer.concat(pieces).toString(), items};
    const text = JSON.stringify(shift ? Object.fromEntries(Object.entries(body).reverse()) : body);
    response.writeHead(200, {"content-type": "application/json"}).end(text);
  });
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
"""
BODY = json.dumps({"operation": "fill: x", "worker": 7})


def timed(commands, folder):
    start = time.perf_counter()
    running = [subprocess.Popen(one, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for one in commands]
    output = [child.communicate()[0].decode() for child in running]
    taken = time.perf_counter() - start
    assert all(child.returncode == 0 for child in running), output
    return taken, output


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    servers = [subprocess.Popen(["node", "-e", SERVER, str(n)], stdout=subprocess.PIPE, text=True) for n in (0, 1)]
    try:
        urls = [f"http://127.0.0.1:{server.stdout.readline().strip()}" for server in servers]
        sides = "".join(f'[[side]]\nname = "{name}"\nurl = "{url}"\n' for name, url in zip("AB", urls))
        (folder / "spec.toml").write_text('ignore = ["/elapsed_ms"]\ncases = "cases.jsonl"\n' + sides)
        lines = (json.dumps({"name": f"case {n}", "path": "/v1/validate", "json": json.loads(BODY)}) for n in range(opts.cases))
        (folder / "cases.jsonl").write_text("\n".join(lines))
        hey = [["hey", "-n", str(opts.cases), "-c", "8", "-m", "POST", "-T", "application/json", "-d", BODY, url + "/v1/validate"]
               for url in urls]
        scrum = [[opts.scrum, "parity", "spec.toml", "-q", "--format", "json", "-o", "report.json"]]
        best = {}
        for _ in range(opts.rounds):
            for name, commands in (("hey", hey), ("scrum", scrum)):
                taken, output = timed(commands, folder)
                best[name] = min(taken, best.get(name, taken))
                if name == "hey":
                    assert all(f"[200]\t{opts.cases} responses" in one for one in output), output
        report = json.loads((folder / "report.json").read_text())
        assert report["totals"]["match"] == opts.cases, report["totals"]
    finally:
        for server in servers:
            server.kill()
    print(f"hey {best['hey'] * 1e3:.0f} ms, scrum parity {best['scrum'] * 1e3:.0f} ms, ratio {best['scrum'] / best['hey']:.2f}")
