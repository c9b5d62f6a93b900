#!/usr/bin/env bash
# A private PostgreSQL for the tests: `scripts/postgres.sh start|stop|url|status|install`.
#
# It runs from the system's packages on a loopback port and a socket of its own, trusts whoever may reach the loopback,
# and does not sync to disk: fast and disposable. `start` is idempotent and prints the URL, nothing else, on stdout;
# `stop` ends only the server that `start` made.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

state=$root/target/pg # where the running server is recorded
[ -n "${DOORWARD_PG_STATE:-}" ] && state=$DOORWARD_PG_STATE

# The server refuses to run as root, so root becomes somebody else; whoever is not root stays who they are.
owner=$(id -un)
if [ "$(id -u)" = 0 ]; then
  owner=nobody
  id postgres >/dev/null 2>&1 && owner=postgres
fi
as_owner() {
  if [ "$owner" = "$(id -un)" ]; then
    (cd / && "$@")
  else
    (cd / && runuser -u "$owner" -- "$@")
  fi
}

find_bin() {
  local candidate
  # shellcheck disable=SC2012
  candidate=$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)
  [ -n "$candidate" ] || candidate=$(command -v initdb || true)
  [ -z "$candidate" ] || dirname "$candidate"
}

install_server() {
  # The package makes and starts a cluster of its own on port 5432 unless told not to; we do not want to own that.
  apt_install postgresql-common
  local conf=/etc/postgresql-common/createcluster.d/doorward-no-main.conf
  as_root mkdir -p "${conf%/*}"
  echo 'create_main_cluster = false' | as_root tee "$conf" >/dev/null
  apt_install postgresql
  as_root rm -f "$conf"
}

dir() { cat "$state/dir" 2>/dev/null || true; }

# The postmaster's pid, when it is alive and really ours: it works in our data directory.
pid() {
  local d pid
  d=$(dir)
  [ -n "$d" ] && [ -f "$d/data/postmaster.pid" ] || return 0
  pid=$(head -n 1 "$d/data/postmaster.pid")
  kill -0 "$pid" 2>/dev/null || return 0
  # Another process may have taken the pid since; and a dead one that nobody waited for has no directory.
  if [ -d /proc/self ] && [ "$(readlink "/proc/$pid/cwd" || true)" != "$d/data" ]; then
    return 0
  fi
  echo "$pid"
}

forget() {
  local d
  d=$(dir)
  case "$d" in
    */doorward-pg.??????) rm -rf -- "$d" ;;
  esac
  rm -f "$state/dir" "$state/url"
}

start() {
  if [ -n "$(pid)" ]; then
    cat "$state/url"
    return
  fi
  forget
  local bin d port try
  bin=$(find_bin)
  if [ -z "$bin" ]; then
    install_server
    bin=$(find_bin)
    [ -n "$bin" ] || die "no initdb found even after installing postgresql"
    # The package has made the user postgres.
    [ "$owner" = nobody ] && id postgres >/dev/null 2>&1 && owner=postgres
  fi
  # Not below the checkout: its parents may be closed to the other user, and a socket's path may have 107 bytes only.
  d=$(mktemp -d "${TMPDIR:-/tmp}/doorward-pg.XXXXXX")
  [ "$(id -u)" = 0 ] && chown "$owner" "$d"
  echo "$d" >"$state/dir"
  as_owner "$bin/initdb" -D "$d/data" -U doorward -A trust -E UTF8 --locale=C -N >"$state/initdb.log" 2>&1 ||
    die "initdb failed: see $state/initdb.log"
  cat >>"$d/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$d'
max_connections = 300
shared_buffers = 256MB
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum_naptime = 10s
log_min_messages = warning
CONF
  for try in 1 2 3 4 5 6 7 8; do
    # Below the range from which the system takes ports for outgoing connections.
    port=$((15000 + RANDOM % 15000))
    if as_owner "$bin/pg_ctl" -D "$d/data" -l "$d/log" -o "-p $port" -w -t 60 start >/dev/null 2>&1 9>&-; then
      as_owner "$bin/createdb" -h "$d" -p "$port" -U doorward doorward
      echo "postgres://doorward@127.0.0.1:$port/doorward" >"$state/url"
      cat "$state/url"
      return
    fi
    grep -q 'Address already in use' "$d/log" 2>/dev/null || break # only a taken port is worth another try
  done
  cat "$d/log" >&2 2>/dev/null || true
  forget
  die "PostgreSQL did not start (try $try)"
}

stop() {
  local server d
  server=$(pid)
  d=$(dir)
  if [ -n "$server" ]; then
    kill -INT "$server" # fast shutdown: roll back, write down, end
    local waited=0
    while [ -n "$(pid)" ]; do
      sleep 0.1
      waited=$((waited + 1))
      [ $waited -lt 300 ] || die "PostgreSQL ($server, $d) does not end"
    done
  fi
  forget
}

mkdir -p "$state"
case "${1:-}" in
  start)
    exec 9>"$state/lock"
    ! have flock || flock 9
    start
    ;;
  stop)
    exec 9>"$state/lock"
    ! have flock || flock 9
    stop
    ;;
  url)
    [ -n "$(pid)" ] || die "it is not running; scripts/postgres.sh start"
    cat "$state/url"
    ;;
  install) [ -n "$(find_bin)" ] || install_server ;;
  status) [ -n "$(pid)" ] && echo running || echo stopped ;;
  *) die "usage: scripts/postgres.sh start|stop|url|status|install" ;;
esac
