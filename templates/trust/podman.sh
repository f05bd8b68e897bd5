# ---- podman, buildah, skopeo, CRI-O: the first folder that exists counts, also when it is empty ----

podman_parent() {
  if [ "$for_user" = yes ]; then printf '%s\n' "${XDG_CONFIG_HOME:-$HOME/.config}/containers/certs.d"; else printf '%s\n' /etc/containers/certs.d; fi
}

podman_found() {
  [ "$system" != Darwin ] || return 1
  has podman || has skopeo || has buildah || has crio
}

podman_apply() { each_folder "$(podman_parent)"; }

podman_check() {
  check_used=
  podman_own=${XDG_CONFIG_HOME:-${HOME:-/root}/.config}/containers/certs.d
  if [ "$for_user" != yes ] && [ -d "$podman_own/$KIT_PROBE_NAME" ] && ! check_folder "$podman_own/$KIT_PROBE_NAME"; then
    say warning podman "$podman_own/$KIT_PROBE_NAME hides /etc/containers/certs.d/$KIT_PROBE_NAME and has no authority of this kit" \
      "rm -r $(quote "$podman_own/$KIT_PROBE_NAME")"
  fi
  check_folders "$(podman_parent)"
  podman_reference=$KIT_PROBE_NAME/regctl-trust-check:absent
  if has skopeo; then
    podman_answer=$(within 30 skopeo inspect "docker://$podman_reference" 2>&1)
    verdict "$podman_answer" "skopeo inspect${check_used:+ (it uses $check_used)}" "run this kit"
  elif has podman; then
    podman_answer=$(within 60 podman pull "$podman_reference" 2>&1)
    verdict "$podman_answer" "podman pull${check_used:+ (it uses $check_used)}" "run this kit"
  else
    say unknown podman "could not verify: neither skopeo nor podman is here${check_used:+; the file is $check_used}"
  fi
}
