# Sourced by every script of the local stack: where things are, which ports they use, and the few helpers they share.
# It changes nothing on disk except that `.local/` exists afterwards.
#
# Two stacks can run side by side: AGENTWARM_STACK=run (`make run`, the default) and AGENTWARM_STACK=test (`make test`),
# which has its own directories and adds 10000 to every port. test-1 to test-9 are more of the second kind, for suites that run at the same
# time. What is installed is shared by all.
#
# shellcheck shell=bash
# shellcheck disable=SC2034 # the variables are for the scripts that source this one

umask 022

AW_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
AW_STACK_SCRIPTS=$AW_ROOT/infra/stack
AW_LOCAL=$AW_ROOT/.local
AW_DOMAINS=(acorn.test birch.test cedar.test)

# ---------------------------------------------------------------- helpers

# One line of progress. On stderr, so that a script's stdout stays usable.
say() { printf '%s\n' "$*" >&2; }

# Ends the script. The message is a sentence that says what is wrong and what to do.
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Whether something accepts connections on a port of this machine.
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Ends the script if the port held by variable $1 is taken. $2 says for what it is needed.
require_free_port() {
  local variable=$1 purpose=$2
  ! port_open "${!variable}" || die "port ${!variable} ($purpose of the $AGENTWARM_STACK stack) is in use by another" \
    "program: end that program (\`ss -ltnp 'sport = :${!variable}'\` names it), or choose another port with $(override_hint "$variable")"
}

# How to move a port. Overrides are given for the run stack; the test stack adds its offset.
override_hint() {
  local hint="$1=<port>"
  (( AW_PORT_OFFSET == 0 )) || hint+=" (the $AGENTWARM_STACK stack uses that port + $AW_PORT_OFFSET)"
  printf '%s' "$hint"
}

# wait_until SECONDS COMMAND...: polls COMMAND until it succeeds; fails when the time is up.
wait_until() {
  local deadline=$((SECONDS + $1)); shift
  until "$@"; do
    (( SECONDS < deadline )) || return 1
    sleep 0.1
  done
}

# live_pid PID-FILE OWN: the process id in the file, if that process is alive and has OWN among its arguments or environment
# variables; a stale file may name a stranger's process, which must not be taken for ours.
live_pid() {
  local pid
  { read -r pid <"$1"; } 2>/dev/null || return 1
  [[ $pid =~ ^[0-9]+$ ]] || return 1
  grep --null-data --quiet --line-regexp --fixed-strings -e "$2" "/proc/$pid/cmdline" "/proc/$pid/environ" 2>/dev/null || return 1
  printf '%s' "$pid"
}

# Neither running nor a zombie that its parent has yet to collect.
process_gone() {
  local stat
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
  [[ ${stat##*) } == Z* ]]
}

# stop_process PID SECONDS: asks a process to end and waits; fails if it is still there afterwards.
stop_process() {
  kill -TERM "$1" 2>/dev/null || true
  wait_until "$2" process_gone "$1"
}

require_root() {
  (( EUID == 0 )) || die "the mail servers switch users when they start, so this needs root: run it with sudo or as root"
}

# ---------------------------------------------------------------- which stack, which ports

AGENTWARM_STACK=${AGENTWARM_STACK:-run}
case $AGENTWARM_STACK in
  run)  AW_PORT_OFFSET=0;     AW_STACK_PREFIX='' ;;
  test) AW_PORT_OFFSET=10000; AW_STACK_PREFIX='test/' ;;
  # No two default ports differ by a multiple of 100.
  test-[1-9]) AW_PORT_OFFSET=$((10000 + 100 * ${AGENTWARM_STACK#test-})); AW_STACK_PREFIX=$AGENTWARM_STACK/ ;;
  *) die "AGENTWARM_STACK is '$AGENTWARM_STACK', but only 'run', 'test' and 'test-1' to 'test-9' exist: unset it or choose one of them" ;;
esac

# resolve_port VARIABLE DEFAULT: the override or the default, moved by the stack's offset.
resolve_port() {
  local port=${!1:-$2}
  if ! [[ $port =~ ^[0-9]{1,5}$ ]] || (( 10#$port == 0 || 10#$port + AW_PORT_OFFSET > 65535 )); then
    die "$1 is '$port': give a port number from 1 to $((65535 - AW_PORT_OFFSET))"
  fi
  printf -v "$1" '%d' $((10#$port + AW_PORT_OFFSET))
}

# A script started by another one inherits ports that already carry the offset; the marker says for which stack.
if [[ ${AGENTWARM_PORTS_RESOLVED:-} != "$AGENTWARM_STACK" ]]; then
  resolve_port AGENTWARM_PORT_EMULATOR 4566
  resolve_port AGENTWARM_PORT_IMAP 1143
  resolve_port AGENTWARM_PORT_IMAPS 1993
  resolve_port AGENTWARM_PORT_SMTP 1587
  resolve_port AGENTWARM_PORT_SMTPS 1465
  resolve_port AGENTWARM_PORT_API 8787
  AGENTWARM_PORTS_RESOLVED=$AGENTWARM_STACK
  export AGENTWARM_STACK AGENTWARM_PORTS_RESOLVED
  export AGENTWARM_PORT_EMULATOR AGENTWARM_PORT_IMAP AGENTWARM_PORT_IMAPS AGENTWARM_PORT_SMTP AGENTWARM_PORT_SMTPS AGENTWARM_PORT_API
fi

# ---------------------------------------------------------------- paths

AW_VENV_EMULATOR=$AW_LOCAL/venv-emulator
AW_VENV_TOOLS=$AW_LOCAL/venv-tools
AW_VENV_FUZZ=$AW_LOCAL/venv-fuzz
AW_CARGO_ROOT=$AW_LOCAL/cargo
AW_STAMPS=$AW_LOCAL/stamps
AW_EMULATOR_DIR=$AW_LOCAL/${AW_STACK_PREFIX}emulator
mkdir -p "$AW_LOCAL"

# The mail servers run as users of their own, their sockets' paths may hold 107 bytes, and their configuration files do not
# quote. Where a checkout is closed to other users (one in /root), very deep or oddly named, their files go to a directory of the
# checkout's own in /var/lib instead of `.local/`.
mail_base() {
  local longest_socket=/test-1/mail/postfix/queue/private/a-service-of-ours
  if (( ${#AW_LOCAL} + ${#longest_socket} < 107 )) && [[ $AW_LOCAL =~ ^[A-Za-z0-9/._-]+$ ]] && others_can_enter "$AW_LOCAL"; then
    printf '%s' "$AW_LOCAL"
  else
    printf '/var/lib/agentwarm/%s' "$(cksum <<<"$AW_ROOT" | cut -d' ' -f1)"
  fi
}

others_can_enter() {
  (( EUID != 0 )) || setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$1"
}

AW_MAIL_BASE=$(mail_base)
AW_DEBIAN=$AW_MAIL_BASE/debian
AW_MAIL_DIR=$AW_MAIL_BASE/${AW_STACK_PREFIX}mail

# The directories of the unpacked servers' shared libraries, for LD_LIBRARY_PATH.
mail_library_path() {
  local dovecot=$AW_DEBIAN/usr/lib/dovecot directory
  local path=$dovecot:$dovecot/modules:$dovecot/modules/old-stats:$AW_DEBIAN/usr/lib/postfix
  for directory in "$AW_DEBIAN"/usr/lib/*-linux-gnu "$AW_DEBIAN"/lib/*-linux-gnu; do
    if [[ -d $directory ]]; then path+=:$directory; fi
  done
  printf '%s' "$path"
}

PATH=$AW_CARGO_ROOT/bin:$AW_VENV_TOOLS/bin:$PATH:$AW_VENV_FUZZ/bin

# ---------------------------------------------------------------- what programs of ours read

# Exports what the local runner and the tests need to find this stack, and keeps the AWS SDK away from any real account.
export_stack_environment() {
  export PATH
  export AGENTWARM_API_PORT=$AGENTWARM_PORT_API
  export AGENTWARM_MAIL_HOST=localhost
  export AGENTWARM_CA_FILE=$AW_MAIL_DIR/tls/ca.pem
  export AGENTWARM_MAILBOXES_FILE=$AW_MAIL_DIR/mailboxes
  export AGENTWARM_WILD_PASSWORD=${AGENTWARM_WILD_PASSWORD:-warm-enough}
  export AGENTWARM_DAY_SECONDS=${AGENTWARM_DAY_SECONDS:-60}
  export AWS_ENDPOINT_URL=http://127.0.0.1:$AGENTWARM_PORT_EMULATOR
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
  export AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
  unset AWS_PROFILE AWS_SESSION_TOKEN
}
