/** The join script of a kubelet: what comes after the common part. */
import { joinFolder } from './shell-common.ts';

export const kubeletShell = String.raw`
read -r token <"$folder/token"

# The address by which this host reaches the API server: the one that it is reached by. curl knows it, whatever the interfaces are called.
find_address() {
  address=$(curl -sS --max-time 20 --cacert "$pki/ca.pem" -o /dev/null -w '%{local_ip}' "$API_SERVER/livez" 2>"$work/error") && [ -n "$address" ] || {
    complain "the API server cannot be reached: $(cat "$work/error")"
    return 1
  }
}

# client or serving, and the profile: asks the CA for a certificate, with the token instead of a certificate that the node does not have yet.
obtain() {
  [ ! -s "$pki/$1.pem" ] || return 0
  # Kept until there is a certificate of it: should the answer be lost, the CA gives the same again.
  key=$state/$1.key
  [ -s "$key" ] || new_key "$key" || {
    complain 'openssl makes no key'
    return 1
  }
  request_for "$1" "$key" "$work/csr" || {
    complain 'openssl makes no request'
    return 1
  }
  printf '{"certificate_request":"%s","hosts":null,"profile":"%s","label":""}' "$(json_text "$work/csr")" "$2" >"$work/request"
  printf '{"token":"%s","request":"%s"}' "$(hmac_of "$work/request")" "$(openssl base64 -A -in "$work/request")" >"$work/envelope"
  status=$(curl -sS --max-time 60 --cacert "$pki/ca.pem" -o "$work/answer" -w '%{http_code}' \
    -H 'content-type: application/json' --data-binary "@$work/envelope" "$CA_URL/api/v1/cfssl/authsign") || {
    complain "$CA_URL does not answer, or not with a certificate of the CA"
    return 1
  }
  error=$(error_in "$work/answer")
  case $status:$error in
    200:*) take "$1" "$work/answer" "$key" ;;
    # The database of the CA.
    400:11000*) complain "the CA cannot issue now: $error"; return 1 ;;
    4*) refused "the CA refuses a certificate of the profile $2 to $node: $error" ;;
    *) complain "the CA answers with status $status $error"; return 1 ;;
  esac
}

write_node() {
  printf "node='%s'\naddress='%s'\n" "$node" "$address" >"$state/node.new"
  chmod 644 "$state/node.new"
  mv "$state/node.new" "$state/node"
}

write_kubeconfig() {
  cat >"$work/kubeconfig" <<END
apiVersion: v1
kind: Config
clusters:
- name: cluster
  cluster:
    server: $API_SERVER
    certificate-authority: $pki/ca.pem
users:
- name: node
  user:
    client-certificate: $pki/client.pem
    client-key: $pki/client.pem
contexts:
- name: node
  context:
    cluster: cluster
    user: node
current-context: node
END
  mv "$work/kubeconfig" /var/lib/kubelet/kubeconfig
}

# What only the host knows is added here.
write_configuration() {
  cat "${joinFolder}/kubelet.yaml" >"$work/config.yaml"
  # A resolver on the host itself cannot be reached from pods.
  if grep -q '^nameserver 127\.' /etc/resolv.conf 2>/dev/null && [ -s /run/systemd/resolve/resolv.conf ]; then
    echo 'resolvConf: /run/systemd/resolve/resolv.conf' >>"$work/config.yaml"
  fi
  [ -e /sys/fs/cgroup/cgroup.controllers ] || echo 'failCgroupV1: false' >>"$work/config.yaml"
  mv "$work/config.yaml" /var/lib/kubelet/config.yaml
}

prepare_host() {
  modprobe -a overlay br_netfilter 2>/dev/null || say 'overlay and br_netfilter could not be loaded: they must be part of the kernel'
  sysctl -q -p /etc/sysctl.d/90-rfo-join.conf || say 'the settings of the kernel could not be set'
  if [ -e "${joinFolder}/containerd.toml" ] && [ ! -e /etc/containerd/config.toml ]; then
    mkdir -p /etc/containerd
    cp "${joinFolder}/containerd.toml" /etc/containerd/config.toml
  fi
}

start_kubelet() {
  systemctl enable -q "$RUNTIME" kubelet.service rfo-renew.timer && systemctl start "$RUNTIME" kubelet.service rfo-renew.timer || {
    complain "the kubelet cannot be started: systemctl status $RUNTIME kubelet"
    return 1
  }
}

registered() {
  curl -fsS --max-time 30 --cacert "$pki/ca.pem" --cert "$pki/client.pem" --key "$pki/client.pem" -o /dev/null \
    "$API_SERVER/api/v1/nodes/$node" 2>"$work/error" || {
    complain "the kubelet has not registered the node yet: $(cat "$work/error")"
    return 1
  }
}

install_programs
command -v kubelet >/dev/null || refused 'there is no kubelet'
prepare_host
retry fetch_authority
retry find_address
retry obtain client "$CLIENT_PROFILE"
retry obtain serving "$SERVING_PROFILE"
write_node
write_configuration
write_kubeconfig
retry start_kubelet
retry registered
joined "$node has registered"
rm -f "$folder/token" "$state/client.key" "$state/serving.key"
`;
