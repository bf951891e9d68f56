#!/usr/bin/env bash
# The local stack's mail servers, dovecot and postfix, on ports of 127.0.0.1 with virtual users on three domains.
#
#   mail-servers.sh start [dovecot|postfix]   starts what is not running and waits until its ports answer
#   mail-servers.sh stop  [dovecot|postfix]   ends our own processes, no others
#   mail-servers.sh status                    says what runs where; exit code 0 if both servers run
#   mail-servers.sh add-mailbox ADDRESS PASSWORD [ADDRESS PASSWORD]...
#                                             makes mailboxes or changes passwords, at once and without a restart
#   mail-servers.sh refresh                   takes over a mailboxes file that was edited by hand
#   mail-servers.sh junk-share N              lets cedar.test file N sixteenths of its mail into Junk from now on
#
# Leaves `.local/mail` (test stack: `.local/test/mail`): mailboxes (addresses and passwords), store/ (maildirs), tls/ (a private
# CA), log/, and generated files in etc/, postfix/ and run/. AGENTWARM_JUNK_SHARE (default 3) sets the share at start,
# AGENTWARM_WILD_PASSWORD the password of w000@... to w999@....
#
# Addresses with a behaviour of their own, at each domain: mail/recipients and mail/contents beside this script, and late-bounce@,
# which postfix accepts and dovecot refuses, so that the sender gets a delivery report.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
. "$AW_STACK_SCRIPTS/mail/certificates.sh"

readonly START_SECONDS=20 STOP_SECONDS=15
readonly ETC=$AW_MAIL_DIR/etc QUEUE=$AW_MAIL_DIR/postfix/queue POSTFIX_ETC=$AW_MAIL_DIR/postfix/etc
readonly MAILBOXES=$AW_MAIL_DIR/mailboxes
readonly DOVECOT=$AW_DEBIAN/usr/sbin/dovecot DOVECOT_PID=$AW_MAIL_DIR/run/master.pid
readonly POSTFIX_MASTER=$AW_DEBIAN/usr/lib/postfix/sbin/master POSTFIX_PID=$QUEUE/pid/master.pid

# Runs one of the unpacked programs with its own libraries, a clean environment and, for dovecot, dovecot-prefix.c preloaded.
run_unpacked() {
  env -i PATH="$PATH" LANG=C LD_LIBRARY_PATH="$(mail_library_path)" "$@"
}
run_dovecot_program() { run_unpacked LD_PRELOAD="$AW_DEBIAN/dovecot-prefix.so" "$@"; }

dovecot_runs() { live_pid "$DOVECOT_PID" "$ETC/dovecot.conf" >/dev/null; }
postfix_runs() { live_pid "$POSTFIX_PID" "$POSTFIX_ETC" >/dev/null; }

# ---------------------------------------------------------------- generated files

make_directories() {
  local directory
  install -d "$AW_MAIL_DIR" "$ETC" "$AW_MAIL_DIR/log" "$AW_MAIL_DIR/run" "$AW_MAIL_DIR/postfix" "$POSTFIX_ETC" "$QUEUE" "$QUEUE/pid"
  # Logs of many runs add up.
  find "$AW_MAIL_DIR/log" -type f -size +50M -delete
  install -d -o aw-mail -g aw-mail -m 700 "$AW_MAIL_DIR/store"
  install -d -o aw-post -g aw-post -m 700 "$AW_MAIL_DIR/postfix/data"
  for directory in active bounce corrupt defer deferred flush hold incoming private saved trace; do
    install -d -o aw-post -g root -m 700 "$QUEUE/$directory"
  done
  install -d -o aw-post -g aw-drop -m 710 "$QUEUE/public"
  install -d -o aw-post -g aw-drop -m 1730 "$QUEUE/maildrop"
}

# render TEMPLATE TARGET: fills in a file of mail/. Written aside and moved, since a running server may be reading it; dated
# back, since postfix waits seconds for a fresh file to settle.
render() {
  local domain_pattern
  domain_pattern=$(printf '%s|' "${AW_DOMAINS[@]}")
  domain_pattern=${domain_pattern%|}
  sed -e "s|@MAIL@|$AW_MAIL_DIR|g" -e "s|@DEBIAN@|$AW_DEBIAN|g" -e "s|@LIBRARIES@|$(mail_library_path)|g" \
    -e "s|@IMAP@|$AGENTWARM_PORT_IMAP|g" -e "s|@IMAPS@|$AGENTWARM_PORT_IMAPS|g" \
    -e "s|@SMTP@|$AGENTWARM_PORT_SMTP|g" -e "s|@SMTPS@|$AGENTWARM_PORT_SMTPS|g" \
    -e "s|@DOMAINS@|${AW_DOMAINS[*]}|g" -e "s#@DOMAIN_PATTERN@#${domain_pattern//./\\\\.}#g" \
    -e "s|@JUNK_DIGITS@|${junk_digits:-}|g" "$AW_STACK_SCRIPTS/mail/$1" >"$2.new"
  touch -d '1 minute ago' "$2.new"
  mv -f "$2.new" "$2"
}

# write_junk_filter SIXTEENTHS: Sieve's character class for the last digit; the class for 0 matches nothing.
write_junk_filter() {
  local share=$1 digits=0123456789abcdef junk_digits
  [[ $share =~ ^([0-9]|1[0-6])$ ]] || die "the junk share is '$share': give a number of sixteenths from 0 to 16"
  junk_digits="[${digits:0:share}]"
  (( share > 0 )) || junk_digits='[^[:print:]]'
  render junk.sieve "$ETC/junk.sieve"
  # dovecot's users may not write here, so the compiled form is made now.
  run_dovecot_program "$AW_DEBIAN/usr/bin/sievec" -c "$ETC/dovecot.conf" "$ETC/junk.sieve" "$ETC/junk.svbin.new"
  chmod 644 "$ETC/junk.svbin.new"
  mv -f "$ETC/junk.svbin.new" "$ETC/junk.svbin"
}

write_configuration() {
  render dovecot.conf "$ETC/dovecot.conf"
  write_junk_filter "${AGENTWARM_JUNK_SHARE:-3}"
  local file
  for file in main.cf master.cf numbered recipients contents; do render $file "$POSTFIX_ETC/$file"; done
  [[ -f $MAILBOXES ]] || install -m 600 "$AW_STACK_SCRIPTS/mail/mailboxes" "$MAILBOXES"
  write_mailbox_maps
}

# Addresses with their passwords: those of the file, and the numbered ones that need no set-up.
listed_mailboxes() { awk '!/^[[:space:]]*(#|$)/ { print $1, $2 }' "$MAILBOXES"; }

numbered_mailboxes() {
  awk -v domains="${AW_DOMAINS[*]}" \
    'BEGIN { n = split(domains, d, " "); for (i = 1; i <= n; i++) for (k = 0; k < 1000; k++)
               printf "w%03d@%s %s\n", k, d[i], ENVIRON["AGENTWARM_WILD_PASSWORD"] }'
}

# Derives dovecot's users and tokens and postfix's table of addresses from the mailboxes. dovecot reads its files anew when they
# have changed; postfix's processes do so with `hash:` tables (and would not with `texthash:`). postfix knows the numbered ones
# by a pattern.
write_mailbox_maps() {
  local domain
  (umask 077
   { listed_mailboxes; numbered_mailboxes; } | awk '{ print $1 ":{PLAIN}" $2 "::::::" }' >"$ETC/users.new"
   { listed_mailboxes; numbered_mailboxes; } | awk '{ print $1 ":{PLAIN}token-" $2 "::::::" }' >"$ETC/tokens.new")
  chown aw-mail: "$ETC/users.new" "$ETC/tokens.new"
  { listed_mailboxes | awk '{ print $1, $1 }'
    for domain in "${AW_DOMAINS[@]}"; do printf '%s %s\n' {late-bounce,refuse-content,defer-content}@"$domain"{,}; done
  } >"$ETC/boxes"
  run_unpacked "$AW_DEBIAN/usr/sbin/postmap" -c "$POSTFIX_ETC" "hash:$ETC/boxes"
  mv -f "$ETC/tokens.new" "$ETC/tokens"
  mv -f "$ETC/users.new" "$ETC/users"
}

# ---------------------------------------------------------------- start

# The first line that a plain-text port says.
greeting() {
  local line=''
  { exec 3<>"/dev/tcp/127.0.0.1/$1" && read -r -t 2 line <&3; } 2>/dev/null || true
  { exec 3>&-; } 2>/dev/null || true
  printf '%s' "$line"
}

# tls_greeting PORT FAREWELL: the first line inside TLS, with the certificate checked against the private CA.
tls_greeting() {
  timeout 3 "$(openssl_command)" s_client -quiet -verify_quiet -verify_return_error -CAfile "$AGENTWARM_CA_FILE" \
    -connect "127.0.0.1:$1" -servername localhost <<<"$2"$'\r' 2>/dev/null | head -n 1
}

imap_answers() {
  [[ $(greeting "$AGENTWARM_PORT_IMAP") == '* OK'* && $(tls_greeting "$AGENTWARM_PORT_IMAPS" 'a LOGOUT') == '* OK'* ]]
}
smtp_answers() {
  [[ $(greeting "$AGENTWARM_PORT_SMTP") == 220* && $(tls_greeting "$AGENTWARM_PORT_SMTPS" QUIT) == 220* ]]
}

# launch COMMAND...: both servers go to the background by themselves; they must not keep the caller's pipes or locks.
launch() { "$@" </dev/null >>"$AW_MAIL_DIR/log/start.log" 2>&1 9>&-; }

# A server that came up lame must not stay behind.
give_up() { stop_servers "$1"; die "$2"; }

launch_dovecot() {
  launch run_dovecot_program "$DOVECOT" -c "$ETC/dovecot.conf" || die "dovecot did not start: see $AW_MAIL_DIR/log"
  wait_until $START_SECONDS imap_answers \
    || give_up dovecot "dovecot does not answer on port $AGENTWARM_PORT_IMAPS: see $AW_MAIL_DIR/log/dovecot.log"
}

launch_postfix() {
  # `master -w` goes to the background itself and returns when it is ready or has failed.
  launch run_unpacked MAIL_CONFIG="$POSTFIX_ETC" "$POSTFIX_MASTER" -c "$POSTFIX_ETC" -w || die "postfix did not start: see $AW_MAIL_DIR/log"
  wait_until $START_SECONDS smtp_answers \
    || give_up postfix "postfix does not answer on port $AGENTWARM_PORT_SMTPS: see $AW_MAIL_DIR/log/postfix.log"
}

# A server that runs already may have been started with other ports than those asked for now.
check_dovecot() {
  imap_answers || die "dovecot runs but does not answer on ports $AGENTWARM_PORT_IMAP and $AGENTWARM_PORT_IMAPS:" \
    "stop it (\`AGENTWARM_STACK=$AGENTWARM_STACK infra/stack/mail-servers.sh stop\`) and start again"
}
check_postfix() {
  smtp_answers || die "postfix runs but does not answer on ports $AGENTWARM_PORT_SMTP and $AGENTWARM_PORT_SMTPS:" \
    "stop it (\`AGENTWARM_STACK=$AGENTWARM_STACK infra/stack/mail-servers.sh stop\`) and start again"
}

require_dovecot_ports() {
  require_free_port AGENTWARM_PORT_IMAP 'IMAP'
  require_free_port AGENTWARM_PORT_IMAPS 'IMAPS'
}
require_postfix_ports() {
  require_free_port AGENTWARM_PORT_SMTP 'SMTP submission'
  require_free_port AGENTWARM_PORT_SMTPS 'SMTPS'
}

# start_servers [SERVER]: all ports are looked at before anything starts, so that a busy one leaves no half of a stack.
start_servers() {
  require_root
  local server missing=()
  for server in ${1:-dovecot postfix}; do
    if "${server}_runs"; then "check_$server"; else missing+=("$server"); fi
  done
  (( ${#missing[@]} > 0 )) || return 0
  for server in "${missing[@]}"; do "require_${server}_ports"; done
  "$AW_STACK_SCRIPTS/install.sh" mail
  make_directories
  make_certificates "$AW_MAIL_DIR/tls"
  write_configuration
  for server in "${missing[@]}"; do "launch_$server"; done
}

# ---------------------------------------------------------------- stop, status

# stop_server NAME PID-FILE CONFIGURATION: ends the master, then those workers that somebody's open connection keeps alive (dovecot's
# auth stays for postfix); they all share the master's session.
stop_server() {
  local pid
  pid=$(live_pid "$2" "$3") || return 0
  stop_process "$pid" $STOP_SECONDS || die "$1 (process $pid) did not end within $STOP_SECONDS s: look at it, then \`kill -9 $pid\`"
  session_members "$pid" | xargs --no-run-if-empty kill -TERM 2>/dev/null || true
  wait_until $STOP_SECONDS session_empty "$pid" || die "processes of $1 are still running: \`ps -s $pid\` lists them"
}

# session_members SESSION: its live processes.
session_members() {
  local file stat fields
  for file in /proc/[0-9]*/stat; do
    { read -r stat <"$file"; } 2>/dev/null || continue
    # After the name, which may hold anything: state, parent, group, session.
    read -r -a fields <<<"${stat##*) }"
    if [[ ${fields[3]} == "$1" && ${fields[0]} != Z ]]; then echo "${stat%% *}"; fi
  done
}
session_empty() { [[ -z $(session_members "$1") ]]; }

stop_servers() {
  if [[ ${1:-postfix} == postfix ]]; then stop_server postfix "$POSTFIX_PID" "$POSTFIX_ETC"; fi
  if [[ ${1:-dovecot} == dovecot ]]; then stop_server dovecot "$DOVECOT_PID" "$ETC/dovecot.conf"; fi
}

show_status() {
  local code=0 pid
  if pid=$(live_pid "$DOVECOT_PID" "$ETC/dovecot.conf"); then
    echo "dovecot runs (process $pid): IMAP $AGENTWARM_PORT_IMAP, IMAPS $AGENTWARM_PORT_IMAPS"
  else
    echo "dovecot is stopped"; code=3
  fi
  if pid=$(live_pid "$POSTFIX_PID" "$POSTFIX_ETC"); then
    echo "postfix runs (process $pid): submission $AGENTWARM_PORT_SMTP, SMTPS $AGENTWARM_PORT_SMTPS"
  else
    echo "postfix is stopped"; code=3
  fi
  echo "files: $AW_MAIL_DIR"
  return $code
}

# ---------------------------------------------------------------- changes at run time

# Two tests may add mailboxes at the same moment.
lock_mailboxes() {
  [[ -d $ETC ]] || die "the mail servers of the $AGENTWARM_STACK stack have not been set up: run \`mail-servers.sh start\` first"
  exec 9>"$AW_MAIL_DIR/lock"
  flock 9
}

check_mailbox() {
  local address=$1 password=$2 domain=${1##*@}
  [[ $address =~ ^[a-z0-9._+-]+@[a-z0-9.-]+$ ]] || die "'$address' is not an address in lower-case ASCII: the servers know no others"
  [[ " ${AW_DOMAINS[*]} " == *" $domain "* ]] || die "'$address' is at none of the domains of this stack: ${AW_DOMAINS[*]}"
  [[ $password =~ ^[^[:space:]:]+$ ]] || die "the password of $address is empty or holds a space or colon: choose another"
}

put_mailbox() {
  # Through the environment: awk would interpret backslashes in -v.
  address=$1 password=$2 awk '$1 != ENVIRON["address"] { print } END { print ENVIRON["address"], ENVIRON["password"] }' \
    "$MAILBOXES" >"$MAILBOXES.new"
  chmod 600 "$MAILBOXES.new"
  mv -f "$MAILBOXES.new" "$MAILBOXES"
}

# dovecot looks at its files once a second, so that a fresh mailbox could be refused for a moment.
login_works() {
  run_dovecot_program "$AW_DEBIAN/usr/bin/doveadm" -c "$ETC/dovecot.conf" auth test "$1" "$2" >/dev/null 2>&1
}

add_mailboxes() {
  (( $# > 0 && $# % 2 == 0 )) || die "usage: mail-servers.sh add-mailbox ADDRESS PASSWORD [ADDRESS PASSWORD]..."
  local pairs=("$@") i
  for (( i = 0; i < $#; i += 2 )); do check_mailbox "${pairs[i]}" "${pairs[i + 1]}"; done
  lock_mailboxes
  for (( i = 0; i < $#; i += 2 )); do put_mailbox "${pairs[i]}" "${pairs[i + 1]}"; done
  write_mailbox_maps
  if dovecot_runs; then
    wait_until 10 login_works "${pairs[-2]}" "${pairs[-1]}" || die "dovecot does not know ${pairs[-2]}: see $AW_MAIL_DIR/log/dovecot.log"
  fi
}

main() {
  export_stack_environment
  local command=${1:-}
  if (( $# > 0 )); then shift; fi
  case $command in
    start|stop)
      case ${1:-} in ''|dovecot|postfix) ;; *) die "there is no server '$1': dovecot or postfix" ;; esac
      "${command}_servers" "$@" ;;
    status) show_status ;;
    add-mailbox) require_root; add_mailboxes "$@" ;;
    refresh) require_root; lock_mailboxes; write_mailbox_maps ;;
    junk-share) require_root; lock_mailboxes; write_junk_filter "${1:-}" ;;
    *) die "usage: mail-servers.sh start|stop|status|add-mailbox|refresh|junk-share (the head of the script explains them)" ;;
  esac
}

main "$@"
