#!/usr/bin/env bash
# Build the client core for browsers a second time, from a copy of the sources in another directory and from nothing, and
# compare: the same sources and tools must give the same bytes.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

scripts/client.sh
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -z -- Cargo.toml Cargo.lock bench crates scripts | xargs -0 cp --parents -t "$copy"
say "once more in $copy"
DOORWARD_TOOLS=$tools CARGO_TARGET_DIR=$copy/target "$copy/scripts/client.sh"
for name in doorward_client_bg.wasm doorward_client.js doorward_client.d.ts; do
  cmp "$target/client-web/$name" "$copy/target/client-web/$name" || die "$name comes out differently in another directory"
done
say "the same: $(sha256sum <"$target/client-web/doorward_client_bg.wasm" | cut -d' ' -f1)"
