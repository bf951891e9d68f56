# Sourced by mail-servers.sh: the private certificate authority of the local stack.
# shellcheck shell=bash

# The names under which clients may reach the servers.
certificate_names() {
  local names="DNS:localhost,IP:127.0.0.1" domain
  for domain in "${AW_DOMAINS[@]}"; do names+=",DNS:$domain,DNS:mail.$domain"; done
  printf '%s' "$names"
}

# Debian's bare image has no openssl; the unpacked packages then bring it.
openssl_command() { command -v openssl || printf '%s' "$AW_DEBIAN/usr/bin/openssl"; }

# make_certificates DIRECTORY: ca.pem and a server certificate signed by it, unless they are there. The CA's key is not kept,
# so nobody can sign another certificate with it.
make_certificates() {
  local directory=$1 openssl work
  [[ ! -f $directory/server.pem ]] || return 0
  openssl=$(openssl_command)
  install -d "$directory"
  work=$(mktemp -d "$directory/.new-XXXXXX")
  if ! sign_certificates "$openssl" "$work" 2>"$work/errors"; then
    cat "$work/errors" >&2
    die "openssl could not make the certificates of the mail servers (above): is a working openssl installed?"
  fi
  mv "$work/server.key" "$work/ca.pem" "$directory"
  mv "$work/server.pem" "$directory"
  rm -r "$work"
}

sign_certificates() {
  local openssl=$1 work=$2 key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
  "$openssl" req -x509 "${key[@]}" -days 3650 -subj "/CN=AgentWarm local stack" \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$work/ca.key" -out "$work/ca.pem" || return
  "$openssl" req "${key[@]}" -subj "/CN=localhost" -keyout "$work/server.key" -out "$work/server.csr" || return
  printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n' "$(certificate_names)" >"$work/extensions"
  "$openssl" x509 -req -in "$work/server.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 3650 \
    -extfile "$work/extensions" -out "$work/server.pem"
}
