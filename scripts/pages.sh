#!/usr/bin/env bash
# Build the account pages (/sign-in, /sign-up, /user) into crates/pages/built, from where the next `cargo build` takes them
# into the binary. `--no-wasm` takes the core as it is, `--no-packages` the packages too.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

need_node
case "${1:-}" in
  --no-packages) ;;
  *) scripts/packages.sh "$@" ;;
esac
packages/node_modules/.bin/tsc -p packages/account/tsconfig.json
made=$target/account-pages
rm -rf "$made"
node packages/account/build.mjs "$made"
# What has not changed keeps its time, so that cargo builds nothing for it.
if ! cmp -s "$made/version" crates/pages/built/version; then
  rm -f crates/pages/built/*
  cp "$made"/* crates/pages/built/
fi
say "the next build of doorward has the account pages"
