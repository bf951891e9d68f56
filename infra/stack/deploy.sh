#!/usr/bin/env bash
# Deploys what `make build` left, by `sam deploy` with the sam under `.local/` and the machine's own AWS credentials: deploy.sh [ARGUMENT...]
# Stack, region and parameters come from samconfig.toml; arguments go to sam.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

cd "$AW_ROOT"
[[ -f samconfig.toml ]] || die "samconfig.toml is missing: copy samconfig.toml.example to it, and edit stack name, region and parameters"
for directory in functions/*/; do
  zip=target/lambda/$(basename "$directory")/bootstrap.zip
  [[ -f $zip ]] || die "$zip is missing: run \`make build\` first"
done
"$AW_STACK_SCRIPTS/install.sh" tools
# By name: sam would otherwise take what a `sam build` has left.
exec sam deploy --template-file template.yaml "$@"
