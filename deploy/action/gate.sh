#!/usr/bin/env bash
# Step 2 of action.yml: the gate, its reports and outputs, and how the step ends.
set -euo pipefail

refuse() {
  echo "::error title=headwatch::$1"
  exit 2
}

# An input that is empty is not asked for. In one word, so that no value is taken for an option.
arguments=(gate)
option() {
  if [ -n "$2" ]; then arguments+=("$1=$2"); fi
}
flag() {
  case "$3" in
    true) arguments+=("$2") ;;
    false | "") ;;
    *) refuse "$1: expected true or false" ;;
  esac
}

case "$GATE_INCONCLUSIVE_AS" in
  inconclusive | fail | pass) ;;
  *) refuse "inconclusive-as: expected inconclusive, fail or pass" ;;
esac
flag wait wait "$GATE_WAIT"
flag strict --strict "$GATE_STRICT"
option --config "$GATE_CONFIG"
option --gate "$GATE_NAME"
option --for "$GATE_FOR"
option --timeout "$GATE_TIMEOUT"
option --accepted "$GATE_ACCEPTED"
option --state "$GATE_STATE"
option --baseline "$GATE_BASELINE"
option --candidate "$GATE_CANDIDATE"
while read -r url; do option --reference "$url"; done <<<"$GATE_REFERENCES"
option --network "$GATE_NETWORK"
option --traffic "$GATE_TRAFFIC"

reports=$(mktemp -d "$RUNNER_TEMP/headwatch-gate.XXXXXX")
arguments+=(
  --output "json=$reports/headwatch.json"
  --output "junit=$reports/headwatch.xml"
  --output "sarif=$reports/headwatch.sarif"
  --output "markdown=$GITHUB_STEP_SUMMARY"
  --output "github-output=$GITHUB_OUTPUT"
  --output "annotations=$reports/annotations"
)

# The text holds words of nodes, and GitHub obeys commands that it finds in a line of a log: between
# these two lines it does not. Nobody can guess the word that ends it.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
code=0
"$RUNNER_TEMP/headwatch-venv/bin/headwatch" "${arguments[@]}" || code=$?
echo "::$word::"

echo "exit-code=$code" >>"$GITHUB_OUTPUT"
# There are reports only where there is a verdict: not after a mistake in the configuration.
if [ -s "$reports/headwatch.json" ]; then
  cat "$reports/annotations"
  {
    echo "json=$reports/headwatch.json"
    echo "junit=$reports/headwatch.xml"
    echo "sarif=$reports/headwatch.sarif"
  } >>"$GITHUB_OUTPUT"
else
  echo "::error title=headwatch::the gate ended with exit code $code and no verdict; the log says why"
fi

if [ "$code" -eq 3 ]; then
  case "$GATE_INCONCLUSIVE_AS" in
    fail) code=1 ;;
    pass)
      code=0
      echo "::warning title=headwatch::inconclusive, which this step was told to let pass"
      ;;
  esac
fi
exit "$code"
