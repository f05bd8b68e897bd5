# ---- buildkitd, and buildx builders in containers: they do not read the host's certs.d ----

buildkit_file=/etc/buildkit/buildkitd.toml

buildkit_found() {
  [ "$for_user" != yes ] && [ "$system" != Darwin ] || return 1
  has buildkitd || [ -d /etc/buildkit ] || [ -n "$(buildkit_builders)" ]
}

# Names of builders that run in containers of their own.
buildkit_builders() {
  has docker || return 0
  within 20 docker buildx ls 2>/dev/null | sed -n 's/^\([A-Za-z0-9_.-]\{1,\}\)\*\{0,1\} *docker-container.*/\1/p'
}

buildkit_registry() { printf '[registry."%s"]\n  ca = ["%s"]\n' "$1" "$2"; }

buildkit_apply() {
  authority_file || return 1
  fresh
  {
    echo "# Written by the trust kit of $KIT_ID; --undo removes it."
    each_line buildkit_registry "$authority_file"
  } >"$fresh"
  if [ -e "$buildkit_file" ] && ! ours "$buildkit_file"; then
    if grep -qF "$authority_file" "$buildkit_file"; then
      say same buildkit "$buildkit_file names the authority already"
      return 0
    fi
    fail "$buildkit_file is there and is not this kit's; it is left alone" "add to it:
$(each_line buildkit_registry "$authority_file")
then restart buildkitd"
    return 1
  fi
  put "$buildkit_file" "$fresh"
}

buildkit_settle() {
  for buildkit_one in $(buildkit_builders); do
    say restart buildkit "the builder $buildkit_one has to be made anew: it has a copy of its configuration" \
      "docker buildx rm $buildkit_one && docker buildx create --name $buildkit_one --driver docker-container --buildkitd-config $buildkit_file"
  done
  ! has buildkitd || restart_service buildkit buildkit "it reads $buildkit_file when it starts"
}

buildkit_check() {
  if grep -qF "\"$KIT_PROBE_NAME\"" "$buildkit_file" 2>/dev/null; then
    say unknown buildkit "$buildkit_file names the authority; only a build that pulls from $KIT_PROBE_NAME can verify it"
  else
    untrusted=yes
    say broken buildkit "$buildkit_file does not name $KIT_PROBE_NAME" "run this kit with --client buildkit"
  fi
}
