#!/usr/bin/env python3
"""Makes cases for `scrum eval` of pairs of findings: benches/martian_cases.py martian-pairs.jsonl OUT

Each line of the input names a pull request, two findings of two tools, and whether they are the same true issue. Neither the tools'
names nor places are in it, so:
- true issues are what "same" connects; a pull request in which that contradicts a "different" is left out;
- tools are given out so that two findings of a pair never get the same one: fewest first, in the order of the file;
- the findings of one tool stand on lines 1, 2, … of one file, all near one another, so that the words alone decide.
What such cases can show is whether findings that are said to agree are one true issue. All their findings are true.
"""

import collections
import json
import pathlib
import sys


def connected(pairs):
    """Finding -> representative of what "same" connects it with."""
    home = {}

    def find(text):
        home.setdefault(text, text)
        while home[text] != text:
            text = home[text]
        return text

    for pair in pairs:
        one, other = find(pair["a"]), find(pair["b"])
        if pair["label"] == "same":
            home[one] = other
    return {text: find(text) for text in list(home)}


def tools(pairs, texts):
    """Finding -> number of a tool, different for the two of every pair."""
    beside = collections.defaultdict(set)
    for pair in pairs:
        beside[pair["a"]].add(pair["b"])
        beside[pair["b"]].add(pair["a"])
    tool = {}
    for text in texts:
        taken = {tool[other] for other in beside[text] if other in tool}
        tool[text] = next(number for number in range(len(texts)) if number not in taken)
    return tool


def write(folder, pairs, truth):
    texts = list(truth)
    tool = tools(pairs, texts)
    issues = {home: f"t{at}" for at, home in enumerate(dict.fromkeys(truth.values()), 1)}
    replies, findings = collections.defaultdict(list), []
    for text in texts:
        reviewer = f"tool-{tool[text] + 1}"
        replies[reviewer].append(text)
        line = len(replies[reviewer])
        place = {"path": "change", "from": line, "to": line}
        findings.append({"reviewer": reviewer, **place, "matches": [issues[truth[text]]]})
    folder.mkdir(parents=True)
    for reviewer, own in replies.items():
        blocks = [f"SEVERITY: WARN\nWHERE: change:{at}\nWHAT: {' '.join(text.split())}\n\n" for at, text in enumerate(own, 1)]
        (folder / f"{reviewer}.md").write_text("".join(blocks) + "VERDICT: hold\n")
    labels = {
        "pr": pairs[0]["pr"],
        "lineages": {reviewer: reviewer for reviewer in sorted(replies)},
        "issues": [{"id": issue, "path": "change", "text": home} for home, issue in issues.items()],
        "findings": findings,
    }
    (folder / "expected.json").write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n")


def main():
    source, out = sys.argv[1:]
    by_change = collections.defaultdict(list)
    for line in open(source, encoding="utf-8"):
        pair = json.loads(line)
        by_change[pair["pr"]].append(pair)
    for change, pairs in by_change.items():
        truth = connected(pairs)
        if any(pair["label"] != "same" and truth[pair["a"]] == truth[pair["b"]] for pair in pairs):
            print(f"left out, for its labels contradict one another: {change}", file=sys.stderr)
            continue
        name = "-".join(change.split("/")[-4:]).replace(".", "-")
        write(pathlib.Path(out) / name, pairs, truth)


main()
