#!/usr/bin/env bash
# Does what a newcomer does: clones this repository, runs the README's first command with an empty home and no key, and
# looks at what comes out. Then the same in another folder of the clone, and with the saved run.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $*" >&2; exit 1; }

git clone -q "$here" "$work/scrum"
cd "$work/scrum"
mkdir "$work/home"
command=$(sed -n '/^    cargo run --release -- review/{s/^ *//;p;q}' README.md)
[ -n "$command" ] || fail "README.md names no first command"
echo "\$ $command"

# Cargo and rustup stay where they are; everything else is as on a fresh machine.
fresh() {
  env -i PATH="$PATH" HOME="$work/home" CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" \
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$here/target}" CARGO_TERM_COLOR=never "$@"
}
fresh bash -c "$command" >"$work/out" 2>"$work/err" || fail "status $?: $(tail -n 20 "$work/err")"
cat "$work/out"
grep -q '→ .* convergent / .* distinct' "$work/out" || fail "no per-bundle lines"
grep -q 'history' "$work/out" || fail "the history reviewer is not mentioned"
[ -z "$(git status --porcelain -- . ':!bundles' ':!reviews')" ] || fail "the review changed the work tree"

scrum=${CARGO_TARGET_DIR:-$here/target}/release/scrum
cd src
fresh "$scrum" report latest --format json >"$work/tally.json" || fail "report"
grep -q '"schema": "scrum.tally/1"' "$work/tally.json" || fail "no tally.json"
fresh "$scrum" tally latest >/dev/null || fail "tally"
echo "fresh clone: 1 passed, 0 failed"
