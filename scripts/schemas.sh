#!/usr/bin/env bash
# Compare the answers that the Rust suite recorded with the reference documents of their dates.
#
# `scripts/test.sh sqlite` records them. What we deviate in knowingly stands in scripts/schema-gaps.txt with its reason. The
# reference documents are not part of this repository; without them there is nothing to compare, which is said and is no failure.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

shared=${DOORWARD_SHARED:-$root/../shared}
recorded=${1:-$root/target/recorded}
if [ ! -f "$shared/tools/spec_check.py" ]; then
  say "answers not compared with their schemas: no reference documents in ../shared"
  exit 0
fi
[ -n "$(find "$recorded" -name '*.jsonl' -print -quit 2>/dev/null)" ] || die "nothing is recorded in $recorded; first: scripts/test.sh sqlite"
"$(python_with pyyaml:yaml jsonschema:jsonschema)" scripts/schemas.py "$shared" scripts/schema-gaps.txt scripts/spec-tags.txt "$recorded"
