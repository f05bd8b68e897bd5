# ---- git: asks the system; without it, it is told of an authority for one address ----

git_file() { if [ "$for_user" = yes ]; then printf '%s\n' "${HOME}/.gitconfig"; else printf '%s\n' /etc/gitconfig; fi; }

git_found() { has git; }

git_apply() {
  if [ "$for_user" != yes ] && git_store=$(system_bundle) && { holds_all "$git_store" || case " $selected " in *" system "*) true ;; *) false ;; esac; }; then
    say same git "git asks the system's store, $git_store"
    return 0
  fi
  authority_file || return 1
  fresh
  git_new=$fresh
  git_target=$(git_file)
  [ ! -e "$git_target" ] || cat "$git_target" >"$git_new"
  git_result=0
  each_line git_add "$git_new"
  [ "$git_result" = 0 ] || {
    fail "git cannot read $git_target"
    return 1
  }
  put "$git_target" "$git_new"
}

git_key() { printf 'http.https://%s/.sslCAInfo\n' "$1"; }
git_add() { git config --file "$2" "$(git_key "$1")" "$authority_file" || git_result=1; }
git_remove() { git config --file "$2" --unset "$(git_key "$1")" 2>/dev/null || :; }

# git_unpick FILE: takes our lines out of a configuration that was changed since
git_unpick() {
  each_line git_remove "$1"
  ! grep -qF "$state/ca.crt" "$1" || return 1
  say change git "removed the authority from $1, which others changed since"
}

git_check() {
  git_answer=$(GIT_TERMINAL_PROMPT=0 within 20 git -c credential.helper= ls-remote "https://$KIT_PROBE/regctl-trust-check.git" 2>&1)
  case $git_answer in *"terminal prompts disabled"* | *"could not read Username"*) git_answer="HTTP Error 401" ;; esac
  verdict "$git_answer" "git ls-remote" "run this kit with --client git"
}
