#!/usr/bin/env bash
# Does systemd understand ops/systemd/scrum.service, and how much of the machine may it touch? Its program need not be installed.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed 's|^ExecStart=/usr/local/bin/scrum|ExecStart=/bin/true|' ops/systemd/scrum.service > "$folder/scrum.service"
said=$(systemd-analyze verify "$folder/scrum.service" 2>&1) || { echo "$said"; exit 1; }
[ -z "$said" ] || { echo "$said"; exit 1; }
# 10 is without any fence; what agents of jobs need is left open.
systemd-analyze security --offline=yes --threshold=20 --no-pager "$folder/scrum.service" | tail -1
