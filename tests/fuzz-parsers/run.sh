#!/usr/bin/env bash
# The targets of this folder under libFuzzer, by cargo-fuzz with the compiler that everything is built with:
#
#   run.sh                  all of them, as many at once as there are processors; ends with a line for each
#   run.sh --without-http   those that need no AWS SDK below them, which takes minutes to build
#   run.sh TARGET           one
#   run.sh TARGET FILE...   these inputs once each: what broke it breaks it again
#
# AW_SECONDS says how long each is run (10), AW_SEED what chance follows from (1; 0 is another each time). They begin with `corpus/`
# (and real reports, for what reads mails) and with what earlier runs found in target/fuzz-parsers/corpus; `rm -r target/fuzz-parsers`
# forgets all of it. Overflow is checked. There is no sanitizer: it would watch unsafe code, and
# there is none of ours.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../infra/stack/env.sh"

readonly FOLDER=$AW_ROOT/tests/fuzz-parsers OUT=$AW_ROOT/target/fuzz-parsers
# A slow input is a finding, too: each of a parser's takes milliseconds.
readonly LIMITS=(-max_len=4096 -timeout=10 -rss_limit_mb=1024)

# build FEATURES [TARGET]. Optimised a little, libraries too: without it they run a tenth as fast, and more would take longer to build.
build() {
  say "building the targets in target/fuzz-parsers"
  CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_STRIP=none cargo fuzz build --fuzz-dir "$FOLDER" --target-dir "$OUT" \
    --sanitizer none --debug-assertions --codegen-units 16 --no-default-features --features "libfuzzer${1:+,$1}" "${@:2}"
}

needs_http() { grep --after-context=2 "^name = \"$1\"$" "$FOLDER/Cargo.toml" | grep --quiet '"http"'; }

program() { printf '%s' "$OUT/$(rustc --print host-tuple)/release/$1"; }

# fuzz TARGET: the log is in log/TARGET. Whatever breaks it is written to broken/.
fuzz() {
  local target=$1 arguments=("${LIMITS[@]}" -seed="${AW_SEED:-1}" -max_total_time="${AW_SECONDS:-10}" -print_final_stats=1)
  local words=$FOLDER/words/${target%%_*} kept=("$FOLDER/corpus/$target")
  [[ ! -f $words ]] || arguments+=(-dict="$words")
  [[ $target != mail_* ]] || kept+=("$AW_ROOT/shared/mail/fixtures")
  mkdir -p "$OUT"/{log,broken} "$OUT/corpus/$target"
  "$(program "$target")" "${arguments[@]}" -artifact_prefix="$OUT/broken/$target-" "$OUT/corpus/$target" "${kept[@]}" \
    >"$OUT/log/$target" 2>&1
}

# What became of it, in a line; or all that is to be known of what broke it.
report() {
  local target=$1 log=$OUT/log/$1 broken
  if ! grep --quiet '^Done ' "$log"; then
    grep -E --after-context=3 '^thread .* panicked|^(SUMMARY|==[0-9]+== )' "$log" | head -n 40 >&2 || tail -n 20 "$log" >&2
    broken=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    say "BROKEN: $target. Again: make fuzz-parsers ARGS=\"$target ${broken:-(see $log)}\""
    return 1
  fi
  awk -v target="$target" '/stat::number_of_executed_units/ { runs = $2 } / cov: / { cov = $0; sub(/.* cov: /, "", cov); sub(/ .*/, "", cov) }
    END { printf "%-16s %9d inputs, %5d places reached\n", target, runs, cov }' "$log"
}

run_all() {
  local targets=("$@") target failed=0
  printf '%s\n' "${targets[@]}" | xargs --max-procs="$(nproc)" --replace bash "$FOLDER/run.sh" --one {} || true
  for target in "${targets[@]}"; do report "$target" || failed=1; done
  return "$failed"
}

main() {
  if [[ ${1:-} == --one ]]; then fuzz "$2"; return; fi
  "$AW_STACK_SCRIPTS/install.sh" fuzz-parsers
  cd "$AW_ROOT"
  local all=("$FOLDER"/targets/*.rs) target
  all=("${all[@]##*/}") all=("${all[@]%.rs}")
  case ${1:-} in
    '') build http; run_all "${all[@]}" ;;
    --without-http)
      local light=()
      for target in "${all[@]}"; do needs_http "$target" || light+=("$target"); done
      build ''; run_all "${light[@]}" ;;
    *) if needs_http "$1"; then build http "$1"; else build '' "$1"; fi
       if (( $# == 1 )); then run_all "$1"; else "$(program "$1")" "${LIMITS[@]}" "${@:2}"; fi ;;
  esac
}

main "$@"
