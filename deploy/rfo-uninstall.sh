#!/bin/sh
# Removes RFO from this host, its cluster data included. Nothing that is mounted in its folders is deleted.
#
#   rfo-uninstall.sh [--keep-data]   --keep-data: leaves /var/lib/rancher/rfo and /etc/rancher, so that a new installation goes on with the cluster
#   RFO_DATA_DIR, RFO_RUN_DIR        where the node keeps its data, when not in /var/lib/rancher/rfo and /run/rfo
set -u
data=${RFO_DATA_DIR:-/var/lib/rancher/rfo}
run=${RFO_RUN_DIR:-/run/rfo}
left=0

main() {
  [ "$(id -u)" = 0 ] || { echo "$0 needs root: run it with sudo" >&2; exit 3; }
  # What cannot be ended is still using the files: they stay until it can.
  "$(dirname "$0")/rfo-killall.sh" || { echo "something of the node is left running (see above): nothing is removed" >&2; exit 1; }
  remove_units
  if [ "${1:-}" != --keep-data ]; then
    for folder in "$data" /etc/rancher/rfo /etc/rancher/node; do remove_folder "$folder"; done
    rmdir /etc/rancher /var/lib/rancher 2>/dev/null
    if [ "$data" = /var/lib/rancher/rfo ]; then for folder in /var/lib/kubelet /var/log/pods /var/log/containers; do remove_folder "$folder"; done; fi
  fi
  remove_folder "$run"
  for folder in /usr/local/lib/rfo /usr/local/share/rfo; do remove_folder "$folder"; done
  rm -f /etc/sysctl.d/90-rfo.conf /etc/modules-load.d/90-rfo.conf /etc/NetworkManager/conf.d/rfo.conf
  rm -f /usr/local/bin/rfo /usr/local/bin/rfo-killall.sh /usr/local/bin/rfo-uninstall.sh
  [ "$left" = 0 ] && echo "RFO is removed."
  exit $left
}

remove_units() {
  for unit in rfo-server rfo-agent; do
    [ -d /run/systemd/system ] && systemctl disable "$unit.service" 2>/dev/null
    rm -f "/usr/local/lib/systemd/system/$unit.service" "/usr/local/lib/systemd/system/$unit.env" "/etc/systemd/system/$unit.service"
    rm -f "/etc/default/$unit" "/etc/sysconfig/$unit"
  done
  [ -d /run/systemd/system ] && systemctl daemon-reload
}

# A folder that is a mount itself is emptied and stays; one with something mounted in it stays as it is.
remove_folder() {
  [ -e "$1" ] || return
  inside=$(awk -v root="$1/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo)
  if [ -n "$inside" ]; then
    echo "$1 is kept, as this is mounted in it: $(echo "$inside" | head -n 1)" >&2
    left=1
  elif awk -v folder="$1" '$5 == folder { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    find "$1" -xdev -mindepth 1 -delete || left=1
  else
    rm -rf --one-file-system -- "$1" || left=1
  fi
}

main "$@"
