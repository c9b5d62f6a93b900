#!/usr/bin/env bash
# Build Doorward, run it with its embedded database, and run the example app beside it; Ctrl-C ends both.
#
# DOORWARD_EXAMPLE names another app (examples/seed-v7), DOORWARD_CLERK_JS the browser script that it loads,
# DOORWARD_APP_PORT its port, DOORWARD_DATA_DIR where everything is kept.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

data=${DOORWARD_DATA_DIR:-.doorward}
app=${DOORWARD_EXAMPLE:-examples/seed}
port=${DOORWARD_APP_PORT:-3100}
backend=http://127.0.0.1:4101
email=ada@example.com
marker='# Written by make dev; remove this line to keep changes of your own.'
sdk=${DOORWARD_CLERK_JS:-}
if [ -z "$sdk" ]; then
  case "$app" in
    *-v7) sdk='@clerk/clerk-js@6 @clerk/ui@1' ;;
    *-v6 | *-v5) sdk='@clerk/clerk-js@5' ;;
    *) sdk='@clerk/clerk-js@4' ;;
  esac
fi

need_cargo
need_node
[ -f "$app/package.json" ] || die "there is no app in $app"
have cc || apt_install build-essential

doorward=${DOORWARD_BIN:-}
# The server takes its own settings from variables of such names, and tells of those that it does not know.
export -n DOORWARD_BIN DOORWARD_DATA_DIR DOORWARD_EXAMPLE DOORWARD_APP_PORT DOORWARD_CLERK_JS
if [ -z "$doorward" ]; then
  say "building doorward (the first time takes some minutes)"
  cargo build --locked --package doorward-server
  doorward=$target/debug/doorward
fi

pids=()
# run COMMAND...: in the background, in a process group of its own, so that one signal reaches all that it starts.
run() {
  set -m
  "$@" </dev/null &
  pids+=("$!")
  set +m
}
# shellcheck disable=SC2317 # the traps call it
stop() {
  trap - INT TERM EXIT
  local pid
  for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}
trap 'stop; exit 0' INT
trap 'stop; exit 143' TERM
trap stop EXIT

answers() { node -e 'fetch(process.argv[1]).then((r) => process.exit(r.status < 500 ? 0 : 1), () => process.exit(1))' "$1"; }
# wait_for WHAT PID URL [FILE]: until the URL answers and the file is there, or the process has ended.
wait_for() {
  local tries=0
  until { [ -z "${4:-}" ] || [ -f "$4" ]; } && answers "$3"; do
    kill -0 "$2" 2>/dev/null || die "$1 ended before it was ready"
    tries=$((tries + 1))
    [ $tries -lt 600 ] || die "$1 is not ready: $3 does not answer"
    sleep 0.2
  done
}

mkdir -p "$data"
chmod 700 "$data"
run "$doorward" dev --data-dir "$data"
wait_for doorward "${pids[0]}" "$backend/health/ready" "$data/dev.env"

for package in $sdk; do
  if ! grep -qsxF "$package" "$data/dev-sdk.txt"; then
    say "installing the browser script $package"
    "$doorward" sdk install "$package" --data-dir "$data"
    echo "$package" >>"$data/dev-sdk.txt"
  fi
done

if [ ! -f "$data/dev-user.txt" ]; then
  # Letters and digits of 15 random bytes: about 110 bits.
  password=$(head -c 15 /dev/urandom | base64 | tr '+/' 'xy')
  if "$doorward" user create --data-dir "$data" --email "$email" --password "$password" --first-name Ada --json >/dev/null; then
    (umask 077 && printf '%s %s\n' "$email" "$password" >"$data/dev-user.txt")
  else
    say "no user made: if $email exists, its password is known to whoever made it; remove $data to start afresh"
  fi
fi

if [ ! -f "$app/.env.local" ] || [ "$(head -n 1 "$app/.env.local")" = "$marker" ]; then
  (umask 077 && { echo "$marker" && cat "$data/dev.env"; } >"$app/.env.local")
else
  say "keeping your own $app/.env.local"
fi
if [ ! -x "$app/node_modules/.bin/next" ]; then
  say "installing the app's packages"
  npm --prefix "$app" ci --no-audit --no-fund --loglevel=error
fi

export NEXT_TELEMETRY_DISABLED=1
# dev.env names the newest script under this name; the environment goes before the file.
case "$sdk" in
  '@clerk/clerk-js@5') export NEXT_PUBLIC_CLERK_JS_URL=http://localhost:4100/npm/@clerk/clerk-js@5/dist/clerk.browser.js ;;
esac
run "$app/node_modules/.bin/next" dev "$app" -H localhost -p "$port"
wait_for "the app" "${pids[1]}" "http://localhost:$port/signin"

cat <<TEXT

  Open     http://localhost:$port
$([ -f "$data/dev-user.txt" ] && awk '{ print "  Sign in  " $1 "  " $2 }' "$data/dev-user.txt")
  Stop     Ctrl-C

TEXT

# Whichever ends first takes the other along.
code=0
wait -n "${pids[@]}" || code=$?
exit "$code"
