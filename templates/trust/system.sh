# ---- the system's store: curl, wget, git, oras, helm, crane, Python and whatever else asks the system ----

system_kind() {
  if [ "$system" = Darwin ]; then
    echo macos
  elif has update-ca-certificates && [ -d /etc/pki/trust/anchors ]; then
    echo suse
  elif has update-ca-certificates; then
    echo debian
  elif has update-ca-trust && [ -d /etc/pki/ca-trust/source ]; then
    echo redhat
  elif has update-ca-trust && [ -d /etc/ca-certificates/trust-source ]; then
    echo arch
  else
    return 1
  fi
}

# The extension counts: Debian's tool reads only .crt, with one certificate a file.
system_file() { # FINGERPRINT
  case $(system_kind) in
    suse) printf '/etc/pki/trust/anchors/regctl-%s-%s.pem\n' "$KIT_ID" "$1" ;;
    debian) printf '/usr/local/share/ca-certificates/regctl-%s-%s.crt\n' "$KIT_ID" "$1" ;;
    redhat) printf '/etc/pki/ca-trust/source/anchors/regctl-%s-%s.pem\n' "$KIT_ID" "$1" ;;
    arch) printf '/etc/ca-certificates/trust-source/anchors/regctl-%s-%s.crt\n' "$KIT_ID" "$1" ;;
    macos) printf '%s/%s.crt\n' "$state" "$1" ;;
  esac
}

# The one file most programs read.
system_bundle() {
  for system_one in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -f "$system_one" ]; then
      real_path "$system_one"
      return 0
    fi
  done
  return 1
}

system_found() { system_kind >/dev/null || system_bundle >/dev/null; }

system_apply() {
  [ "$for_user" != yes ] || {
    say skip system "the system's store is root's" "run this kit with sudo for it"
    return 0
  }
  system_kind >/dev/null || {
    fail "there is no program here that fills the system's store" "install the package ca-certificates, then run this again"
    return 1
  }
  if system_store=$(system_bundle) && holds_all "$system_store"; then
    system_mine=no
    for system_one in $KIT_CAS; do if [ -e "$(system_file "$system_one")" ]; then system_mine=yes; fi; done
    if [ "$system_mine" = no ]; then
      say same system "$system_store holds the authority already; this kit did not put it there"
      return 0
    fi
  elif [ "$dry_run" != yes ]; then
    : >"$state/pending/system"
  fi
  for system_one in $KIT_CAS; do
    if [ ! -e "$(system_file "$system_one")" ]; then
      [ "$system_one" != "$KIT_FINGERPRINT" ] ||
        say note system "every program that asks the system will take this authority's word for any name, not for the registry's alone"
      system_snap
    fi
    fresh
    ca_pem "$system_one" >"$fresh"
    put "$(system_file "$system_one")" "$fresh" || return 1
  done
  if [ "$dry_run" = yes ] && [ "$changed" = yes ]; then say plan system "would fill the store ($(system_tool))"; fi
}

system_snap() {
  [ "$(system_kind)" = debian ] || return 0
  snap /etc/ssl/certs/ca-certificates.crt
  snap "$(real_path /etc/ssl/certs/java/cacerts)"
  if [ "$dry_run" != yes ]; then note_time /etc/ssl/certs; [ ! -d /etc/ssl/certs/java ] || note_time /etc/ssl/certs/java; fi
}

system_tool() {
  case $(system_kind) in
    suse | debian) echo update-ca-certificates ;;
    redhat | arch) echo update-ca-trust ;;
    macos) echo security ;;
  esac
}

# system_forget: --fresh tells Java's hook of nothing that is gone
system_forget() {
  if [ -z "$system_gone" ] || [ ! -x /etc/ca-certificates/update.d/jks-keystore ]; then return 0; fi
  printf '%s\n' "$system_gone" | /etc/ca-certificates/update.d/jks-keystore
}

# system_settle [gone]: makes the store from its files; what is gone has to be looked for with --fresh
system_settle() {
  case $(system_kind) in
    debian)
      if [ "${1:-}" != gone ] || [ ! -e /etc/debian_version ]; then update-ca-certificates; else
        system_gone=$(for system_one in /etc/ssl/certs/regctl-"$KIT_ID"-*.pem; do
          [ ! -L "$system_one" ] || [ -e "$system_one" ] || printf -- '-%s\n' "$system_one"
        done)
        update-ca-certificates --fresh && system_forget
      fi
      ;;
    suse) update-ca-certificates ;;
    redhat | arch) update-ca-trust ;;
    macos)
      for system_one in $KIT_CAS; do
        fresh
        ca_pem "$system_one" >"$fresh"
        if [ "${1:-}" = gone ]; then
          security remove-trusted-cert -d "$fresh"
        else
          security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain "$fresh"
        fi
      done
      ;;
  esac >"$work/settle" 2>&1 || {
    fail "$(system_tool) failed: $(tail -n 3 "$work/settle")"
    return 1
  }
  say change system "ran $(system_tool)"
  if [ "${1:-}" != gone ] && system_store=$(system_bundle) && ! holds_all "$system_store"; then
    fail "$(system_tool) did not take the authority into $system_store: $(tail -n 3 "$work/settle")"
    return 1
  fi
  if has dockerd || has containerd; then
    if [ "${1:-}" = gone ]; then
      say note system "dockerd and containerd read this store only when they start: if they were started since the kit ran, they trust it until the next start"
    else
      say note system "dockerd and containerd read this store only when they start; they need no restart for certs.d"
    fi
  fi
}

system_check() {
  if system_store=$(system_bundle) && [ "$system" != Darwin ]; then
    if holds_all "$system_store"; then system_used=" (the store is $system_store)"; else
      say broken system "$system_store has no authority of this kit" "run this kit with --client system"
      untrusted=yes
      return 0
    fi
  else
    system_used=
  fi
  ask_url "https://$KIT_PROBE/v2/" || {
    say unknown system "could not verify: there is no curl, wget or openssl here$system_used"
    return 0
  }
  verdict "$asked" "a request by $asked_by$system_used" "run this kit with --client system"
}
