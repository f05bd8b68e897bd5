# ---- what is written, and how it is taken back ----
# A line of the manifest is KIND, CLIENT, SHA-256, PATH, NUMBER with tabs between, written before the change it tells of:
#   file  this kit made PATH              edit  it changed PATH; previous/NUMBER is what was there
#   dir   it made the folder PATH         snap  a tool may rewrite PATH; previous/NUMBER is what was there
#   time  PATH is a folder that was there; times/NUMBER has its modification time

say() { # KIND CLIENT TEXT [FIX]
  if [ "$porcelain" = yes ]; then
    printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$(one_line "$3")" "$(one_line "${4:-}")"
    return 0
  fi
  case $1 in
    error | broken | warning | unknown) printf '%s: %s: %s\n' "$2" "$1" "$3" ;;
    ok) printf '%s: trusted: %s\n' "$2" "$3" ;;
    *) printf '%s: %s\n' "$2" "$3" ;;
  esac
  [ -z "${4:-}" ] || printf '  fix: %s\n' "$4"
}

one_line() { printf '%s' "$1" | tr '\n\t\r' '   '; }
has() { command -v "$1" >/dev/null 2>&1; }

# quote TEXT: as a word a shell reads back
quote() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

# within SECONDS COMMAND...: ends what hangs, where there is a program for that
within() { # SECONDS COMMAND...
  within_seconds=$1
  shift
  if has timeout; then timeout "$within_seconds" "$@"; else "$@"; fi
}

sha() {
  if has sha256sum; then sha256sum <"$1"; elif has shasum; then shasum -a 256 <"$1"; else openssl dgst -sha256 -r <"$1"; fi 2>/dev/null |
    sed 's/[^0-9a-f].*//'
}

# fresh: an empty temporary file in $fresh
fresh() {
  fresh_count=$((fresh_count + 1))
  fresh=$work/$fresh_count
  : >"$fresh"
}

fail() { # TEXT [FIX]
  failed=yes
  say error "$CLIENT" "$1" "${2:-}"
  return 1
}

record() { # KIND SHA PATH NUMBER
  printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$CLIENT" "$2" "$3" "$4" >>"$manifest"
}

# recorded KIND PATH
recorded() { grep "^$1$TAB" "$manifest" 2>/dev/null | grep -qF "$TAB$2$TAB"; }

# ours FILE: it is as this kit wrote it
ours() { grep -qF "$TAB$(sha "$1")$TAB$1$TAB" "$manifest" 2>/dev/null; }

next_number() { next_number=$(($(wc -l <"$manifest") + 1)); }

note_time() { # FOLDER
  if [ "$1" = "$state" ] || recorded time "$1" || recorded dir "$1"; then return 0; fi
  next_number
  touch -r "$1" "$state/times/$next_number" && record time - "$1" "$next_number"
}

make_folders() { # FOLDER
  [ -d "$1" ] && return 0
  make_folders "$(dirname "$1")" || return 1
  note_time "$(dirname "$1")" && record dir - "$1" - && mkdir "$1" 2>/dev/null || fail "cannot make the folder $1"
}

# put FILE SOURCE: FILE gets the bytes of SOURCE at once or not at all
put() {
  printf '%s\t%s\n' "$CLIENT" "$1" >>"$work/wanted"
  if [ -e "$1" ] && [ "$(sha "$1")" = "$(sha "$2")" ]; then
    [ "$CLIENT" = kit ] || say same "$CLIENT" "$1 is there already"
    return 0
  fi
  if [ "$dry_run" = yes ]; then
    changed=yes
    if [ -e "$1" ]; then say plan "$CLIENT" "would change $1"; else say plan "$CLIENT" "would write $1"; fi
    return 0
  fi
  make_folders "$(dirname "$1")" || return 1
  note_time "$(dirname "$1")"
  : >"$state/pending/$CLIENT"
  rm -f "$1.regctl-new"
  if [ -e "$1" ]; then
    next_number
    cp -p "$1" "$state/previous/$next_number" && cp -p "$1" "$1.regctl-new" && cat "$2" >"$1.regctl-new" &&
      record edit "$(sha "$2")" "$1" "$next_number"
  else
    cat "$2" >"$1.regctl-new" && record file "$(sha "$2")" "$1" -
  fi && mv -f "$1.regctl-new" "$1" || {
    rm -f "$1.regctl-new"
    fail "cannot write $1"
    return 1
  }
  changed=yes
  say change "$CLIENT" "wrote $1"
}

# snap FILE: a tool is about to rewrite it
snap() {
  if [ "$dry_run" = yes ] || [ ! -f "$1" ] || recorded snap "$1"; then return 0; fi
  next_number
  cp -p "$1" "$state/previous/$next_number" && record snap - "$1" "$next_number"
}

real_path() { readlink -f "$1" 2>/dev/null || printf '%s\n' "$1"; }

# holds_all FILE: every authority of this kit is in it
holds_all() {
  [ -r "$1" ] || return 1
  holds_text=$(tr -d '\r\n ' <"$1")
  for holds_one in $KIT_CAS; do
    case $holds_text in *"$(ca_pem "$holds_one" | sed '/-----/d' | tr -d '\n')"*) ;; *) return 1 ;; esac
  done
}

# certificates_in FOLDER: puts the authorities where docker, podman and containerd look, beside what others put there
certificates_in() {
  for certificates_one in "$1"/*.crt; do
    if [ -f "$certificates_one" ] && ! ours "$certificates_one" && holds_all "$certificates_one"; then
      certificates_file=$certificates_one
      say same "$CLIENT" "$certificates_one holds the authority already; this kit did not write it"
      return 0
    fi
  done
  certificates_file=$1/ca.crt
  if [ -e "$certificates_file" ] && ! ours "$certificates_file"; then
    certificates_file=$1/regctl-$KIT_FINGERPRINT.crt
    [ ! -e "$certificates_file" ] || ours "$certificates_file" || {
      fail "$certificates_file is there and is not this kit's; nothing is written over it" "move it away, then run this again"
      return 1
    }
  fi
  put "$certificates_file" "$bundle"
}

# authority_file: the authorities in one file of ours, for clients that are told a path; its name is in $authority_file
authority_file() {
  authority_file=$state/ca.crt
  authority_client=$CLIENT
  CLIENT=kit
  put "$authority_file" "$bundle"
  authority_result=$?
  CLIENT=$authority_client
  return "$authority_result"
}

# profile_variable FILE NAME VALUE: for login shells, where it has no value yet
profile_variable() {
  fresh
  cat >"$fresh" <<PROFILE
# Written by the trust kit of $KIT_ID; --undo removes it. Another value is left as it is.
if [ -z "\${$2:-}" ]; then
  $2=$(quote "$3")
  export $2
fi
PROFILE
  put "$1" "$fresh"
}

# ---- state ----

state_open() {
  fresh
  opened_time=$fresh
  opened_missing=$state
  opened_made=
  while [ ! -d "$(dirname "$opened_missing")" ]; do opened_missing=$(dirname "$opened_missing"); done
  if [ ! -d "$state" ]; then
    opened_made=$opened_missing
    touch -r "$(dirname "$opened_missing")" "$opened_time"
  fi
  mkdir -p "$state/times" "$state/previous" "$state/after" "$state/pending" 2>/dev/null || {
    CLIENT=kit
    fail "cannot write $state"
    exit 1
  }
  chmod 700 "$state/previous"
  state_lock
  if [ -n "$opened_made" ]; then
    printf '%s\n' "$opened_made" >"$state/made"
    touch -r "$opened_time" "$state/made-time"
  fi
  touch "$manifest"
  # A line that was cut off by a crash tells of nothing that was done.
  [ -z "$(tail -c 1 "$manifest")" ] || printf '\n' >>"$manifest"
}

# state_lock: one run at a time; the file has the process in it, so that one that was killed does not count
state_lock() {
  lock_tries=0 lock_empty=0
  until (set -C && printf '%s\n' "$$" >"$state/lock") 2>/dev/null; do
    lock_pid=$(cat "$state/lock" 2>/dev/null)
    lock_tries=$((lock_tries + 1))
    [ -n "$lock_pid" ] || lock_empty=$((lock_empty + 1))
    if [ ! -e "$state/lock" ]; then
      # Whoever held it may have removed the folder.
      mkdir -p "$state/times" "$state/previous" "$state/after" "$state/pending" 2>/dev/null
    elif { [ -n "$lock_pid" ] && ! kill -0 "$lock_pid" 2>/dev/null; } || [ "$lock_empty" -gt 3 ]; then
      mv "$state/lock" "$state/lock.$$" 2>/dev/null && rm -f "$state/lock.$$"
    else
      sleep 1
    fi
    [ "$lock_tries" -lt 120 ] || {
      CLIENT=kit
      fail "another run of this kit holds $state/lock" "wait for it; if there is none: rm $(quote "$state/lock")"
      exit 1
    }
  done
  locked=yes
}

# state_close: nothing is left of it when nothing was written
state_close() {
  [ "$locked" = yes ] || return 0
  locked=no
  if grep -q "^[fes][a-z]*$TAB" "$manifest" 2>/dev/null; then
    rm -f "$state/lock"
    return 0
  fi
  close_made=$(cat "$state/made" 2>/dev/null)
  fresh
  [ ! -e "$state/made-time" ] || touch -r "$state/made-time" "$fresh"
  close_time=$fresh
  rm -rf "$state"
  close_folder=$(dirname "$state")
  rmdir "$close_folder" 2>/dev/null || return 0
  close_folder=$(dirname "$close_folder")
  while [ -n "$close_made" ] && [ "${close_folder#"$close_made"}" != "$close_folder" ]; do
    rmdir "$close_folder" 2>/dev/null || return 0
    close_folder=$(dirname "$close_folder")
  done
  [ -z "$close_made" ] || touch -r "$close_time" "$(dirname "$close_made")"
}

# times_forget: what somebody else changed since is no longer ours to put back
times_forget() {
  while IFS=$TAB read -r _ _ _ forget_path forget_number <&3; do
    forget_after=$state/after/$forget_number
    [ -n "$forget_number" ] && [ -e "$forget_after" ] || continue
    if [ "$forget_path" -nt "$forget_after" ] || [ "$forget_path" -ot "$forget_after" ]; then
      rm -f "$state/times/$forget_number" "$forget_after"
    fi
  done 3<<MANIFEST
$(grep "^time$TAB" "$manifest")
MANIFEST
  while IFS=$TAB read -r _ _ _ forget_path forget_number <&3; do
    [ -n "$forget_number" ] && [ -e "$state/after/$forget_number" ] || continue
    [ "$(sha "$forget_path")" = "$(cat "$state/after/$forget_number")" ] || rm -f "$state/previous/$forget_number"
  done 3<<MANIFEST
$(grep "^snap$TAB" "$manifest")
MANIFEST
}

# times_remember: how folders and rewritten files look now that the run is done
times_remember() {
  while IFS=$TAB read -r remember_kind _ _ remember_path remember_number <&3; do
    case $remember_kind in
      time) [ ! -e "$state/times/$remember_number" ] || touch -r "$remember_path" "$state/after/$remember_number" ;;
      snap) [ ! -e "$state/previous/$remember_number" ] || sha "$remember_path" >"$state/after/$remember_number" ;;
    esac
  done 3<"$manifest"
}
