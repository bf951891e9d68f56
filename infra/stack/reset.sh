#!/usr/bin/env bash
# Forgets what the local stack did: stops its servers and removes its tables, queues, mail, mailboxes and certificates. What is
# installed stays. AGENTWARM_STACK chooses the stack. `--locked` is for with-servers.sh, which holds the stack's lock already.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

if [[ ${1:-} != --locked ]]; then
  exec 8>"$AW_LOCAL/$AGENTWARM_STACK.lock"
  flock --nonblock 8 || die "a command is using the $AGENTWARM_STACK stack of this checkout: end it first (Ctrl-C)"
fi
"$AW_STACK_SCRIPTS/emulator.sh" stop
"$AW_STACK_SCRIPTS/mail-servers.sh" stop
rm -rf "$AW_EMULATOR_DIR" "$AW_MAIL_DIR"
