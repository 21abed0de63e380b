#!/usr/bin/env bash
# Splitting speed against git: benches/split.sh REPO RANGE…
#
# Runs `git diff -M RANGE` and scrum in turns and prints the best wall time and the peak memory of each, their
# ratios, and how many of git's renames scrum found. Both write their diff to /dev/null or a file, never a pipe.
#
#   RUNS=7     runs of each per range
#   SCRUM=…    the command to measure; REPO is its working directory and RANGE is added at the end
#              (default: target/release/scrum bundle --dry-run)
#   PATCHES=…  a command that, with RANGE added, writes the whole change as a diff, for the share of renames
#              (default: none; the share is then not shown)
set -euo pipefail

repo=$(cd "$1" && pwd)
shift
runs=${RUNS:-7}
here=$(cd "$(dirname "$0")/.." && pwd)
scrum=${SCRUM:-$here/target/release/scrum bundle --dry-run}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$repo"

# measure NAME COMMAND…: appends "seconds kilobytes" of one run
measure() {
    local name=$1
    shift
    /usr/bin/time -o "$scratch/$name.one" -f '%e %M %U %S' "$@" >/dev/null 2>"$scratch/$name.err" ||
        { cat "$scratch/$name.err" >&2; exit 1; }
    cat "$scratch/$name.one" >>"$scratch/$name"
}

# best NAME: least wall seconds, most kilobytes, least CPU seconds
best() {
    awk 'NR == 1 || $1 < wall { wall = $1 } $2 > memory { memory = $2 }
         NR == 1 || $3 + $4 < cpu { cpu = $3 + $4 } END { print wall, memory, cpu }' "$scratch/$1"
}

renames() {
    awk '/^rename from / { from = substr($0, 13) } /^rename to / { print from " => " substr($0, 11) }' "$1" | sort
}

for range in "$@"; do
    rm -f "$scratch"/*
    for _ in $(seq "$runs"); do
        measure git git diff -M "$range"
        # shellcheck disable=SC2086 # a command with its arguments
        measure scrum $scrum "$range"
    done
    echo "$range ($(git diff -M --name-only "$range" | wc -l) files, $(git diff -M "$range" | wc -c) bytes, best of $runs)"
    paste <(best git) <(best scrum) | awk '{
        printf "  git    %.2f s wall  %.2f s CPU  %.0f MB\n", $1, $3, $2 / 1024
        printf "  scrum  %.2f s wall  %.2f s CPU  %.0f MB\n", $4, $6, $5 / 1024
        printf "  ratio  %.2f wall    %.2f CPU    %.2f memory\n", $4 / $1, $6 / $3, $5 / $2
    }'
    if [[ -n ${PATCHES:-} ]]; then
        git diff -M "$range" >"$scratch/git.diff"
        # shellcheck disable=SC2086
        $PATCHES "$range" >"$scratch/scrum.diff"
        renames "$scratch/git.diff" >"$scratch/theirs"
        renames "$scratch/scrum.diff" >"$scratch/ours"
        echo "  renames: $(comm -12 "$scratch/theirs" "$scratch/ours" | wc -l) of git's $(wc -l <"$scratch/theirs"), $(wc -l <"$scratch/ours") in all"
    fi
done
