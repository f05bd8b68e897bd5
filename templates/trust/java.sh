# ---- Java: one store a JDK; keytool takes one certificate at a time ----

java_found() { [ "$for_user" != yes ] && [ -n "$(java_stores)" ] && java_tool >/dev/null; }

java_tool() {
  if has keytool; then
    command -v keytool
    return 0
  fi
  for java_one in "${JAVA_HOME:-/nonexistent}" /usr/lib/jvm/* /opt/*/ /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    if [ -x "$java_one/bin/keytool" ]; then
      printf '%s\n' "$java_one/bin/keytool"
      return 0
    fi
  done
  return 1
}

# Every store of trusted authorities, each once, links followed.
java_stores() {
  java_self=$(command -v java 2>/dev/null) && java_self=$(real_path "$java_self")
  for java_one in "${JAVA_HOME:-/nonexistent}" "${java_self%/bin/java}" /usr/lib/jvm/* /opt/* /usr/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home; do
    for java_file in "$java_one/lib/security/cacerts" "$java_one/jre/lib/security/cacerts"; do
      [ ! -f "$java_file" ] || real_path "$java_file"
    done
  done | sort -u
}

# java_holds STORE FINGERPRINT
java_holds() {
  "$(java_tool)" -list -keystore "$1" -storepass changeit 2>/dev/null | grep -qF "$(ca_sha256 "$2")"
}

java_alias() { printf 'regctl-%s-%s\n' "$KIT_ID" "$1"; }

# java_aliases STORE: those that kits of this registry gave, also to authorities that were replaced since
java_aliases() {
  "$(java_tool)" -list -keystore "$1" -storepass changeit 2>/dev/null | sed -n "s/^\(regctl-$KIT_ID-[0-9a-f]*\), .*/\1/p"
}

java_delete() { "$(java_tool)" -delete -keystore "$1" -storepass changeit -alias "$2" >/dev/null 2>&1 || :; } # STORE ALIAS

java_apply() {
  java_result=0
  java_list=$(java_stores)
  while read -r java_store <&4; do java_fill "$java_store" || java_result=1; done 4<<STORES
$java_list
STORES
  return "$java_result"
}

java_fill() { # STORE
  if ! "$(java_tool)" -list -keystore "$1" -storepass changeit >/dev/null 2>&1; then
    fail "$1 cannot be opened: its password is not the usual one" \
      "keytool -importcert -noprompt -keystore $(quote "$1") -alias $(java_alias "$KIT_FINGERPRINT") -file CA_FILE"
    return 1
  fi
  java_missing=
  for java_one in $KIT_CAS; do java_holds "$1" "$java_one" || java_missing="$java_missing $java_one"; done
  java_old=
  for java_one in $(java_aliases "$1"); do
    case " $KIT_CAS " in *" ${java_one##*-} "*) ;; *) java_old="$java_old $java_one" ;; esac
  done
  printf 'java\t%s\n' "$1" >>"$work/wanted"
  if [ -z "$java_missing$java_old" ]; then
    say same java "$1 holds the authority already"
    return 0
  fi
  # Debian's own hook fills its store from the system's.
  if [ "$dry_run" = yes ] && [ "$1" = /etc/ssl/certs/java/cacerts ] && [ -e /etc/ca-certificates/update.d/jks-keystore ]; then
    case " $selected " in *" system "*)
      say plan java "$1 would be filled by update-ca-certificates"
      return 0
      ;;
    esac
  fi
  fresh
  java_new=$fresh
  cat "$1" >"$java_new"
  for java_one in $java_missing; do
    fresh
    ca_pem "$java_one" >"$fresh"
    java_said=$("$(java_tool)" -importcert -noprompt -keystore "$java_new" -storepass changeit -alias "$(java_alias "$java_one")" -file "$fresh" 2>&1) || {
      fail "keytool cannot add the authority to $1: $(printf '%s' "$java_said" | tail -n 1)"
      return 1
    }
  done
  for java_one in $java_old; do java_delete "$java_new" "$java_one"; done
  put "$1" "$java_new" || return 1
  [ "$dry_run" = yes ] || say note java "Java programs that run have to be restarted to see it"
}

# java_unpick STORE: takes our authorities out of a store that was changed since
java_unpick() {
  for java_one in $(java_aliases "$1"); do java_delete "$1" "$java_one"; done
  "$(java_tool)" -list -keystore "$1" -storepass changeit 2>/dev/null | grep -qF "regctl-$KIT_ID" && return 1
  say change java "removed the authority from $1, which others changed since"
}

java_check() {
  java_list=$(java_stores)
  java_lacking=
  while read -r java_store <&4; do
    for java_one in $KIT_CAS; do java_holds "$java_store" "$java_one" || java_lacking=$java_store; done
  done 4<<STORES
$java_list
STORES
  if [ -n "$java_lacking" ]; then
    untrusted=yes
    say broken java "$java_lacking has no authority of this kit" "run this kit with --client java"
    return 0
  fi
  # keytool opens the URL as any Java program would, before it finds that there is no list of revocations.
  java_answer=$(within 40 "$(java_tool)" "-J-Duser.home=$work" -J-Dsun.net.client.defaultConnectTimeout=10000 -printcrl -file "https://$KIT_PROBE/v2/" 2>&1)
  case $java_answer in *"PKIX"* | *refused* | *UnknownHost* | *alternative*) ;; *"keytool error"* | *[Ee]xception*) java_answer="HTTP Error 40: $java_answer" ;; esac
  verdict "$java_answer" "a request by Java" "run this kit with --client java"
}
