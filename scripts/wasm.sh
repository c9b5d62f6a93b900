#!/usr/bin/env bash
# Build the crates that the browser shares with the server for wasm32-unknown-unknown: `scripts/wasm.sh [PACKAGE...]`.
#
# DOORWARD_WASM_PROFILE names another profile than dev. The directory with the results is printed on standard output.
# The compiler's own standard library for that target is used where it is or where rustup can fetch it; else Debian's
# compiler builds one from its sources (DOORWARD_WASM=debian asks for that).
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$root"

triple=wasm32-unknown-unknown
packages=("$@")
[ ${#packages[@]} != 0 ] || packages=(doorward-base doorward-wire doorward-client doorward-client-leptos)

# svix-ksuid brings getrandom, of which we call nothing; in a browser there is no system source for it to take by default.
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS='--cfg getrandom_backend="unsupported"'
# Where it was built must not be in what was built: the same sources and tools give the same bytes (scripts/reproduce.sh).
without_places() {
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=" --remap-path-prefix=$root=/doorward --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo"
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=" --remap-path-prefix=$("${RUSTC:-rustc}" --print sysroot)=/rust"
}

# The small profile leaves out what a panic would say, which only a standard library built for it does. Its sources come by
# rustup; without them the result is some kilobytes larger and otherwise the same.
small() {
  [ "$profile" = wasm ] || return 1
  local sources
  sources=$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock
  [ -f "$sources" ] || { have rustup && timeout 300 rustup --quiet component add rust-src 2>/dev/null; }
  [ -f "$sources" ]
}
has_std() { [ -d "$(rustc --print sysroot)/lib/rustlib/$triple" ]; }

cargo=cargo
profile=${DOORWARD_WASM_PROFILE:-dev}
options=(--locked --target "$triple" --profile "$profile")
if [ "${DOORWARD_WASM:-}" != debian ] && { has_std || { have rustup && timeout 300 rustup --quiet target add $triple 2>/dev/null; } } && has_std; then
  if small; then
    export RUSTC_BOOTSTRAP=1 CARGO_PROFILE_WASM_PANIC=immediate-abort
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS+=' -Zlocation-detail=none -Zfmt-debug=none'
    options+=(-Zpanic-immediate-abort -Zbuild-std=std,panic_abort -Zbuild-std-features=optimize_for_size)
  fi
  say "WASM build with $(rustc --version)"
else
  apt_install rustc-web cargo-web rust-web-src lld-16
  cargo=/usr/bin/cargo
  export RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc RUSTC_BOOTSTRAP=1
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-16
  # Another compiler, another directory: else each would throw away what the other has built.
  export CARGO_TARGET_DIR=$target/debian
  options+=("-Zbuild-std=std,panic_abort")
  say "WASM build with Debian's $($RUSTC --version)"
fi
without_places
# One by one: together, a feature that one of them asks for would be switched on for all.
for package in "${packages[@]}"; do
  "$cargo" build "${options[@]}" -p "$package" >&2
done
case "$profile" in dev) profile=debug ;; esac
echo "${CARGO_TARGET_DIR:-$target}/$triple/$profile"
