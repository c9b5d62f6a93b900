#!/usr/bin/env bash
# Install what building and testing need and this machine lacks. Idempotent, quick when nothing is missing.
# On Debian and its children it uses apt-get (as root or by sudo); elsewhere it says what to install.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

need_cargo
need_node
have cc || apt_install build-essential # SQLite and aws-lc are C
have python3 || apt_install python3
cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
cargo_tool cargo-nextest 0.9
"$root/scripts/postgres.sh" install

# A browser with fonts to draw with, and a clock to move for the server that it talks to.
packages=(faketime fonts-liberation)
have chromium || packages+=(chromium)
if [ -f e2e/apt-packages.txt ]; then
  while read -r package _; do
    case "$package" in '' | '#'*) ;; *) packages+=("$package") ;; esac
  done <e2e/apt-packages.txt
fi
apt_install "${packages[@]}"
