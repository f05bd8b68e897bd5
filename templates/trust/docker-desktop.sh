# ---- Docker Desktop on a Mac: copies ~/.docker/certs.d into its machine when it starts ----

docker_desktop_home() {
  if [ "$(id -u)" = 0 ] && [ -n "${SUDO_USER:-}" ] && has dscl; then
    dscl . -read "/Users/$SUDO_USER" NFSHomeDirectory 2>/dev/null | sed -n 's/^NFSHomeDirectory: //p'
  else
    printf '%s\n' "${HOME:-}"
  fi
}

docker_desktop_found() {
  [ "$system" = Darwin ] && { [ -d /Applications/Docker.app ] || [ -d "$(docker_desktop_home)/.docker" ]; }
}

docker_desktop_apply() { each_folder "$(docker_desktop_home)/.docker/certs.d"; }

docker_desktop_settle() {
  if [ "$restart" = yes ]; then
    osascript -e 'quit app "Docker"' >/dev/null 2>&1
    open -a Docker && say change docker-desktop "restarted Docker Desktop"
  else
    say restart docker-desktop "Docker Desktop has to be restarted once: it copies ~/.docker/certs.d when it starts" \
      "quit and open Docker Desktop, or run this kit with --restart"
  fi
}

docker_desktop_check() {
  check_used=
  check_folders "$(docker_desktop_home)/.docker/certs.d"
  has docker || {
    say unknown docker-desktop "could not verify: there is no docker command here"
    return 0
  }
  docker_desktop_answer=$(within 60 docker pull "$KIT_PROBE_NAME/regctl-trust-check:absent" 2>&1)
  verdict "$docker_desktop_answer" "a pull through Docker Desktop" "run this kit, then restart Docker Desktop"
}
