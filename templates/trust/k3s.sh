# ---- k3s and rke2: one registries.yaml for everything, read when they start ----

k3s_flavours() {
  for k3s_one in k3s rke2; do
    if has "$k3s_one" || [ -d "/etc/rancher/$k3s_one" ]; then echo "$k3s_one"; fi
  done
}

k3s_found() {
  [ "$for_user" != yes ] && [ "$system" != Darwin ] && [ -n "$(k3s_flavours)" ]
}

# k3s_section CA_FILE: what registries.yaml has to say; early 2024 releases apply TLS to mirrors only
k3s_section() {
  echo "mirrors:"
  each_line k3s_mirror "$1"
  echo "configs:"
  each_line k3s_config "$1"
}
k3s_mirror() { printf '  "%s":\n    endpoint:\n      - "https://%s"\n' "$1" "$1"; }
k3s_config() { printf '  "%s":\n    tls:\n      ca_file: "%s"\n' "$1" "$2"; }

# each_line FUNCTION ARGUMENT: calls it with every name of the registry
each_line() {
  each_function=$1
  each_argument=$2
  set -f
  # shellcheck disable=SC2086
  set -- $KIT_REGISTRIES
  set +f
  for each_name in "$@"; do "$each_function" "$each_name" "$each_argument"; done
}

k3s_apply() {
  k3s_result=0
  for k3s_one in $(k3s_flavours); do
    k3s_file=/etc/rancher/$k3s_one/registries.yaml
    authority_file || return 1
    fresh
    {
      echo "# Written by the trust kit of $KIT_ID; --undo removes it."
      k3s_section "$authority_file"
    } >"$fresh"
    if [ -e "$k3s_file" ] && ! ours "$k3s_file"; then
      if grep -qF "$authority_file" "$k3s_file"; then
        say same k3s "$k3s_file names the authority already"
        continue
      fi
      fail "$k3s_file is there and is not this kit's; it is left alone" "add to it, below mirrors: and configs: as they are there:
$(k3s_section "$authority_file")
then restart $k3s_one on this node"
      k3s_result=1
      continue
    fi
    put "$k3s_file" "$fresh" || k3s_result=1
  done
  return "$k3s_result"
}

k3s_settle() {
  for k3s_one in k3s k3s-agent rke2-server rke2-agent; do
    if has systemctl && systemctl is-enabled --quiet "$k3s_one" 2>/dev/null; then
      restart_service k3s "$k3s_one" "it reads registries.yaml when it starts"
      return 0
    fi
  done
  say restart k3s "k3s (or k3s-agent, rke2-server, rke2-agent) has to be restarted once: it reads registries.yaml when it starts" \
    "systemctl restart k3s"
}

k3s_check() {
  for k3s_one in $(k3s_flavours); do
    k3s_file=/etc/rancher/$k3s_one/registries.yaml
    if ! grep -qF "\"$KIT_PROBE_NAME\"" "$k3s_file" 2>/dev/null; then
      untrusted=yes
      say broken k3s "$k3s_file does not name $KIT_PROBE_NAME" "run this kit with --client k3s"
    elif has crictl && k3s_answer=$(within 30 crictl pull "$KIT_PROBE_NAME/regctl-trust-check:absent" 2>&1 || :) && [ -n "$k3s_answer" ]; then
      verdict "$k3s_answer" "crictl pull (it uses $k3s_file)" "systemctl restart $k3s_one, on every node"
    else
      say unknown k3s "could not verify: crictl is not here; $k3s_file names the authority"
    fi
  done
}
