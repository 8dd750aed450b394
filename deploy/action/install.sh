#!/usr/bin/env bash
# Step 1 of action.yml: headwatch in a venv of its own, with the versions of requirements.lock.
set -euo pipefail

venv="$RUNNER_TEMP/headwatch-venv"
installed="$venv/.installed"
# A second use in the same job finds it; another version of the action makes its own.
if [ "$(cat "$installed" 2>/dev/null)" = "$GITHUB_ACTION_PATH" ]; then
  exit 0
fi
if ! "$ACTION_PYTHON" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))'; then
  echo "::error title=headwatch::Python 3.11 or newer with its venv module is needed:" \
    "name one by the input python, or put actions/setup-python before this step"
  exit 2
fi
"$ACTION_PYTHON" -m venv --clear "$venv"
# A constraint may carry no hash where a directory is installed, so they are left out.
sed -E 's/ *\\$//; /^ +--hash=/d' "$GITHUB_ACTION_PATH/requirements.lock" >"$venv/constraints.txt"
pip=("$venv/bin/python" -m pip --disable-pip-version-check --quiet)
# Built without isolation, so that what builds it has its version from the lock as well.
"${pip[@]}" install --constraint "$venv/constraints.txt" hatchling
"${pip[@]}" install --constraint "$venv/constraints.txt" --no-build-isolation "$GITHUB_ACTION_PATH"
printf %s "$GITHUB_ACTION_PATH" >"$installed"
