# SPDX-License-Identifier: GPL-2.0-or-later
# For tests/system: each check is a sentence and a command that must succeed.
set -u
cd "$(dirname "$0")/../.."
OUT=${OUT:-build/rel}
case $OUT in /*) ;; *) OUT=$PWD/$OUT ;; esac
XFERLAB=$OUT/xferlab
XFERLAB_MODULES=$OUT
export XFERLAB_MODULES
PYTHON=/usr/bin/python3
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
n_passed=0 n_failed=0

pass() { n_passed=$((n_passed + 1)); }
fail() {
  n_failed=$((n_failed + 1))
  echo "FAIL $(basename "$0"): $*"
}
# check SENTENCE COMMAND...
check() {
  what=$1
  shift
  if "$@" >"$T/check.log" 2>&1; then
    pass
  else
    fail "$what"
    sed 's/^/  /' "$T/check.log" | head -n 15
  fi
}
# status WANT COMMAND...: the exit status is WANT
status() {
  want=$1
  shift
  "$@"
  got=$?
  [ $got -eq "$want" ] || {
    echo "exit status $got, want $want"
    return 1
  }
}
skip() { echo "SKIP $(basename "$0"): $*"; }
finish() {
  echo "$(basename "$0"): $n_passed passed, $n_failed failed"
  [ $n_failed -eq 0 ]
  exit
}
