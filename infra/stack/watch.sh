#!/usr/bin/env bash
# The functions in real time, each its own process, rebuilt when its source changes: `cargo lambda watch` on the API's port beside
# the mail servers and the emulator, until Ctrl-C. Arguments go to cargo lambda watch.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

require_free_port AGENTWARM_PORT_API 'the API'
"$AW_STACK_SCRIPTS/install.sh" tools
cd "$AW_ROOT"
exec "$AW_STACK_SCRIPTS/with-servers.sh" cargo lambda watch --invoke-address 127.0.0.1 --invoke-port "$AGENTWARM_PORT_API" "$@"
