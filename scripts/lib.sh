# shellcheck shell=bash disable=SC2034,SC2015
# What the scripts share. Sourced, never run: sets `root`, `target` and a few helpers.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
# Where cargo tools go that are missing; one directory, so that a clean-up is `rm -r`.
tools=${DOORWARD_TOOLS:-$root/target/tools}
PATH=$PATH:$tools/bin

say() { printf '==> %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    die "this needs root and there is no sudo; run as root: $*"
  fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_install PACKAGE...: those that are missing, and nothing at all when none is.
apt_install() {
  local package missing=()
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  have apt-get || die "please install: ${missing[*]} (or what your system calls them)"
  say "installing ${missing[*]}"
  if [ -z "${apt_updated:-}" ]; then
    as_root apt-get update -qq >&2
    apt_updated=1
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

# cargo_tool NAME VERSION: a cargo subcommand of that version or later patches, built when it is nowhere to be found.
cargo_tool() {
  local name=$1 version=$2
  case "$("$name" --version 2>/dev/null || true)" in
    "$name $version"*) return ;;
  esac
  say "building $name $version (once, some minutes)"
  cargo install --quiet --locked --version "~$version" --root "$tools" "$name"
  hash -r
}

# python_with PACKAGE:MODULE...: prints a Python that has these modules, from target/venv when the system's lacks one.
python_with() {
  have python3 || apt_install python3
  local python=python3 modules=() packages=() it
  for it in "$@"; do
    packages+=("${it%%:*}")
    modules+=("${it##*:}")
  done
  local imports
  imports="import $(IFS=,; printf '%s' "${modules[*]}")"
  if ! "$python" -c "$imports" 2>/dev/null; then
    python=$root/target/venv/bin/python
    if ! "$python" -c "$imports" 2>/dev/null; then
      say "installing ${packages[*]} in target/venv"
      python3 -c 'import venv, ensurepip' 2>/dev/null || apt_install python3-venv
      [ -x "$python" ] || python3 -m venv --clear "$root/target/venv" >&2
      "$python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2
    fi
  fi
  printf '%s\n' "$python"
}

need_node() {
  have node && have npm || die "Node.js 20 or later with npm is needed: https://nodejs.org, or your system's packages nodejs and npm"
  [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || die "Node.js 20 or later is needed; this is $(node --version)"
}

need_cargo() {
  have cargo || die "Rust is needed: https://rustup.rs"
}
