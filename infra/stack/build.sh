#!/usr/bin/env bash
# Builds of every function for Lambda, which `make deploy` uploads.
#
#   build.sh         builds of the profile `deploy` in target/lambda/NAME/bootstrap.zip, which template.yaml's CodeUri names. For arm64 as in the template;
#                    AGENTWARM_LAMBDA_ARCH=x86_64 is for machines that cannot, and then deploy with the parameter Architecture=x86_64
#   build.sh quick   builds for this machine, without optimisation, in target/lambda-quick/NAME/bootstrap.zip: what the tests deploy
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

readonly QUICK=target/lambda-quick

lambda_target() {
  case $1 in
    arm64) echo aarch64-unknown-linux-gnu ;;
    x86_64) echo x86_64-unknown-linux-gnu ;;
    *) die "AGENTWARM_LAMBDA_ARCH is '$1': choose arm64 or x86_64" ;;
  esac
}

# has_target TRIPLE: whether the compiler in use can build for it.
has_target() { [[ -d $(rustc --print target-libdir --target "$1") ]]; }

# install_target TRIPLE: fetches Rust's standard library for it, where rustup looks after the compiler; a system's own compiler is left alone.
install_target() {
  if has_target "$1"; then return; fi
  if command -v rustup >/dev/null; then
    say "installing Rust's standard library for $1"
    rustup target add "$1" || true
  fi
  has_target "$1" || die "Rust's standard library for $1 is missing: run \`rustup target add $1\` where it can download," \
    "or build with AGENTWARM_LAMBDA_ARCH=x86_64"
}

build_release() {
  local target
  target=$(lambda_target "${AGENTWARM_LAMBDA_ARCH:-arm64}")
  install_target "$target"
  cargo lambda build --profile deploy --target "$target" --output-format zip --lambda-dir target/lambda "${packages[@]}"
}

# With what the tests were built of, so that little but linking is left.
build_quick() {
  local name
  cargo build "${packages[@]}"
  for name in "${functions[@]}"; do
    if [[ $QUICK/$name/bootstrap.zip -nt ${CARGO_TARGET_DIR:-target}/debug/$name ]]; then continue; fi
    mkdir -p "$QUICK/$name"
    strip -o "$QUICK/$name/bootstrap" "${CARGO_TARGET_DIR:-target}/debug/$name"
    zip_bootstrap "$QUICK/$name"
  done
}

# Lambda wants one executable file of this name.
zip_bootstrap() {
  "$AW_VENV_TOOLS/bin/python" - "$1" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
with zipfile.ZipFile(folder / "bootstrap.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
    archive.write(folder / "bootstrap", "bootstrap")
PYTHON
}

cd "$AW_ROOT"
packages=() functions=()
for directory in functions/*/; do
  functions+=("$(basename "$directory")")
  packages+=(--package "$(basename "$directory")")
done
"$AW_STACK_SCRIPTS/install.sh" tools
case ${1:-release} in
  release) build_release ;;
  quick) build_quick ;;
  *) die "usage: build.sh [quick] (the head of the script explains them)" ;;
esac
