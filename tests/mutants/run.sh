#!/usr/bin/env bash
# Tests the simulation: each patch beside this script breaks the engine in one way, and random worlds must find it within 200 seeds.
#
# Works on a copy of the tree in target/mutants (what is changed and not committed included, but for new files) with a target directory
# of its own, so that each patch rebuilds three crates. Arguments are names of patches; without any, all are tried. Prints for each the
# seed that found it and the first complaint; fails if one survives, does not apply or does not compile.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../infra/stack/env.sh"

readonly SEEDS=200 PATCHES=$AW_ROOT/tests/mutants COPY=$AW_ROOT/target/mutants/tree LOG=$AW_ROOT/target/mutants/log

make_copy() {
  local commit
  commit=$(git -C "$AW_ROOT" -c user.name=mutants -c user.email=mutants@localhost stash create)
  [[ -n $commit ]] || commit=$(git -C "$AW_ROOT" rev-parse HEAD)
  [[ -d $COPY ]] || git clone --quiet --shared --no-checkout "$AW_ROOT" "$COPY"
  # What is unchanged keeps its time, so that it is not built again.
  git -C "$COPY" checkout --quiet --force --detach "$commit"
  forget_servers
}

# The simulation talks to no server: without the other suites' dependencies nothing of AWS is built.
forget_servers() {
  local manifest=$COPY/tests/Cargo.toml wanted='^(agentwarm-(app|core|testkit)|async-trait|insta|jiff|tokio) '
  awk -v wanted="$wanted" '/^\[/ { dev = /dev-dependencies/ } !dev || /^\[/ || $0 ~ wanted' "$AW_ROOT/tests/Cargo.toml" >"$LOG.manifest"
  cmp --quiet "$LOG.manifest" "$manifest" || cp "$LOG.manifest" "$manifest"
}

# Optimised a little: the first build takes longer, and the worlds a quarter of their time.
simulate() (
  cd "$COPY"
  export CARGO_TARGET_DIR=$AW_ROOT/target/mutants/target CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_OPT_LEVEL=1
  export AW_SEEDS=$SEEDS AW_SEED=1 RUST_BACKTRACE=0
  cargo test --quiet --package agentwarm-tests --test simulation "$@"
)

worlds() { simulate -- --exact faults::storms_lose_nothing --nocapture; }

# What was found, from a log: the seed and the first complaint.
found() {
  awk '/found by seed/ && !done {
    done = 1
    sub(/.*found by seed/, "found by seed")
    if (/things are wrong/) { sub(/:.*/, ": "); printf "%s", $0; getline }
    print substr($0, 1, 160)
  }' "$1"
}

# try NAME: whether the worlds find what this patch breaks.
try() {
  local what
  git -C "$COPY" apply "$PATCHES/$1.patch" || die "$1.patch no longer applies: make it anew"
  simulate --no-run >"$LOG.$1" 2>&1 || { cat "$LOG.$1" >&2; die "$1.patch does not compile any more"; }
  if worlds >"$LOG.$1" 2>&1; then what="survived $SEEDS seeds"; else what=$(found "$LOG.$1"); fi
  git -C "$COPY" apply --reverse "$PATCHES/$1.patch"
  printf '%s: %s\n' "$1" "${what:-failed without a complaint, see $LOG.$1}"
  [[ $what == found* ]]
}

main() {
  local name all=0 caught=0
  if (( $# == 0 )); then
    for name in "$PATCHES"/*.patch; do set -- "$@" "$(basename "$name" .patch)"; done
  fi
  mkdir -p "$AW_ROOT/target/mutants"
  make_copy
  worlds >"$LOG" 2>&1 || { cat "$LOG" >&2; die "the worlds fail without any patch"; }
  for name in "$@"; do
    all=$((all + 1))
    if try "$name"; then caught=$((caught + 1)); fi
  done
  printf '%s of %s\n' "$caught" "$all"
  (( caught == all ))
}

main "$@"
