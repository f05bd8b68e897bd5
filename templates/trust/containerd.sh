# ---- containerd: hosts.toml for Kubernetes (CRI), nerdctl and ctr --hosts-dir ----

containerd_found() {
  [ "$for_user" != yes ] && [ "$system" != Darwin ] || return 1
  has containerd || [ -d /etc/containerd ] || return 1
  # What comes with Docker alone pulls nothing by itself.
  [ "$named" = yes ] || ! has dockerd || has crictl || has nerdctl || has kubelet || [ -d /etc/kubernetes ]
}

containerd_config=/etc/containerd/config.toml

# The first folder of config_path, or nothing.
containerd_path() {
  [ -r "$containerd_config" ] || return 0
  sed -n 's/^[[:space:]]*config_path[[:space:]]*=[[:space:]]*["'"'"']\([^"'"'"':]\{1,\}\).*/\1/p' "$containerd_config" | head -n 1
}

containerd_folder_of() {
  containerd_parent=$(containerd_path)
  printf '%s\n' "${containerd_parent:-/etc/containerd/certs.d}"
}

# Major and minor version as one number: 1.7 = 107, 2.2 = 202.
containerd_version() {
  containerd --version 2>/dev/null | sed -n 's/.* v\{0,1\}\([0-9]\{1,\}\)\.\([0-9]\{1,\}\)\..*/\1 \2/p' | {
    read -r containerd_major containerd_minor || exit 0
    echo $((containerd_major * 100 + containerd_minor))
  }
}

containerd_apply() {
  containerd_folder=$(containerd_folder_of)
  containerd_result=0
  set -f
  # shellcheck disable=SC2086
  set -- $KIT_REGISTRIES
  set +f
  for containerd_name in "$@"; do containerd_registry "$containerd_folder/$containerd_name" || containerd_result=1; done
  containerd_registry_path || containerd_result=1
  return "$containerd_result"
}

# containerd_registry FOLDER: the server is asked after its [host] entry, and has to know the authority by itself
containerd_registry() {
  certificates_in "$1" || return 1
  containerd_hosts=$1/hosts.toml
  if [ -e "$containerd_hosts" ] && ! ours "$containerd_hosts"; then
    if grep -qF "$certificates_file" "$containerd_hosts"; then return 0; fi
    fail "$containerd_hosts is there and does not name this authority; with it, $certificates_file beside it is not looked at" \
      "add to its [host.\"https://$containerd_name\"]:  ca = [\"$certificates_file\"]"
    return 1
  fi
  fresh
  cat >"$fresh" <<TOML
server = "https://$containerd_name"
ca = ["$certificates_file"]

[host."https://$containerd_name"]
  capabilities = ["pull", "resolve", "push"]
  ca = ["$certificates_file"]
TOML
  put "$containerd_hosts" "$fresh"
}

# containerd_registry_path: makes CRI look into the folder, where it does not yet
containerd_registry_path() {
  [ -z "$(containerd_path)" ] || return 0
  if grep -q '^[[:space:]]*disabled_plugins.*cri' "$containerd_config" 2>/dev/null; then
    say note containerd "CRI is disabled in $containerd_config: nerdctl finds the folder by itself, ctr with --hosts-dir /etc/containerd/certs.d"
    return 0
  fi
  containerd_release=$(containerd_version)
  if [ "${containerd_release:-0}" -ge 202 ]; then return 0; fi
  containerd_section='plugins."io.containerd.grpc.v1.cri".registry'
  if [ "${containerd_release:-0}" -ge 200 ] && grep -q '^version *= *3' "$containerd_config" 2>/dev/null; then
    containerd_section='plugins."io.containerd.cri.v1.images".registry'
  fi
  if grep -Eq '^[[:space:]]*\[.*\.registry\.(mirrors|configs)' "$containerd_config" 2>/dev/null; then
    fail "$containerd_config has registry.mirrors or registry.configs: together with config_path they switch CRI off, so it is left alone" \
      "add to it:  [plugins.\"io.containerd.grpc.v1.cri\".registry.configs.\"$KIT_PROBE_NAME\".tls]  ca_file = \"$certificates_file\"   then restart containerd"
    return 1
  fi
  if grep -Eq '^[[:space:]]*\[.*\.registry\]' "$containerd_config" 2>/dev/null ||
    { [ -s "$containerd_config" ] && ! grep -Eq '^version *= *[23]' "$containerd_config"; }; then
    fail "$containerd_config is not in a form that can be added to safely" \
      "write into it, below [$containerd_section]:  config_path = \"/etc/containerd/certs.d\"   (with version = 2 at its top), then restart containerd"
    return 1
  fi
  fresh
  {
    if [ -s "$containerd_config" ]; then cat "$containerd_config"; else echo "version = 2"; fi
    printf '\n[%s]\n  config_path = "/etc/containerd/certs.d"\n' "$containerd_section"
  } >"$fresh"
  containerd_new=$fresh
  if has containerd && ! containerd_said=$(containerd --config "$containerd_new" config dump 2>&1); then
    fail "containerd does not take $containerd_config with config_path: $(printf '%s\n' "$containerd_said" | tail -n 1)"
    return 1
  fi
  containerd_restart=yes
  put "$containerd_config" "$containerd_new"
}

containerd_restart=no

containerd_settle() {
  if [ "${1:-}" = gone ] && ! grep -qF "$TAB$containerd_config$TAB" "$manifest"; then return 0; fi
  if [ "${1:-}" != gone ] && [ "$containerd_restart" = no ] && ! restart_owed; then return 0; fi
  restart_service containerd containerd "it reads $containerd_config when it starts; running containers go on"
}

# restart_owed: asked for now, after a run that only said so
restart_owed() { [ "$restart" = yes ] && [ -e "$state/pending/$CLIENT.restart" ]; }

# restart_service CLIENT UNIT WHY: restarts it when that was asked for, else says so
restart_service() {
  : >"$state/pending/$1.restart"
  if ! has systemctl || ! systemctl is-active --quiet "$2" 2>/dev/null; then
    say restart "$1" "$2 has to be restarted once: $3" "systemd does not run $2 here: restart it the way it was started"
  elif [ "$restart" != yes ]; then
    say restart "$1" "$2 has to be restarted once: $3" "systemctl restart $2   (or run this kit with --restart)"
  elif systemctl restart "$2"; then
    rm -f "$state/pending/$1.restart"
    changed=yes
    say change "$1" "restarted $2"
  else
    fail "systemctl restart $2 failed" "journalctl -u $2"
  fi
}

containerd_check() {
  check_used=
  containerd_folder=$(containerd_folder_of)
  check_folders "$containerd_folder"
  containerd_hosts=$containerd_folder/$KIT_PROBE_NAME/hosts.toml
  if [ -n "$check_used" ] && [ -e "$containerd_hosts" ] && ! grep -q '^[[:space:]]*ca[[:space:]]*=' "$containerd_hosts"; then
    untrusted=yes
    say broken containerd "$containerd_hosts has no ca=, so $check_used beside it is not looked at" "add to it:  ca = [\"$check_used\"]"
    return 0
  fi
  containerd_reference=$KIT_PROBE_NAME/regctl-trust-check:absent
  if has crictl && containerd_answer=$(within 30 crictl pull "$containerd_reference" 2>&1 || :) && [ -n "$containerd_answer" ]; then
    verdict "$containerd_answer" "crictl pull${check_used:+ (it uses $check_used)}" "run this kit with --client containerd"
  elif has ctr && [ ! -S /run/containerd/containerd.sock ]; then
    say unknown containerd "could not verify: containerd does not run here${check_used:+; the file is $check_used}"
  elif has ctr; then
    containerd_answer=$(within 30 ctr images pull --hosts-dir "$containerd_folder" "$containerd_reference" 2>&1)
    verdict "$containerd_answer" "ctr images pull --hosts-dir $containerd_folder${check_used:+ (it uses $check_used)}" "run this kit with --client containerd"
  else
    say unknown containerd "could not verify: neither crictl nor ctr is here${check_used:+; the file is $check_used}"
  fi
}
