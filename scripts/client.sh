#!/usr/bin/env bash
# Build the client core for browsers into target/client-web: doorward_client.js, doorward_client_bg.wasm and their types.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

out=$target/client-web
# The generator and the library in Cargo.lock must be of the same version.
version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/[^0-9.]/, ""); print; exit }' Cargo.lock)
if [ "$(wasm-bindgen --version 2>/dev/null)" != "wasm-bindgen $version" ]; then
  say "building wasm-bindgen-cli $version (once, some minutes)"
  cargo install --quiet --version "=$version" --root "$tools" wasm-bindgen-cli
  hash -r
fi
apt_install binaryen

built=$(DOORWARD_WASM_PROFILE=wasm scripts/wasm.sh doorward-client-web)
mkdir -p "$out"
wasm-bindgen --target web --out-name doorward_client --out-dir "$out" "$built/doorward_client_web.wasm"
wasm-opt -Oz --enable-bulk-memory --enable-sign-ext --enable-mutable-globals --enable-nontrapping-float-to-int --enable-reference-types \
  --enable-multivalue -o "$out/doorward_client_bg.wasm" "$out/doorward_client_bg.wasm"
# wasm-opt up to 108 exports the first table of a module that has two, whichever was named.
perl -pi -e 's/__wbindgen_externrefs\x01\x00/__wbindgen_externrefs\x01\x01/' "$out/doorward_client_bg.wasm"
say "$out: $(gzip -9c "$out/doorward_client_bg.wasm" | wc -c) bytes of WASM and $(gzip -9c "$out/doorward_client.js" | wc -c) of glue, packed"
