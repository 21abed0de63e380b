"""The other side of the pair: POST /v1/validate with Python's standard library.

What is refused is told in flat fields: Kind, Field, Reason. The same interface in Rust is main.rs; parity.toml asks both.
"""

import argparse
import json
import pathlib
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST = 1 << 20
PREFIX = "fill: "
ROSTER = set(json.loads(pathlib.Path(__file__).with_name("roster.json").read_text()))


class Refusal(Exception):
    """Why a submission is refused."""

    def __init__(self, kind, reason, field=""):
        super().__init__(reason)
        self.fields = {"Kind": kind, "Field": field, "Reason": reason}


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


def is_text(value):
    return isinstance(value, str) and value != ""


def text(submission, field):
    if field not in submission:
        raise Refusal("schema", "is missing", field)
    if not is_text(submission[field]):
        raise Refusal("schema", "must be text and not empty", field)
    return submission[field]


def check(submission):
    """The kind of what is accepted, and how many names or candidates were looked at."""
    if not isinstance(submission, dict):
        raise Refusal("schema", "must be an object", "body")
    kind = text(submission, "kind")
    if kind == "playbook":
        return kind, playbook(submission)
    if kind == "fill":
        return kind, fill(submission)
    raise Refusal("schema", "must be playbook or fill", "kind")


def playbook(submission):
    operation = text(submission, "operation")
    if not operation.startswith(PREFIX) or not operation[len(PREFIX) :].strip():
        reason = f"must begin with `{PREFIX}` and name the work, not {quoted(operation)}"
        raise Refusal("schema", reason, "operation")
    text(submission, "fingerprint")
    target = submission.get("target_count")
    if type(target) is not int or target < 1:
        raise Refusal("schema", "must be a whole number, 1 or more", "target_count")
    names = submission.get("endorsed_names")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Refusal("schema", "must be a list of texts", "endorsed_names")
    if not names:
        raise Refusal("completeness", "nobody is endorsed: endorsed_names is empty")
    most = 2 * target
    if len(names) > most:
        reason = f"{len(names)} names are endorsed where {most} are the most, two for each place"
        raise Refusal("completeness", reason)
    return len(names)


def fill(submission):
    fills = submission.get("fills")
    if not isinstance(fills, list):
        raise Refusal("schema", "must be a list", "fills")
    if not fills:
        raise Refusal("completeness", "nothing is filled: fills is empty")
    for at, one in enumerate(fills):
        field = f"fills[{at}].candidate_id"
        candidate = one.get("candidate_id") if isinstance(one, dict) else None
        if not is_text(candidate):
            raise Refusal("schema", "must be text and not empty", field)
        if candidate not in ROSTER:
            raise Refusal("consistency", f"{field}: nobody on the roster is {quoted(candidate)}")
    return len(fills)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"status": "ok"})
        else:
            self.elsewhere()

    def do_POST(self):
        if self.path == "/v1/validate":
            self.validate()
        else:
            self.elsewhere()

    do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = lambda self: self.elsewhere()

    def elsewhere(self):
        self.close_connection = True  # whatever body there is has not been read
        methods = {"/health": "GET", "/v1/validate": "POST"}
        allowed = methods.get(self.path)
        if allowed:
            self.answer(405, {"error": "not with this method"}, ("Allow", allowed))
        else:
            self.answer(404, {"error": "no such path"})

    def validate(self):
        started = time.perf_counter()
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            self.close_connection = True
            self.answer(413, {"error": "the body is too large"})
            return
        try:
            submission = json.loads(self.rfile.read(length))
        except ValueError:
            self.answer(400, Refusal("schema", "must be JSON", "body").fields)
            return
        try:
            kind, checked = check(submission)
        except Refusal as refusal:
            self.answer(422, refusal.fields)
            return
        elapsed_ms = (time.perf_counter() - started) * 1000
        self.answer(200, {"kind": kind, "checked": checked, "elapsed_ms": elapsed_ms})

    def answer(self, status, body, *headers):
        text = json.dumps(body, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    arguments = argparse.ArgumentParser(description="Validates staffing playbooks and fills.")
    arguments.add_argument("--listen", default="127.0.0.1:0", metavar="ADDRESS")
    host, port = arguments.parse_args().listen.rsplit(":", 1)
    server = ThreadingHTTPServer((host, int(port)), Handler)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
