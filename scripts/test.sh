#!/usr/bin/env bash
# The whole check, or the named parts of it, ending at the first that fails:
#   scripts/test.sh all | setup fmt clippy deny sqlite schemas one_connection postgres failover doc wasm leptos fuzz reproduce packages spec schemathesis dev e2e servers
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"
scripts=$root/scripts

step_setup() { "$scripts/setup.sh"; }

step_fmt() { cargo fmt --all --check; }

step_clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

step_deny() {
  cargo_tool cargo-deny 0.20
  cargo deny --locked check bans licenses sources
  # The list of known vulnerabilities lives in a git repository that not every machine can reach.
  if timeout 120 cargo deny --log-level off fetch db >/dev/null 2>&1; then
    cargo deny --locked check --disable-fetch advisories
  else
    say "NOT CHECKED: advisories, because their database cannot be fetched from this machine"
  fi
}

step_sqlite() {
  rm -rf target/recorded
  mkdir -p target/recorded
  DOORWARD_TEST_DATABASE=sqlite DOORWARD_TEST_RECORD=$root/target/recorded cargo nextest run --workspace --locked
}

step_schemas() { "$scripts/schemas.sh"; }

# A request that asks for a second connection while it holds one waits for ever here. In the recorded run above there are five.
step_one_connection() {
  # Chosen by a filter: with `--package` its dependencies would have other features, and be built again.
  DOORWARD_TEST_DATABASE=sqlite DOORWARD_TEST_CONNECTIONS=1 cargo nextest run --workspace --locked -E 'package(doorward-testkit)'
}

# The address of a PostgreSQL server, in DOORWARD_TEST_POSTGRES_URL: the one that is named there, or one for this step.
with_postgres() {
  [ -z "${DOORWARD_TEST_POSTGRES_URL:-}" ] || return 0
  # One that was running before keeps running.
  if [ "$("$scripts/postgres.sh" status)" = stopped ]; then
    trap '"$scripts/postgres.sh" stop' EXIT
  fi
  DOORWARD_TEST_POSTGRES_URL=$("$scripts/postgres.sh" start)
  export DOORWARD_TEST_POSTGRES_URL
}

step_postgres() {
  with_postgres
  DOORWARD_TEST_DATABASE=postgres cargo nextest run --workspace --locked
}

step_failover() {
  "$scripts/postgres.sh" install
  with_server
  python3 "$scripts/failover.py"
}

step_doc() { cargo test --doc --workspace --locked; }

step_wasm() { "$scripts/wasm.sh"; }

# By itself: what the components need of Leptos would be built with each of the other steps.
step_leptos() { cargo nextest run --package doorward-client-leptos --features ssr --locked; }

step_fuzz() { "$scripts/fuzz.sh" 20; }

step_reproduce() { "$scripts/reproduce.sh"; }

step_packages() {
  "$scripts/pages.sh"
  npm --prefix packages test
  npm --prefix packages run --silent size
}

step_spec() {
  with_server
  "$scripts/spec.sh"
}

step_schemathesis() {
  with_server
  timeout --kill-after=20 600 "$scripts/schemathesis.sh"
}

# The server to test, in DOORWARD_BIN: named, so that an old release build is not what gets tested. Built with the features that
# the suite has chosen for what it depends on, or all of that would be built again.
with_server() {
  [ -z "${DOORWARD_BIN:-}" ] || return 0
  [ -f crates/pages/built/version ] || "$scripts/pages.sh"
  cargo build --workspace --bin doorward --locked
  export DOORWARD_BIN=$target/debug/doorward
}

# npm_ci DIR: what the lock file there says, unless it was installed since the lock file changed.
npm_ci() {
  [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ] ||
    timeout 300 npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
}

step_e2e() {
  with_server
  # Production instances are kept there, development ones in SQLite.
  with_postgres
  export E2E_DATABASE_URL=$DOORWARD_TEST_POSTGRES_URL
  npm_ci e2e
  npm --prefix e2e test
  npm --prefix e2e run test:ours
  ROUNDS=5 REQUESTS=500 npm --prefix e2e run --silent bench:middleware
}

# On the ports that `make dev` itself has.
step_dev() {
  with_server
  npm_ci e2e
  npm --prefix e2e run test:dev
}

step_servers() {
  with_server
  E2E_PYTHON=$(python_with clerk-backend-api==7.0.0:clerk_backend_api)
  export E2E_PYTHON CARGO_TARGET_DIR=$target/e2e-rust
  npm_ci e2e
  npm_ci e2e/servers
  # The Rust client is built in it, the first time.
  timeout --kill-after=20 600 npm --prefix e2e/servers test
  with_postgres
  E2E_DATABASE_URL=$DOORWARD_TEST_POSTGRES_URL timeout --kill-after=20 600 npm --prefix e2e/servers test
}

describe() {
  case "$1" in
    setup) echo "install what is missing" ;;
    fmt) echo "formatting" ;;
    clippy) echo "lints" ;;
    deny) echo "licences, banned crates and sources" ;;
    sqlite) echo "the Rust suite on SQLite" ;;
    schemas) echo "what the server answered in that suite against the reference's schemas, by date" ;;
    one_connection) echo "all stories on a pool of one connection" ;;
    postgres) echo "the Rust suite on PostgreSQL" ;;
    failover) echo "two PostgreSQL servers, of which the first dies under load" ;;
    doc) echo "the examples in the documentation" ;;
    wasm) echo "the browser's crates as WebAssembly" ;;
    leptos) echo "the binding for Leptos with its components" ;;
    fuzz) echo "the client core on bytes that look for its faults, for 20 seconds" ;;
    reproduce) echo "the client core for browsers twice, in two directories: the same bytes" ;;
    packages) echo "our own client for browsers and the account pages: build, unit tests, bytes" ;;
    spec) echo "our OpenAPI documents against the reference" ;;
    schemathesis) echo "no input that our OpenAPI documents allow or forbid is answered with 5xx" ;;
    servers) echo "the published clients for servers against the real server" ;;
    dev) echo "make dev, twice, as a newcomer runs it" ;;
    e2e) echo "real browsers against the real server" ;;
    *) die "unknown step '$1'; there are: all ${steps[*]}" ;;
  esac
}

steps=(setup fmt clippy deny sqlite schemas one_connection postgres failover doc wasm leptos fuzz reproduce packages spec schemathesis dev e2e servers)
[ $# != 0 ] || set -- all
[ "$*" != all ] || set -- "${steps[@]}"
for step in "$@"; do describe "$step" >/dev/null; done
for step in "$@"; do
  say "$step: $(describe "$step")"
  began=$SECONDS
  # In a shell of its own: its traps run when it ends, and its first failing command ends it (not so behind `||`).
  set +e
  (
    set -e
    "step_$step"
  )
  status=$?
  set -e
  [ "$status" = 0 ] || die "$step failed after $((SECONDS - began)) s; again: scripts/test.sh $step"
  say "$step: done in $((SECONDS - began)) s"
done
