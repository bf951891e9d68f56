#!/usr/bin/env bash
# Runs a command beside the mail servers and the emulator: with-servers.sh [--fresh] COMMAND...
#
# Starts whatever of them does not run, exports what programs need to find them (env.sh, export_stack_environment), runs the
# command, and stops the servers after the command's end, after Ctrl-C and after SIGTERM; those too that an earlier command, killed
# outright, left running. With --fresh the stack's mail and tables are removed first. AGENTWARM_STACK chooses the stack. Exits with
# the command's code. Leaves the stack's files.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

readonly GRACE_SECONDS=45
child='' interrupted=''

# One command at a time on a stack. The lock is this shell's alone (8>&- elsewhere), so it ends with it, however it ends.
lock_stack() {
  exec 8>"$AW_LOCAL/$AGENTWARM_STACK.lock"
  flock --nonblock 8 || die "another command is using the $AGENTWARM_STACK stack of this checkout: wait until it has ended"
}

start_stack() {
  say "starting the mail servers and the AWS emulator of the $AGENTWARM_STACK stack"
  "$AW_STACK_SCRIPTS/mail-servers.sh" start 8>&-
  "$AW_STACK_SCRIPTS/emulator.sh" start 8>&-
}

stop_stack() {
  trap '' INT TERM HUP
  stop_child
  "$AW_STACK_SCRIPTS/emulator.sh" stop || true
  "$AW_STACK_SCRIPTS/mail-servers.sh" stop || true
}

# A command that has been told to end (by Ctrl-C with us, or by us) gets time to do so.
stop_child() {
  [[ -n $child ]] && ! process_gone "$child" || return 0
  wait_until $GRACE_SECONDS process_gone "$child" || kill -KILL "$child" 2>/dev/null || true
}

# The command stays in the terminal's foreground group: Ctrl-C reaches it by itself, other signals are handed on.
run_command() {
  local code=0
  trap 'interrupted=130' INT
  trap 'interrupted=143; kill -TERM "$child" 2>/dev/null || true' TERM HUP
  # A background command would otherwise ignore Ctrl-C and read nothing.
  (trap - INT QUIT TERM HUP; exec "$@") <&0 8>&- &
  child=$!
  wait "$child" || code=$?
  if [[ -n $interrupted ]]; then
    stop_child
    code=$interrupted
  fi
  return "$code"
}

main() {
  local fresh=''
  if [[ ${1:-} == --fresh ]]; then fresh=yes; shift; fi
  (( $# > 0 )) || die "usage: with-servers.sh [--fresh] COMMAND..."
  require_root
  lock_stack
  if [[ -n $fresh ]]; then "$AW_STACK_SCRIPTS/reset.sh" --locked; fi
  trap stop_stack EXIT
  # Until the command runs, a signal ends this script, and the trap above what was started.
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  start_stack
  export_stack_environment
  run_command "$@"
}

main "$@"
