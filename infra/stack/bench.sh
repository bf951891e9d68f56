#!/usr/bin/env bash
# The benchmarks, in release builds beside mail servers and an emulator of their own; they write docs/benchmarks.md. Arguments go to cargo
# nextest, as in `planner`. AGENTWARM_BENCH_MAILBOXES is another number of mailboxes than 200 (about ten minutes). How functions start is
# measured of what is deployed, whose builds take twenty minutes of a processor the first time.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

main() {
  cd "$AW_ROOT"
  case "$*" in
    '' | *cold_start*) build_what_starts ;;
  esac
  exec "$AW_STACK_SCRIPTS/test.sh" --release --package agentwarm-tests --test bench --run-ignored only --no-capture "$@"
}

# The functions whose starts are measured, the one that does nothing, and the process whose first handshake is.
build_what_starts() {
  local functions=() directory
  for directory in functions/*/; do functions+=(--package "$(basename "$directory")"); done
  cargo build --profile deploy --bins "${functions[@]}"
  cargo build --profile deploy --package agentwarm-tests --example hello --example handshake
}

main "$@"
