# ---- docker: the engine reads certs.d on every request; the port is a part of the folder's name ----

docker_parent() {
  if [ "$for_user" = yes ]; then printf '%s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/docker/certs.d"; else printf '%s\n' /etc/docker/certs.d; fi
}

docker_found() {
  [ "$system" != Darwin ] || return 1
  if [ "$for_user" = yes ]; then
    [ -S "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock" ]
    return
  fi
  has dockerd || [ -S /run/docker.sock ] || [ -S /var/run/docker.sock ] || [ -d /etc/docker ] || {
    has docker && case ${DOCKER_HOST:-} in '') return 1 ;; *) return 0 ;; esac
  }
}

docker_apply() {
  case ${DOCKER_HOST:-} in
    ssh:* | tcp:*) say note docker "the engine is at $DOCKER_HOST: it reads its own certs.d, so run this kit there as well" ;;
  esac
  each_folder "$(docker_parent)"
}

# each_folder PARENT: the authority for every name of the registry
each_folder() {
  each_parent=$1
  each_result=0
  set -f
  # shellcheck disable=SC2086
  set -- $KIT_REGISTRIES
  set +f
  for each_name in "$@"; do certificates_in "$each_parent/$each_name" || each_result=1; done
  return "$each_result"
}

docker_check() {
  check_used=
  check_folders "$(docker_parent)"
  has docker || {
    say unknown docker "could not verify: there is no docker command here${check_used:+; the engine will use $check_used}"
    return 0
  }
  docker_insecure=$(within 20 docker info --format '{{range .RegistryConfig.IndexConfigs}}{{if not .Secure}}{{.Name}} {{end}}{{end}}' 2>/dev/null)
  case " $docker_insecure" in
    *" $KIT_PROBE_NAME "*)
      say warning docker "$KIT_PROBE_NAME is an insecure registry of this engine: it takes any certificate, and plain HTTP" \
        "take it out of insecure-registries in /etc/docker/daemon.json (leave [] there), then: kill -HUP \$(cat /run/docker.pid)"
      return 0
      ;;
  esac
  if is_loopback "$KIT_PROBE_HOST"; then
    say unknown docker "a pull would prove nothing: the engine takes any certificate for $KIT_PROBE_HOST, a name of this machine${check_used:+; for other names it uses $check_used}"
    return 0
  fi
  docker_answer=$(within 60 docker pull "$KIT_PROBE_NAME/regctl-trust-check:absent" 2>&1)
  case $docker_answer in
    *"annot connect to the Docker daemon"* | *"permission denied"*"docker"*)
      say unknown docker "could not verify: $(printf '%s' "$docker_answer" | head -n 1)"
      return 0
      ;;
  esac
  verdict "$docker_answer" "a pull through the engine${check_used:+ (it uses $check_used)}" "run this kit as root where the engine runs"
}
