#!/usr/bin/env bash
# Compare the OpenAPI documents that the server prints of itself with those of the API it is compatible with.
#
# Of the operations that we declare it is compared with the newest date whether their request parameters and response fields are
# all there. Then it is counted how many operations of each heading we have, on each date; scripts/spec-tags.txt names those
# that are complete and stay so. What we leave out knowingly, fields and operations, stands in scripts/spec-gaps.txt with its
# reason. The reference documents are not part of this repository; without them there is nothing to compare, which is said and
# is no failure.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

shared=${DOORWARD_SHARED:-$root/../shared}
date=${DOORWARD_SPEC_DATE:-2026-05-12}
if [ ! -f "$shared/tools/spec_check.py" ]; then
  say "OpenAPI check skipped: no reference documents in ../shared"
  exit 0
fi

python=$(python_with pyyaml:yaml jsonschema:jsonschema)

binary=${DOORWARD_BIN:-}
if [ -z "$binary" ]; then
  cargo build --quiet --locked --package doorward-server
  binary=$target/debug/doorward
fi
mkdir -p "$root/target"
for api in backend frontend; do
  "$binary" openapi "$api" >"$root/target/openapi-$api.json"
done
"$python" scripts/spec_gaps.py "$shared" "$date" scripts/spec-gaps.txt "$root/target"
"$python" scripts/spec_tags.py "$shared" scripts/spec-tags.txt scripts/spec-gaps.txt "$root/target"
