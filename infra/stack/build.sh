#!/usr/bin/env bash
# Release builds of every function for Lambda: target/lambda/NAME/bootstrap.zip, which template.yaml's CodeUri names and
# `sam deploy` uploads. For arm64 as in the template; AGENTWARM_LAMBDA_ARCH=x86_64 builds for machines that cannot.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

lambda_target() {
  case $1 in
    arm64) echo aarch64-unknown-linux-gnu ;;
    x86_64) echo x86_64-unknown-linux-gnu ;;
    *) die "AGENTWARM_LAMBDA_ARCH is '$1': choose arm64 or x86_64" ;;
  esac
}

require_target() {
  [[ -d $(rustc --print target-libdir --target "$1") ]] \
    || die "Rust's standard library for $1 is missing: run \`rustup target add $1\` (or build with AGENTWARM_LAMBDA_ARCH=x86_64)"
}

main() {
  local target packages=() directory
  cd "$AW_ROOT"
  target=$(lambda_target "${AGENTWARM_LAMBDA_ARCH:-arm64}")
  require_target "$target"
  "$AW_STACK_SCRIPTS/install.sh" tools
  for directory in functions/*/; do packages+=(--package "$(basename "$directory")"); done
  cargo lambda build --release --target "$target" --output-format zip --lambda-dir target/lambda "${packages[@]}"
}

main
