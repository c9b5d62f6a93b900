#!/usr/bin/env bash
# Build the npm packages in packages/, the core's WebAssembly inside. Idempotent; `--no-wasm` takes the core as it is.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

need_node
[ "${1:-}" = --no-wasm ] || "$root/scripts/client.sh"
core=$target/client-web
[ -f "$core/doorward_client_bg.wasm" ] || die "no core in $core: scripts/client.sh makes it"

# Again only when what is asked for has changed: npm takes seconds to find out that nothing has.
lock=packages/package-lock.json
stamp=packages/node_modules/.doorward
key=$(sha256sum "$lock" | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null)" != "$key" ]; then
  npm --prefix packages ci --no-audit --no-fund --loglevel=error >&2
  echo "$key" >"$stamp"
fi
for package in react nextjs; do
  rm -rf "packages/$package/dist"
  (cd "packages/$package" && ../node_modules/.bin/tsc -p tsconfig.json)
done
node -e 'import("./packages/react/dist/ui/styles.js").then(({ css }) => fs.writeFileSync("packages/react/dist/styles.css", css))'
cp "$core/doorward_client.js" "$core/doorward_client.d.ts" "$core/doorward_client_bg.wasm" packages/react/dist/
node packages/try-core.mjs
say "packages built: packages/react/dist, packages/nextjs/dist"
