#!/bin/sh
# Runs a TypeScript file of this repository with the Node that package-lock.json pins, installing the npm
# packages first when they are missing or stale. Shell, because a fresh host may only have an old Node.
# run.sh [--root <what needs it>] <file> [argument...]
set -eu
cd "$(dirname "$0")/.."
if [ "$1" = --root ]; then
  [ "$(id -u)" = 0 ] || { echo "rfo: $2 needs root. Run it as root, for example with sudo." >&2; exit 3; }
  shift 2
fi
command -v npm >/dev/null 2>&1 || { echo "rfo: npm is missing. Install it (apt-get install npm, dnf install npm) and run this again." >&2; exit 3; }
stamp=node_modules/.rfo-lock
if [ ! -f "$stamp" ] || [ "$(cat package-lock.json)" != "$(cat "$stamp")" ]; then
  echo "rfo: installing npm packages (once)"
  # Not "npm ci": it fails where a registry mirror lacks the packages of other platforms. This keeps to the lock file all the same.
  npm install --no-save --no-audit --no-fund --loglevel=error || { echo "rfo: npm install failed. Its message above says why; the npm registry must be reachable." >&2; exit 1; }
  cp package-lock.json "$stamp"
fi
node=node_modules/.bin/node
. scripts/lib/check-node.sh
check_node "$node"
exec "$node" --disable-warning=ExperimentalWarning "$@"
