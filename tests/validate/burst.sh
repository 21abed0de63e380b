#!/usr/bin/env bash
# One thread, fifty posts of the same message, ten at a time: burst.sh URL. Prints the load tool's figures as JSON, then the number of messages in the thread.
# Run where `npx autocannon` finds it.
set -euo pipefail
base=$1

THREAD=$(curl -s -X POST "$base/api/threads/" \
  -H "Content-Type: application/json" -H "x-org-id: org_demo" \
  -d '{"title":"Burst"}' | jq -r '.thread_id')

npx --no-install autocannon --json -c 10 -a 50 -m POST --timeout 120 \
  -H "content-type: application/json" -H "x-org-id: org_demo" \
  -b '{"role":"user","content":"Test","provider":"perplexity","model":"llama-3.1-sonar-small-128k-online","reason":"test","scope":"private"}' \
  "$base/api/threads/$THREAD/messages"

curl -s "$base/api/threads/$THREAD" -H "x-org-id: org_demo" | jq '.messages | length'
