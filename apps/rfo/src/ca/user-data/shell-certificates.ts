/** The part of the kubelet's scripts that deals with certificates: keys, requests, HMAC, renewal. Only curl and openssl, and a shell. */
import { joinState } from './shell-common.ts';

export const kubeletPki = '/var/lib/kubelet/pki';

/**
 * Expects `work`, `CA_URL`, `CA_PIN` and the function `complain`. The key of the token is only ever in a variable of the shell and in pipes:
 * openssl would take it as an argument, where everybody on the host could read it. So the two hashes of an HMAC (RFC 2104) are made by hand.
 */
export const certificateShell = String.raw`
pki=${kubeletPki}

# The value of "certificate" in a JSON answer, as PEM. Base64 needs no escapes but those of line ends.
certificate_in() {
  found=$(sed -n 's/.*"certificate" *: *"\([^"]*\)".*/\1/p' "$1")
  [ -n "$found" ] && printf '%b\n' "$found"
}

# A value of an error in a JSON answer.
error_in() {
  sed -n 's/.*"errors" *: *\[{"code":\([0-9]*\),"message":"\([^"]*\)".*/\1 \2/p' "$1"
}

# SHA-256 of a public key as it stands in a certificate or a request.
key_of() {
  openssl "$1" -in "$2" -noout -pubkey 2>/dev/null | openssl pkey -pubin -outform DER 2>/dev/null | openssl dgst -sha256 -r | cut -d ' ' -f 1
}

# Nothing secret is sent before the pin is compared: until then it does not matter who answers.
fetch_authority() {
  curl -sSk --max-time 30 -o "$work/info" -H 'content-type: application/json' -d '{"label":""}' "$CA_URL/api/v1/cfssl/info" || {
    complain "$CA_URL does not answer"
    return 1
  }
  # Only the first one: what else came along is not pinned.
  certificate_in "$work/info" | openssl x509 -out "$work/ca.pem" 2>/dev/null || {
    complain "$CA_URL does not answer as a CA"
    return 1
  }
  pin=$(key_of x509 "$work/ca.pem")
  [ "$pin" = "$CA_PIN" ] || {
    complain "$CA_URL is another CA: the SHA-256 of its key is $pin, nothing was sent to it"
    return 1
  }
  mkdir -p "$pki"
  chmod 644 "$work/ca.pem"
  mv "$work/ca.pem" "$pki/ca.pem"
}

new_key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.new" 2>/dev/null && mv "$1.new" "$1"
}

# client: who the node is, which Kubernetes wants without any other name. serving: where it can be reached.
request_for() {
  set -- "$1" "$2" "$3" "/O=system:nodes/CN=system:node:$node"
  case $1 in
    client) openssl req -new -sha256 -key "$2" -subj "$4" -out "$3" ;;
    serving) openssl req -new -sha256 -key "$2" -subj "$4" -addext "subjectAltName=DNS:$node,IP:$address" -out "$3" ;;
  esac
}

# A PEM file as a text of JSON.
json_text() {
  while IFS= read -r line; do printf '%s\\n' "$line"; done <"$1"
}

# The bytes of the key, up to a block of SHA-256, each combined with a number by exclusive or.
padded_key() {
  count=0
  for byte in $(printf %s "$token" | fold -w 2); do
    octal $((0x$byte ^ $1))
    count=$((count + 1))
  done
  while [ "$count" -lt 64 ]; do
    octal "$1"
    count=$((count + 1))
  done
}

octal() {
  printf "\\$(($1 / 64))$(($1 / 8 % 8))$(($1 % 8))"
}

hmac_of() {
  {
    padded_key 92
    { padded_key 54; cat "$1"; } | openssl dgst -sha256 -binary
  } | openssl dgst -sha256 -binary | openssl base64 -A
}

# Seconds that a certificate is good for, to a hundredth, by halving: no date is written alike on all systems.
seconds_left() {
  low=0 high=2147483647
  while [ $((high - low)) -gt $((low / 100 + 1)) ]; do
    middle=$((low + (high - low) / 2))
    if openssl x509 -in "$1" -noout -checkend "$middle" >/dev/null 2>&1; then low=$middle; else high=$middle; fi
  done
  printf '%s\n' "$low"
}

# Takes what the CA answered: client or serving, file of the answer, file of the key. Both go into one file, so that one rename replaces both.
take() {
  certificate_in "$2" >"$work/issued.pem" && openssl verify -partial_chain -CAfile "$pki/ca.pem" "$work/issued.pem" >/dev/null 2>&1 || {
    complain "the CA answered without a certificate of its own for $1"
    return 1
  }
  openssl pkey -in "$3" -pubout -outform DER -out "$work/key.der" && [ "$(key_of x509 "$work/issued.pem")" = "$(sha256 "$work/key.der")" ] || {
    complain "the CA answered with a certificate of another key for $1"
    return 1
  }
  # Renewed when a third of its life is left.
  due=$(($(seconds_left "$work/issued.pem") / 3))
  cat "$work/issued.pem" "$3" >"$pki/$1.new"
  printf '%s\n' "$due" >"$pki/$1.due.new"
  sync
  mv "$pki/$1.due.new" "$pki/$1.due"
  mv "$pki/$1.new" "$pki/$1.pem"
  say "the $1 certificate is here; it is renewed when it has $due seconds left"
}
`;

/** Renews what is due, with the certificate that the node has. */
export const renewShell = String.raw`
sha256() {
  sum=$(openssl dgst -sha256 -r "$1") && printf %s "$sum" | cut -d ' ' -f 1
}

say() {
  printf 'rfo-renew: %s\n' "$*"
}

failed=0
complain() {
  say "$*"
  failed=1
}

# What to trust from now on: while the CA changes its key two of them. It says so over a connection that is trusted already.
take_authorities() {
  found=$(sed -n 's/.*"authorities" *: *"\([^"]*\)".*/\1/p' "$1")
  [ -n "$found" ] || return 0
  printf '%b' "$found" >"$work/ca.pem"
  chmod 644 "$work/ca.pem"
  cmp -s "$work/ca.pem" "$pki/ca.pem" || mv "$work/ca.pem" "$pki/ca.pem"
}

renew() {
  ! openssl x509 -in "$pki/$1.pem" -noout -checkend "$(cat "$pki/$1.due")" >/dev/null || return 0
  new_key "$work/key" && request_for "$1" "$work/key" "$work/csr" || {
    complain "no request could be made for $1"
    return 0
  }
  printf '{"certificate_request":"%s","profile":"%s"}' "$(json_text "$work/csr")" "$2" >"$work/request"
  status=$(curl -sS --max-time 60 --cacert "$pki/ca.pem" --cert "$pki/client.pem" --key "$pki/client.pem" -o "$work/answer" -w '%{http_code}' \
    -H 'content-type: application/json' --data-binary "@$work/request" "$CA_URL/api/v1/rfo/renew") || {
    complain "$CA_URL does not answer"
    return 0
  }
  [ "$status" = 200 ] || {
    complain "the CA does not renew the $1 certificate: status $status $(error_in "$work/answer")"
    return 0
  }
  take_authorities "$work/answer"
  take "$1" "$work/answer" "$work/key" || failed=1
}

set -eu
umask 077
state=${joinState}
. /etc/rfo-join/settings
. "$state/node"
work=$(mktemp -d "$state/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
# The client's first: by it the other one is asked for.
renew client "$CLIENT_PROFILE"
renew serving "$SERVING_PROFILE"
exit "$failed"
`;
