#!/usr/bin/env bash
# Look for bytes that the client core does not bear: `scripts/fuzz.sh [SECONDS]`, a minute if it is not said how long.
#
# libFuzzer, led by what code the bytes reach. The core has no unsafe code, so no sanitizer and no nightly compiler is needed;
# `cargo fuzz run core` in crates/client does the same with them. What it learnt stays in crates/client/fuzz/corpus; bytes
# that broke something are in crates/client/fuzz/artifacts, and `scripts/fuzz.sh FILE` plays them again.
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
[ ! -f "${1:-}" ] || set -- "$(realpath "$1")"
cd "$root/crates/client/fuzz"

need_cargo
have c++ || apt_install build-essential
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Ccodegen-units=1"
# The target is named so that build scripts, which are not what is looked at, are built without all that.
triple=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=$target/fuzz
cargo build --quiet --release --locked --target "$triple"
mkdir -p corpus artifacts
if [ -f "${1:-}" ]; then
  set -- "$1"
else
  set -- "-max_total_time=${1:-60}" -max_len=1024 -verbosity=0 -print_final_stats=1 corpus
fi
"$CARGO_TARGET_DIR/$triple/release/core" -artifact_prefix=artifacts/ "$@"
