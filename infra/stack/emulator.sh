#!/usr/bin/env bash
# The local stack's AWS: MiniStack, one process on one port of 127.0.0.1.
#
#   emulator.sh start    starts it, unless it runs, and waits until it is ready
#   emulator.sh stop     asks it to end and waits until it has written its state
#   emulator.sh status   says whether it runs; exit code 0 if so
#
# Leaves `.local/emulator` (test stack: `.local/test/emulator`): state/ (what it knew at its last clean stop), emulator.log, pid,
# and, while it runs, the marker `running`. MiniStack writes its state only when it is asked to end; whoever finds the marker but
# no process knows that the last state is lost, and starts from nothing rather than from an older day.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

readonly START_SECONDS=30 STOP_SECONDS=60
readonly STATE=$AW_EMULATOR_DIR/state PID_FILE=$AW_EMULATOR_DIR/pid MARKER=$AW_EMULATOR_DIR/running LOG=$AW_EMULATOR_DIR/emulator.log
readonly PYTHON=$AW_VENV_EMULATOR/bin/python

running_pid() { live_pid "$PID_FILE" "STATE_DIR=$STATE"; }

# HTTP over bash's own sockets: 200 from this path means that every start-up step is done.
is_ready() {
  local status=''
  { exec 3<>"/dev/tcp/127.0.0.1/$AGENTWARM_PORT_EMULATOR" \
    && printf 'GET /_ministack/ready HTTP/1.0\r\nHost: localhost\r\n\r\n' >&3 && read -r -t 2 status <&3; } 2>/dev/null || true
  { exec 3>&-; } 2>/dev/null || true
  [[ $status == HTTP/*' 200'* ]]
}

wipe_after_kill() {
  [[ -e $MARKER ]] || return 0
  say "The emulator was killed the last time, so what it held (tables, queues, keys) is lost. It starts from nothing."
  rm -rf "$STATE" "$MARKER"
}

# The emulator's own environment: nothing of the caller's, so that no real AWS account, proxy or container daemon is in reach. Its
# address is there for the functions that are deployed to it, which it starts itself.
launch() {
  env -i PATH="$PATH" HOME="$AW_EMULATOR_DIR" LANG=C.UTF-8 TMPDIR="$AW_EMULATOR_DIR/tmp" \
    BIND_HOST=127.0.0.1 GATEWAY_PORT="$AGENTWARM_PORT_EMULATOR" MINISTACK_REGION=us-east-1 \
    PERSIST_STATE=1 STATE_DIR="$STATE" S3_PERSIST=1 S3_DATA_DIR="$STATE/s3" \
    AWS_ENDPOINT_URL="http://127.0.0.1:$AGENTWARM_PORT_EMULATOR" \
    SFTP_ENABLED=0 IOT_MTLS_ENABLED=0 DOCKER_HOST="unix://$AW_EMULATOR_DIR/no-docker" LOG_LEVEL="${AGENTWARM_EMULATOR_LOG:-INFO}" \
    setsid "$PYTHON" -m ministack </dev/null >"$LOG" 2>&1 &
  echo $! >"$PID_FILE"
}

# Not by `running_pid`: in the moment of an exec a process shows no environment.
ready_or_dead() { is_ready || process_gone "$(<"$PID_FILE")"; }

start_emulator() {
  if running_pid >/dev/null; then
    is_ready || die "the emulator runs but does not answer on port $AGENTWARM_PORT_EMULATOR:" \
      "stop it (\`AGENTWARM_STACK=$AGENTWARM_STACK infra/stack/emulator.sh stop\`) and start again"
    return
  fi
  "$AW_STACK_SCRIPTS/install.sh" emulator
  require_free_port AGENTWARM_PORT_EMULATOR 'the AWS emulator'
  mkdir -p "$AW_EMULATOR_DIR/tmp"
  wipe_after_kill
  mkdir -p "$STATE"
  touch "$MARKER"
  launch
  # Between the fork and the exec it does not look like the emulator yet.
  wait_until 5 running_pid >/dev/null || true
  wait_until $START_SECONDS ready_or_dead || true
  is_ready || give_up
}

# An emulator that never served has changed nothing: its last state is still good.
give_up() {
  tail -n 5 "$LOG" >&2
  stop_emulator
  rm -f "$MARKER"
  die "the emulator did not start: see $LOG"
}

stop_emulator() {
  local pid
  pid=$(running_pid) || return 0
  stop_process "$pid" $STOP_SECONDS || die "the emulator (process $pid) has not ended within $STOP_SECONDS s: see $LOG; \`kill -9 $pid\` loses its state"
  rm -f "$MARKER" "$PID_FILE"
}

show_status() {
  local pid
  if pid=$(running_pid); then
    echo "the emulator runs (process $pid): http://127.0.0.1:$AGENTWARM_PORT_EMULATOR"
  else
    echo "the emulator is stopped"
    return 3
  fi
}

case ${1:-} in
  start) start_emulator ;;
  stop) stop_emulator ;;
  status) show_status ;;
  *) die "usage: emulator.sh start|stop|status (the head of the script explains them)" ;;
esac
