#!/usr/bin/env bash
# The local stack in real time, with each function in a process of its own that is rebuilt when its source changes (`cargo lambda watch`),
# until Ctrl-C. Arguments go to cargo lambda watch.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

require_free_port AGENTWARM_PORT_API 'the API'
require_root
"$AW_STACK_SCRIPTS/install.sh" mail emulator tools
cd "$AW_ROOT"
cargo build -p agentwarm-local
exec "$AW_STACK_SCRIPTS/with-servers.sh" cargo run --quiet -p agentwarm-local -- watch "$@"
