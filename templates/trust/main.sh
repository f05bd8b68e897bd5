# ---- what is asked for ----

leave() {
  leave_code=$?
  trap - EXIT
  state_close
  rm -rf "$work"
  exit "$leave_code"
}

main() {
  # Read to its end by now, also when it came through a pipe; no program may take what is left of it.
  exec </dev/null
  kit=$0
  case $kit in *.sh) ;; *) kit="-s --" ;; esac
  TAB=$(printf '\t')
  mode=install dry_run=no restart=no for_user=no verify=yes porcelain=no
  chosen=$KIT_CLIENTS named=no
  [ -z "$KIT_CHOSEN" ] || choose_clients "$KIT_CHOSEN"
  given=
  while [ $# -gt 0 ]; do
    given="$given $(quote "$1")"
    case $1 in
      --client)
        [ $# -gt 1 ] || refuse "--client needs a name"
        choose_clients "$2"
        given="$given $(quote "$2")"
        shift
        ;;
      --client=*) choose_clients "${1#*=}" ;;
      --dry-run) dry_run=yes ;;
      --undo) mode=undo ;;
      --check) mode=check ;;
      --list) mode=list ;;
      --restart) restart=yes ;;
      --user) for_user=yes ;;
      --no-check) verify=no ;;
      --porcelain) porcelain=yes ;;
      -h | --help)
        usage
        exit 0
        ;;
      *) refuse "unknown option $1" "sh $kit --help" ;;
    esac
    shift
  done
  system=$(uname -s)
  if [ "$for_user" = yes ]; then
    [ -n "${HOME:-}" ] || refuse "--user needs HOME"
    state=${XDG_STATE_HOME:-$HOME/.local/state}/regctl-trust/$KIT_ID
  else
    state=/var/lib/regctl-trust/$KIT_ID
    if [ "$(id -u)" != 0 ] && [ "$dry_run" = no ] && { [ "$mode" = install ] || [ "$mode" = undo ]; }; then
      refuse "only root may change what this machine trusts" "sudo sh $kit$given   (or --user, for this user alone)"
    fi
  fi
  case $state in *"$TAB"* | *'
'*) refuse "the path $state cannot be used: it has a tab or a line break" ;; esac
  manifest=$state/manifest
  work=$(mktemp -d) || exit 1
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  fresh_count=0 failed=no untrusted=no locked=no changed=no
  CLIENT=kit
  [ -n "$(sha /dev/null)" ] || refuse "this needs sha256sum, shasum or openssl"
  bundle=$work/ca.crt
  for main_ca in $KIT_CAS; do ca_pem "$main_ca"; done >"$bundle"
  : >"$work/wanted"
  "do_$mode"
  if [ "$failed" = yes ]; then exit 1; fi
  if [ "$untrusted" = yes ]; then exit 3; fi
  exit 0
}

# select_clients: those to work on, in $selected
select_clients() {
  selected=
  for select_one in $chosen; do
    CLIENT=$select_one
    if "$(function_of "$select_one")_found"; then
      selected="$selected $select_one"
    elif [ "$named" = yes ]; then
      case $mode:$select_one in
        install:docker | install:podman | install:containerd)
          say note "$select_one" "not found here; what it will need is put in place all the same"
          selected="$selected $select_one"
          ;;
        *) fail "not found on this machine" || : ;;
      esac
    fi
  done
}

# A client's name as the beginning of functions' names.
function_of() { printf '%s' "$1" | tr '-' '_'; }

do_list() {
  for list_one in $chosen; do
    CLIENT=$list_one
    if "$(function_of "$list_one")_found"; then list_text="found"; else list_text="not found"; fi
    list_files=$(grep -e "^file$TAB$list_one$TAB" -e "^edit$TAB$list_one$TAB" "$manifest" 2>/dev/null | cut -f 4 | sort -u | tr '\n' ' ')
    say list "$list_one" "$list_text${list_files:+; this kit wrote $list_files}"
  done
}

do_check() {
  select_clients
  check_served
  check_environment
  for check_one in $selected; do
    CLIENT=$check_one
    "$(function_of "$check_one")_check"
  done
}

do_install() {
  select_clients
  if [ "$dry_run" = no ]; then
    state_open
    times_forget
  fi
  any_changed=no
  for install_one in $selected; do
    CLIENT=$install_one
    changed=no gone=
    if "$(function_of "$install_one")_apply"; then
      CLIENT=$install_one
      prune_client
      settle_client
    fi
    if [ "$changed" = yes ]; then any_changed=yes; fi
  done
  if [ "$dry_run" = yes ]; then
    CLIENT=kit
    if [ "$any_changed" = no ]; then say same kit "nothing to do"; else say note kit "nothing was changed (--dry-run)"; fi
    return 0
  fi
  times_remember
  CLIENT=kit
  if [ "$any_changed" = no ] && [ "$failed" = no ]; then say same kit "nothing to do"; fi
  [ "$verify" = yes ] || return 0
  check_served
  for install_one in $selected; do
    CLIENT=$install_one
    "$(function_of "$install_one")_check"
  done
}

# settle_client: what has to be run or started again for changes to count
settle_client() {
  if [ "$dry_run" = yes ] || { [ ! -e "$state/pending/$CLIENT" ] && ! restart_owed; }; then return 0; fi
  case $(type "$(function_of "$CLIENT")_settle" 2>/dev/null) in *function*) "$(function_of "$CLIENT")_settle" "$gone" || return 0 ;; esac
  rm -f "$state/pending/$CLIENT"
}

# prune_client: files of an earlier kit that this one has no use for: other names, an authority that was replaced
prune_client() {
  while IFS=$TAB read -r prune_kind prune_client prune_sha prune_path _ <&3; do
    [ "$prune_kind" = file ] && [ "$prune_client" = "$CLIENT" ] && [ -e "$prune_path" ] || continue
    ! grep -qxF "$CLIENT$TAB$prune_path" "$work/wanted" || continue
    [ "$(sha "$prune_path")" = "$prune_sha" ] || continue
    changed=yes
    if [ "$dry_run" = yes ]; then
      say plan "$CLIENT" "would remove $prune_path, which an earlier kit wrote"
      continue
    fi
    gone=gone
    : >"$state/pending/$CLIENT"
    rm -f "$prune_path"
    say change "$CLIENT" "removed $prune_path, which an earlier kit wrote"
    if recorded dir "$(dirname "$prune_path")"; then rmdir "$(dirname "$prune_path")" 2>/dev/null || :; fi
  done 3<<MANIFEST
$(cat "$manifest" 2>/dev/null)
MANIFEST
}

backwards() { sed '1!G;h;$!d'; }

# undo_line KIND SHA PATH NUMBER: fails when it has to stay as it is
undo_line() {
  case $1 in
    file | edit)
      # Of a run that was killed before the last step.
      [ "$dry_run" = yes ] || rm -f "$3.regctl-new"
      [ -e "$3" ] || return 0
      if ! grep -qF "$TAB$(sha "$3")$TAB$3$TAB" "$manifest"; then
        if [ "$1" = edit ] && [ "$(sha "$3")" = "$(sha "$state/previous/$4")" ]; then return 0; fi
        undo_changed "$3" && return 0
        fail "$3 was changed by somebody else since; it is left as it is" "look at it, and remove what names $KIT_ID"
        return 1
      fi
      [ "$(sha "$3")" = "$2" ] || return 0
      if [ "$dry_run" = yes ]; then
        if [ "$1" = file ]; then say plan "$CLIENT" "would remove $3"; else say plan "$CLIENT" "would put back $3"; fi
      elif [ "$1" = file ]; then
        rm -f "$3" || fail "cannot remove $3" || return 1
        say change "$CLIENT" "removed $3"
      else
        cp -p "$state/previous/$4" "$3.regctl-new" && mv -f "$3.regctl-new" "$3" || {
          fail "cannot put back $3"
          return 1
        }
        say change "$CLIENT" "put back $3"
      fi
      ;;
    dir)
      if [ "$dry_run" = yes ] || [ ! -d "$3" ]; then return 0; fi
      rmdir "$3" 2>/dev/null || say note "$CLIENT" "$3 stays: there is something else in it"
      ;;
  esac
}

# undo_changed FILE: a client may know how to take its part out of a file that others changed as well
undo_changed() {
  case $(type "$(function_of "$CLIENT")_unpick" 2>/dev/null) in
    *function*) [ "$dry_run" = yes ] || "$(function_of "$CLIENT")_unpick" "$1" ;;
    *) return 1 ;;
  esac
}

do_undo() {
  if [ ! -s "$manifest" ]; then
    if [ "$dry_run" = no ] && [ -d "$state" ]; then
      state_open
      state_close
    fi
    say same kit "nothing of this kit is on this machine"
    return 0
  fi
  if [ "$dry_run" = no ]; then
    state_open
    [ -e "$state/undoing" ] || times_forget
    : >"$state/undoing"
  fi
  : >"$work/kept"
  undone=
  # What several clients read goes with the last of them.
  undo_shared=kit
  for undo_one in $(cut -f 2 "$manifest" | sort -u); do
    case " $chosen kit " in *" $undo_one "*) ;; *) undo_shared= ;; esac
  done
  fresh
  undo_list=$fresh
  backwards <"$manifest" >"$undo_list"
  while IFS=$TAB read -r undo_kind undo_client undo_sha undo_path undo_number <&3; do
    CLIENT=$undo_client
    case " $chosen $undo_shared " in *" $CLIENT "*) undo_mine=yes ;; *) undo_mine=no ;; esac
    if [ "$undo_mine" = no ] || ! undo_line "$undo_kind" "$undo_sha" "$undo_path" "$undo_number"; then
      printf '%s\t%s\t%s\t%s\t%s\n' "$undo_kind" "$undo_client" "$undo_sha" "$undo_path" "$undo_number" >>"$work/kept"
    else
      case " $undone " in *" $CLIENT "*) ;; *) undone="$undone $CLIENT" ;; esac
    fi
  done 3<"$undo_list"
  [ "$dry_run" = no ] || return 0
  for undo_one in $undone; do
    CLIENT=$undo_one
    gone=gone
    : >"$state/pending/$CLIENT"
    settle_client
  done
  undo_times snap
  undo_times time
  rm -f "$state/undoing"
  backwards <"$work/kept" >"$manifest.new"
  mv -f "$manifest.new" "$manifest"
}

# undo_times KIND: gives rewritten files their bytes, folders their time
undo_times() {
  while IFS=$TAB read -r times_kind times_client _ times_path times_number <&4; do
    case " $undone " in *" $times_client "*) ;; *) continue ;; esac
    if [ "$times_kind" != "$1" ] || [ ! -e "$times_path" ]; then continue; fi
    if [ "$times_kind" = time ]; then
      [ ! -e "$state/times/$times_number" ] || touch -r "$state/times/$times_number" "$times_path"
    elif [ -e "$state/previous/$times_number" ] && [ -e "$state/after/$times_number" ]; then
      cp -p "$state/previous/$times_number" "$times_path.regctl-new" && mv -f "$times_path.regctl-new" "$times_path"
    fi
  done 4<"$undo_list"
}

main "$@"; exit $?
