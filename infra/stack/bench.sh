#!/usr/bin/env bash
# The benchmarks, in release builds beside mail servers and an emulator of their own; they write docs/benchmarks.md. Arguments go to cargo
# nextest, as in `planner`. AGENTWARM_BENCH_MAILBOXES is another number of mailboxes than 200 (about ten minutes).
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

main() {
  local functions=() directory
  cd "$AW_ROOT"
  for directory in functions/*/; do functions+=(--package "$(basename "$directory")"); done
  # The functions whose starts are measured, the one that does nothing, and the process whose first handshake is.
  cargo build --release --bins "${functions[@]}"
  cargo build --release --package agentwarm-tests --example hello --example handshake
  exec "$AW_STACK_SCRIPTS/test.sh" --release --package agentwarm-tests --test bench --run-ignored only --no-capture "$@"
}

main "$@"
