# ---- asking the registry ----

# judge TEXT: what a client's answer says, in $judged
judge() {
  case $1 in
    *x509* | *"certificate signed by unknown"* | *"certificate verify failed"* | *"unable to get local issuer"* | \
      *"self-signed certificate"* | *"self signed certificate"* | *"certificate verification failed"* | *"PKIX path"* | \
      *UNABLE_TO_VERIFY* | *UNABLE_TO_GET_ISSUER* | *SELF_SIGNED_CERT* | *ERR_TLS_CERT_ALTNAME* | *"certificate is NOT trusted"* | \
      *"SSL certificate problem"* | *"No subject alternative"* | *"CERTIFICATE_VERIFY_FAILED"*) judged=untrusted ;;
    *"server gave HTTP response to HTTPS client"* | *"wrong version number"*) judged=plain ;;
    *"connection refused"* | *"Connection refused"* | *"no such host"* | *"timeout"* | *"timed out"* | *"no route to host"* | *"No route to host"* | \
      *"network is unreachable"* | *"resolve host"* | *"server misbehaving"* | *UnknownHost* | *ENOTFOUND* | *EAI_AGAIN* | *ECONNREFUSED*) judged=unreachable ;;
    *unauthorized* | *Unauthorized* | *"authentication required"* | *"no basic auth"* | *"authorization failed"* | *"manifest unknown"* | \
      *"name unknown"* | *denied* | *"not found"* | *"not exist"* | *"response code: 40"* | *" 401"* | *" 404"* | *"HTTP Error 40"*) judged=trusted ;;
    *) judged=unclear ;;
  esac
}

# verdict TEXT HOW FIX: says what a client's answer means
verdict() {
  judge "$1"
  verdict_last=$(printf '%s\n' "$1" | sed '/^[[:space:]]*$/d' | tail -n 1 | cut -c 1-300)
  case $judged in
    trusted) say ok "$CLIENT" "$2" ;;
    untrusted)
      untrusted=yes
      say broken "$CLIENT" "$2 was refused: $verdict_last" "$3"
      ;;
    plain)
      untrusted=yes
      say broken "$CLIENT" "$KIT_PROBE answers in plain HTTP: $verdict_last" "regctl doctor, where the registry runs"
      ;;
    unreachable) say unknown "$CLIENT" "could not verify: $KIT_PROBE cannot be reached from here: $verdict_last" "check name, route and firewall, then run this with --check" ;;
    *) say unknown "$CLIENT" "could not verify with $2: $verdict_last" ;;
  esac
}

# ask_url URL [CA FILE]: one request by whatever there is; its answer, as judge reads it, in $asked and by what in $asked_by
ask_url() {
  asked_by=
  if has curl; then
    asked_by=curl
    if [ -n "${2:-}" ]; then
      asked=$(env -u SSL_CERT_FILE -u SSL_CERT_DIR -u CURL_CA_BUNDLE curl --disable -sS -o /dev/null -w '%{http_code}' --max-time 15 --cacert "$2" "$1" 2>&1) && asked="HTTP 401 $asked"
    else
      asked=$(curl --disable -sS -o /dev/null -w '%{http_code}' --max-time 15 "$1" 2>&1) && asked="HTTP 401 $asked"
    fi
  elif has wget && wget --version 2>/dev/null | grep -q GNU; then
    asked_by=wget
    asked=$(wget -q -O /dev/null -T 15 -t 1 ${2:+"--ca-certificate=$2"} "$1" 2>&1)
    case $? in
      0 | 6 | 8) asked="HTTP 401" ;;
      5) asked="wget: certificate verify failed. $asked" ;;
      4) asked="wget: connection refused or no such host" ;;
      *) asked="wget: $asked" ;;
    esac
  elif has openssl; then
    asked_by="openssl s_client"
    case $KIT_PROBE_HOST in
      *:* | *[!0-9.]*) ask_check="-verify_hostname" ;;
      *) ask_check="-verify_ip" ;;
    esac
    case $KIT_PROBE_HOST in *:*) ask_check="-verify_ip" ;; esac
    asked=$(within 15 openssl s_client -connect "$KIT_PROBE" -verify_return_error "$ask_check" "$KIT_PROBE_HOST" ${2:+-CAfile "$2"} 2>&1)
    case $asked in
      *"Verify return code: 0 (ok)"*) asked="HTTP 401" ;;
      *"verify error"* | *"Verify return code"*) asked="openssl: certificate verify failed" ;;
      *errno* | *"onnection refused"*) asked="openssl: connection refused or no such host" ;;
    esac
  else
    return 1
  fi
}

# is_loopback HOST: names of this machine, where the engine takes any certificate
is_loopback() {
  case $1 in localhost | *.localhost | 127.* | ::1) return 0 ;; esac
  has getent || return 1
  case $(getent ahosts "$1" 2>/dev/null | head -n 1) in 127.* | ::1*) return 0 ;; *) return 1 ;; esac
}

# served: does what the registry serves belong to the authority of this kit?
check_served() {
  CLIENT=registry
  ask_url "https://$KIT_PROBE/v2/" "$bundle" || {
    say unknown registry "could not verify: there is no curl, wget or openssl here"
    return 0
  }
  judge "$asked"
  case $judged in
    trusted) say ok registry "https://$KIT_PROBE serves a certificate of this authority (asked by $asked_by)" ;;
    untrusted)
      untrusted=yes
      say broken registry "https://$KIT_PROBE serves a certificate this kit's authority did not issue: $asked" \
        "get a new kit: regctl trust kit, where the registry runs"
      ;;
    *) verdict "$asked" "a request by $asked_by" "" ;;
  esac
}

# check_environment: variables that put another store in the place of the one that was filled
check_environment() {
  CLIENT=environment
  for check_name in SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS; do
    eval "check_value=\${$check_name:-}"
    [ -n "$check_value" ] || continue
    if [ -f "$check_value" ] && holds_all "$check_value"; then
      say ok environment "$check_name=$check_value holds the authority"
    else
      say warning environment "$check_name=$check_value replaces what programs trust, and the authority is not in it" \
        "unset $check_name, or add the authority to that file"
    fi
  done
}

# check_folder FOLDER: what is in a folder of certs.d
check_folder() {
  [ -d "$1" ] || return 1
  check_found=
  for check_file in "$1"/*; do
    case $check_file in
      *.crt) if holds_all "$check_file"; then check_found=$check_file; fi ;;
      *.cert)
        [ -e "${check_file%.cert}.key" ] ||
          say broken "$CLIENT" "$check_file has no key beside it: every request to this registry fails" "rm $(quote "$check_file")"
        ;;
      *.key)
        [ -e "${check_file%.key}.cert" ] ||
          say broken "$CLIENT" "$check_file has no .cert beside it: every request to this registry fails" "rm $(quote "$check_file")"
        ;;
    esac
  done
  if [ -z "$(ls -A "$1")" ]; then
    untrusted=yes
    say broken "$CLIENT" "$1 is empty and hides the folders looked at after it" "rmdir $(quote "$1")"
  fi
  [ -n "$check_found" ]
}

# check_folders PARENT: the authority is there for every name of the registry, or in the system's store, which is asked as well
check_folders() {
  check_parent=$1
  check_elsewhere=no
  if check_store=$(system_bundle) && holds_all "$check_store"; then check_elsewhere=yes; fi
  set -f
  # shellcheck disable=SC2086
  set -- $KIT_REGISTRIES
  set +f
  for check_name in "$@"; do
    if check_folder "$check_parent/$check_name"; then
      [ "$check_name" != "$KIT_PROBE_NAME" ] || check_used=$check_found
    elif [ "$check_elsewhere" = no ]; then
      say warning "$CLIENT" "no authority in $check_parent/$check_name: images named $check_name/… are refused" "run this kit"
    fi
  done
}
