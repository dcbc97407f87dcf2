/** The part of the join scripts that agents and kubelets have in common. POSIX shell, with curl, openssl, tar and gzip for the rest. */

/** Where all of it lies: `/etc` can be written on every system that is installed by user data, `/usr` cannot. */
export const joinFolder = '/etc/rfo-join';
export const joinScript = `${joinFolder}/join.sh`;
/** What the scripts remember; `joined` in it ends them. */
export const joinState = '/var/lib/rfo-join';

/** Exit code of a host that was refused: another attempt with the same user data is no use. */
const refusedCode = 3;

export const commonShell = String.raw`#!/bin/sh
# Joins this host to its cluster. It may be run again at any time: what is done is not done twice.
set -eu
umask 077
folder=${joinFolder}
state=${joinState}
. "$folder/settings"
[ ! -e "$state/joined" ] || exit 0
mkdir -p "$state"
work=$(mktemp -d "$state/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
node=$NODE_NAME
last=

say() {
  printf 'rfo-join: %s\n' "$*"
}

# Tells the seed server: joined, waiting or refused, and why. Nothing secret is in it, so any server may have it.
report() {
  [ -n "$REPORT_URL" ] || return 0
  text=$(printf %s "$2" | tr -c 'A-Za-z0-9 .,:/_()=-' ' ')
  printf '{"id":"%s","node":"%s","status":"%s","message":"%s"}\n' "$SEED_ID" "$node" "$1" "$text" >"$work/report"
  curl -sSk --max-time 20 --retry 5 --retry-delay 1 --retry-connrefused -o /dev/null \
    -H 'content-type: application/json' --data-binary "@$work/report" "$REPORT_URL" || say 'the report did not arrive'
}

# Says what is wrong; reports it when it is something new.
complain() {
  say "$*"
  [ "$last" != "$*" ] || return 0
  last=$*
  report waiting "$*"
}

refused() {
  say "$*"
  report refused "$*"
  exit ${refusedCode}
}

# Until it works, for as long as it takes: after 1, 2, 4 seconds and so on, at most 30.
retry() {
  pause=1
  until "$@"; do
    say "again in $pause s"
    sleep "$pause"
    pause=$((pause * 2))
    [ "$pause" -le 30 ] || pause=30
  done
}

find_name() {
  [ -n "$node" ] || read -r node </proc/sys/kernel/hostname
  node=$(printf %s "$node" | tr A-Z a-z)
  case $node in
    '' | localhost* | *[!a-z0-9.-]* | -* | .* | *- | *.) complain "\"$node\" cannot be the name of a node"; return 1 ;;
  esac
}

sha256() {
  sum=$(openssl dgst -sha256 -r "$1") && printf %s "$sum" | cut -d ' ' -f 1
}

fetch_programs() {
  eval "url=\$PROGRAM_$arch sum=\$PROGRAM_SUM_$arch"
  say "fetching $url"
  curl -fsSkL --connect-timeout 10 --speed-time 30 --speed-limit 1000 -o "$work/programs" "$url" || {
    complain "$url cannot be fetched"
    return 1
  }
  # By this it is trusted, wherever it comes from.
  found=$(sha256 "$work/programs")
  [ "$found" = "$sum" ] || {
    complain "$url has the SHA-256 $found"
    return 1
  }
  tar -xzf "$work/programs" -C /usr/local || {
    complain "$url cannot be unpacked"
    return 1
  }
  rm "$work/programs"
  # Units may have come along.
  systemctl daemon-reload
  printf '%s\n' "$sum" >"$state/programs"
}

install_programs() {
  [ -n "$PROGRAMS" ] || return 0
  machine=$(uname -m)
  case $machine in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    armv7* | armv8l) arch=arm ;;
    loongarch64) arch=loong64 ;;
    *) arch=$machine ;;
  esac
  case " $PROGRAMS " in
    *" $arch "*) ;;
    *) refused "there are no programs for $machine, only for: $PROGRAMS" ;;
  esac
  eval "wanted=\$PROGRAM_SUM_$arch"
  [ ! -e "$state/programs" ] || [ "$(cat "$state/programs")" != "$wanted" ] || return 0
  retry fetch_programs
}

joined() {
  report joined "$1"
  : >"$state/joined"
  say "$1"
}

PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
retry find_name
`;

/** The unit that runs it: at once, and at every boot until the host has joined. */
export const joinUnit = `[Unit]
Description=Join this host to its cluster
Wants=network-online.target
After=network-online.target
ConditionPathExists=!${joinState}/joined

[Service]
# Not oneshot: the boot does not wait for a CA or a server that cannot be reached.
Type=exec
ExecStart=/bin/sh ${joinScript}
StandardOutput=journal+console
Restart=on-failure
RestartSec=30s
RestartPreventExitStatus=${refusedCode}

[Install]
WantedBy=multi-user.target
`;
