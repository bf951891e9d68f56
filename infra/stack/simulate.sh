#!/usr/bin/env bash
# Simulated worlds in which everything goes wrong at random: AW_SEEDS of them from number AW_SEED on, over all cores, without any server.
# Prints a line of totals, or the first world that fails, its complaint and the command that replays it. Arguments go to cargo nextest.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd "$AW_ROOT"
"$AW_STACK_SCRIPTS/install.sh" deny
exec cargo nextest run --package agentwarm-tests --test simulation --no-capture -E 'test(=faults::storms_lose_nothing)' "$@"
