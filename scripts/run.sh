#!/bin/sh
# Runs a TypeScript file of this repository with the Node that package-lock.json pins, installing the npm
# packages first when they are missing or stale. Shell, because a fresh host may only have an old Node.
set -eu
cd "$(dirname "$0")/.."
command -v npm >/dev/null 2>&1 || { echo "rfo: npm is missing: install it (apt-get install npm, dnf install npm) and run this again" >&2; exit 1; }
stamp=node_modules/.rfo-lock
if ! cmp -s package-lock.json "$stamp"; then
  echo "rfo: installing npm packages (once)"
  npm ci --no-audit --no-fund --loglevel=error || { echo "rfo: npm ci failed: is the npm registry reachable?" >&2; exit 1; }
  cp package-lock.json "$stamp"
fi
exec node_modules/.bin/node --disable-warning=ExperimentalWarning "$@"
