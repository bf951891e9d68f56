#!/usr/bin/env bash
# The tests, beside mail servers and an emulator of their own (the test stack), started from nothing and stopped afterwards, so that
# `make run` may go on meanwhile. AGENTWARM_STACK=test-1 (to test-9) is another one, for two suites at the same time. Arguments go to
# cargo nextest; without any, the whole workspace is tested.
set -euo pipefail
[[ ${AGENTWARM_STACK:-} == test-* ]] || export AGENTWARM_STACK=test
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

(( $# > 0 )) || set -- --workspace
require_root
"$AW_STACK_SCRIPTS/install.sh" mail deny
cd "$AW_ROOT"
# Compiled first: an error in the code needs no servers.
cargo nextest run --no-run "$@"
exec "$AW_STACK_SCRIPTS/with-servers.sh" --fresh cargo nextest run "$@"
