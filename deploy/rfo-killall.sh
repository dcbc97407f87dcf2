#!/bin/sh
# Ends everything of an RFO node on this host: Kubernetes' processes, pods, mounts, pod network, firewall rules. What is on disk stays.
# The same as `rfo killall`, without needing rfo itself. May be run at any time and again.
#
#   rfo-killall.sh [--shutdown]     --shutdown: the host goes down; pods get 20 s to end, and systemd's units are left to systemd
#   RFO_DATA_DIR, RFO_RUN_DIR       where the node keeps its data, when not in /var/lib/rancher/rfo and /run/rfo
set -u
data=${RFO_DATA_DIR:-/var/lib/rancher/rfo}
run=${RFO_RUN_DIR:-/run/rfo}
socket=$run/containerd/containerd.sock
if [ "$data" = /var/lib/rancher/rfo ]; then kubelet=/var/lib/kubelet; else kubelet=$data/agent/kubelet; fi
grace=0
[ "${1:-}" = --shutdown ] && grace=20
left=0

main() {
  [ "$(id -u)" = 0 ] || { echo "$0 needs root: run it with sudo" >&2; exit 3; }
  if [ "$grace" = 0 ] && [ -d /run/systemd/system ]; then systemctl stop rfo-server.service rfo-agent.service 2>/dev/null; fi
  end_components
  remove_vip
  sockets=$(shim_sockets)
  end_containers
  unmount_all
  remove_pod_network
  remove_rules iptables
  remove_rules ip6tables
  remove_tables
  remove_cgroups
  restore_settings
  for file in $sockets; do rm -f -- "$file"; done
  for folder in "$run/containerd" "$run/flannel" "$run/nri" "$run/processes"; do remove_folder "$folder"; done
  exit $left
}

report() {
  echo "left behind: $1" >&2
  left=1
}

# The virtual IP, if this node holds it: run/vip.json names it.
remove_vip() {
  vip=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$run/vip.json" 2>/dev/null)
  link=$(sed -n 's/.*"interface":"\([^"]*\)".*/\1/p' "$run/vip.json" 2>/dev/null)
  [ -z "$vip" ] && return
  ip address delete "$vip" peer 192.0.0.8/32 dev "$link" 2>/dev/null
  if ip -4 -o address show | grep -qF "inet $vip peer 192.0.0.8/32 "; then report "virtual IP $vip"; else rm -f -- "$run/vip.json"; fi
}

# The processes that rfo has recorded, told from later ones with the same number by their start time.
end_components() {
  pids=
  for record in "$run"/processes/*.json; do
    [ -f "$record" ] || continue
    pid=$(sed -n 's/.*"identity":{[^}]*"pid":\([0-9]*\).*/\1/p' "$record")
    started=$(sed -n 's/.*"identity":{[^}]*"startTime":"\([0-9]*\)".*/\1/p' "$record")
    [ -n "$pid" ] && [ "$(start_time "$pid")" = "$started" ] && pids="$pids $pid"
  done
  [ -z "$pids" ] && return
  kill -TERM $pids 2>/dev/null
  wait_for 10 $pids || { kill -KILL $pids 2>/dev/null; wait_for 5 $pids || report "processes $pids"; }
}

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# Shims are known by the socket they were told; everything that descends from them is a container's.
end_containers() {
  shims=
  for dir in /proc/[0-9]*; do
    cat "$dir/cmdline" 2>/dev/null | tr '\0' '\n' | awk -v socket="$socket" '
      NR == 1 && $0 !~ /containerd-shim/ { exit 1 }
      last == "-address" && $0 == socket { found = 1; exit }
      { last = $0 }
      END { exit !found }' && shims="$shims ${dir#/proc/}"
  done
  [ -z "$shims" ] && return
  contained=$(descendants $shims)
  if [ "$grace" != 0 ] && [ -n "$contained" ]; then
    kill -TERM $contained 2>/dev/null
    wait_for "$grace" $contained
  fi
  kill -KILL $shims $contained 2>/dev/null
  late=$(descendants $shims)
  [ -n "$late" ] && kill -KILL $late 2>/dev/null
  wait_for 5 $shims $contained $late || report "processes of containers"
}

# They lie in /run/containerd/s whatever containerd's own folder is, and stay there when a shim is killed.
shim_sockets() {
  sed -n 's/.*"address":"unix:\/\/\([^"]*\)".*/\1/p' "$run"/containerd/io.containerd.runtime.v2.task/k8s.io/*/bootstrap.json 2>/dev/null | sort -u
}

descendants() {
  for stat in /proc/[0-9]*/stat; do sed 's/^\([0-9]*\) .*) [^ ]* \([0-9]*\) .*/\1 \2/' "$stat" 2>/dev/null; done | awk -v roots="$*" '
    { parent[$1] = $2 }
    END {
      n = split(roots, list, " "); for (i = 1; i <= n; i++) below[list[i]] = root[list[i]] = 1
      do { more = 0; for (pid in parent) if (!(pid in below) && (parent[pid] in below)) { below[pid] = 1; more = 1 } } while (more)
      for (pid in below) if (!(pid in root)) print pid
    }'
}

# wait_for SECONDS PID...: true when all have ended; a zombie has.
wait_for() {
  rounds=$(($1 * 20))
  shift
  while :; do
    living=
    for pid in "$@"; do
      state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1)
      case $state in '' | Z | X) ;; *) living=1 ;; esac
    done
    [ -z "$living" ] && return 0
    rounds=$((rounds - 1))
    [ "$rounds" -le 0 ] && return 1
    sleep 0.05
  done
}

# mounts_below FOLDER: mount points strictly below, the latest first.
mounts_below() {
  awk -v root="$1/" 'index($5, root) == 1 { line[NR] = $5 } END { for (i = NR; i > 0; i--) if (i in line) print line[i] }' /proc/self/mountinfo |
    sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g' | while IFS= read -r point; do printf '%b\n' "$point"; done
}

# self_binds FOLDER: how often the folder is mounted on itself, as kubelet does where the host does not share mounts.
self_binds() {
  awk -v folder="$1" '
    { parent[$1] = $2; device[$1] = $3; root[$1] = $4; point[$1] = $5 }
    END {
      for (id in point) {
        below = parent[id]
        if (point[id] != folder || device[id] != device[below]) continue
        base = root[below] == "/" ? "" : root[below]
        skip = point[below] == "/" ? 0 : length(point[below])
        if (root[id] == base substr(folder, skip + 1)) count++
      }
      print count + 0
    }' /proc/self/mountinfo
}

unmount_all() {
  for root in "$run" "$kubelet/pods" "$kubelet/plugins" "$data/agent/containerd/tmpmounts"; do
    mounts_below "$root" | while IFS= read -r point; do
      umount "$point" 2>/dev/null || umount -l "$point"
    done
    [ -z "$(mounts_below "$root")" ] || report "mounts below $root"
  done
  count=$(self_binds "$kubelet")
  while [ "$count" -gt 0 ]; do
    umount "$kubelet" || umount -l "$kubelet"
    count=$((count - 1))
  done
}

remove_pod_network() {
  living=$(for ns in /proc/[0-9]*/ns/net; do readlink "$ns" 2>/dev/null; done | sort -u)
  for file in /run/netns/cni-*; do
    [ -e "$file" ] || continue
    # A namespace in which nobody lives is of no use to anybody; that of another runtime has at least a pause process.
    case $living in *"net:[$(stat -L -c %i "$file")]"*) continue ;; esac
    umount -l "$file" 2>/dev/null
    rm -f -- "$file"
  done
  range=$(sed -n 's/.*"Network":"\([^"]*\)".*/\1/p' "$data/agent/etc/flannel/net-conf.json" 2>/dev/null)
  [ -n "$range" ] && ip route flush root "$range" 2>/dev/null
  for link in $(ip -o link show master cni0 2>/dev/null | sed 's/^[0-9]*: \([^:@]*\).*/\1/' | grep '^veth') cni0 flannel.1 flannel-v6.1 kube-ipvs0 nodelocaldns; do
    ip link delete "$link" 2>/dev/null
    # The end of a pod's pair goes by itself when the pod's namespace does.
    if ip link show dev "$link" >/dev/null 2>&1; then report "interface $link"; fi
  done
}

# Only our chains, and the rules that lead to them: all others stay untouched, also those that are added meanwhile.
remove_rules() {
  command -v "$1-save" >/dev/null || return
  removal=$("$1-save" 2>/dev/null | awk '
    function flush() {
      if (chains == "" && rules == "") return
      n = split(chains, chain, " ")
      print table; for (i = 1; i <= n; i++) print ":" chain[i] " - [0:0]"
      printf "%s", rules; for (i = 1; i <= n; i++) print "-X " chain[i]
      print "COMMIT"
    }
    /^\*/ { table = $0; chains = rules = "" }
    /^:(KUBE|CNI|FLANNEL)-/ { chains = chains " " substr($1, 2) }
    /^-A / && $2 !~ /^(KUBE|CNI|FLANNEL)-/ && (/ -[jg] (KUBE|CNI|FLANNEL)-/ || /--comment "?(flanneld |kubernetes )/) { sub(/^-A /, "-D "); rules = rules $0 "\n" }
    /^COMMIT/ { flush() }')
  [ -z "$removal" ] && return
  printf '%s\n' "$removal" | "$1-restore" --noflush --wait 5 || report "rules of $1"
}

remove_tables() {
  command -v nft >/dev/null || return
  nft list tables 2>/dev/null | while read -r _ family name; do
    case $name in
      kube-proxy | flannel-ipv4 | flannel-ipv6 | cni_hostport | cni_plugins_masquerade | rfo-*) echo "delete table $family $name" ;;
    esac
  done | nft -f - || report "tables of nftables"
}

remove_cgroups() {
  [ -d /run/systemd/system ] && [ "$grace" = 0 ] && systemctl stop kubepods.slice 2>/dev/null
  for root in $(awk '$5 ~ "^/sys/fs/cgroup" && / - cgroup2? / { print $5 "/kubepods"; print $5 "/kubepods.slice" }' /proc/self/mountinfo); do
    [ -d "$root" ] || continue
    # The kernel lets only empty ones go; a killed process leaves its own a moment late.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      find "$root" -depth -type d -exec rmdir {} + 2>/dev/null
      [ -d "$root" ] || break
      sleep 0.05
    done
    [ -d "$root" ] && report "cgroup $root"
  done
}

# Puts back what nobody has changed since.
restore_settings() {
  memory=$run/kernel-settings.json
  [ -f "$memory" ] || return
  sed 's/},/}\n/g' "$memory" | sed -n 's/.*"\([^"]*\)":{"old":"\([^"]*\)","set":"\([^"]*\)"}.*/\1 \2 \3/p' | awk '{ line[NR] = $0 } END { for (i = NR; i > 0; i--) print line[i] }' |
    while read -r key old new; do
      file=/proc/sys/$(echo "$key" | tr . /)
      [ "$(cat "$file" 2>/dev/null)" = "$new" ] && echo "$old" >"$file"
    done
  rm -f -- "$memory"
}

# Never follows a mount into somebody's data.
remove_folder() {
  [ -e "$1" ] || return
  [ -z "$(mounts_below "$1")" ] || { report "$1, as something is mounted in it"; return; }
  rm -rf --one-file-system -- "$1" || report "$1"
}

main
