#!/usr/bin/env bash
# The local stack, complete: mail servers, emulator and the program that hosts every function and trigger, until Ctrl-C, which
# stops them all. Arguments go to that program. State stays in `.local/`, so the next run goes on where this one stopped.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

require_free_port AGENTWARM_PORT_API 'the API'
require_root
# Before the build takes its minutes: what cannot be had is said now.
"$AW_STACK_SCRIPTS/install.sh" mail emulator
cd "$AW_ROOT"
cargo build -p agentwarm-local
exec "$AW_STACK_SCRIPTS/with-servers.sh" cargo run --quiet -p agentwarm-local -- "$@"
