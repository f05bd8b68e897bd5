usage() {
  cat <<USAGE
Makes the clients of this machine trust the registry $KIT_PROBE, checks with a real request, and can undo all of it.

usage: sh $kit [--client LIST] [--dry-run] [--restart] [--user]
       sh $kit --check | --undo | --list  [--client LIST]

  --client LIST  only these, with commas between: $(echo "$KIT_CLIENTS" | tr ' ' ',')  (else all that are found)
  --dry-run      say what would be done, change nothing
  --undo         take back what this kit did; every file is as it was before
  --check        change nothing; ask the registry with every client and say what is wrong (exit code 3 when something is)
  --list         which clients are found here, and what this kit wrote
  --restart      restart what reads its files only when it starts (containerd, k3s, rke2, Docker Desktop); never dockerd
  --user         for this user alone, without root: podman, skopeo, rootless docker, git
  --no-check     do not ask the registry afterwards
  --porcelain    a line of tab-separated fields for every event: KIND, CLIENT, TEXT, FIX

exit codes: 0 done and trusted (or it could not be asked), 1 something failed, 2 wrong usage or not root, 3 not trusted
USAGE
}

refuse() { # TEXT [HINT]
  printf '%s: %s\n' "$kit" "$1" >&2
  [ -z "${2:-}" ] || printf '  hint: %s\n' "$2" >&2
  exit 2
}

choose_clients() { # LIST
  chosen=
  named=yes
  # Globs are off: a name is compared, never looked for in the folder.
  set -f
  # shellcheck disable=SC2046
  set -- $(printf '%s' "$1" | tr ',' ' ')
  set +f
  for choose_one in "$@"; do
    if [ "$choose_one" = all ]; then
      chosen=$KIT_CLIENTS
      named=no
      continue
    fi
    choose_one=$(client_of "$choose_one")
    case " $KIT_CLIENTS " in
      *" $choose_one "*) case " $chosen " in *" $choose_one "*) ;; *) chosen="$chosen $choose_one" ;; esac ;;
      *) refuse "there is no client $choose_one in this kit" "the clients are: $KIT_CLIENTS" ;;
    esac
  done
  [ -n "$chosen" ] || refuse "--client needs a name" "the clients are: $KIT_CLIENTS"
}
