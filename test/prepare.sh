#!/bin/bash
# Installs what the tests run against on Debian or Ubuntu: an engine, clients, and in a private folder compose v2, podman and cron.
# Usage: prepare.sh CACHE_FOLDER     (as root; safe to run again: what is there already is left alone)
#        prepare.sh --packages       (prints the packages and installs nothing)
set -euo pipefail

# command=package: the command says whether the package is needed.
required=(
  dockerd=docker.io docker=docker.io iptables=iptables ip=iproute2 nsenter=util-linux
  skopeo=skopeo htpasswd=apache2-utils curl=curl openssl=openssl tmux=tmux
  python3=python3 ssh-keygen=openssh-client update-ca-certificates=ca-certificates
  wget=wget keytool=default-jre-headless
)
# podman comes from its own archive without being installed: on Debian 12 installing it would upgrade login and passwd.
# Besides these it needs only libraries that come with skopeo and docker.io.
private_podman=(podman conmon libsubid4 libglib2.0-0)
# The daemon alone, run in a namespace: installing it would start it on this machine.
private_cron=(cron)
# The first Debian with compose v2.
compose_suite=trixie

if [ "${1:-}" = --packages ]; then
  printf '%s\n' "${required[@]#*=}" | sort -u
  exit
fi
cache=${1:?usage: prepare.sh CACHE_FOLDER}
export DEBIAN_FRONTEND=noninteractive
mkdir -p "$cache"

say() { printf 'prepare: %s\n' "$*"; }

lists_updated=""
update_lists() {
  if [ -z "$lists_updated" ]; then
    say "apt-get update"
    apt-get update -qq
    lists_updated=yes
  fi
}

install_missing() {
  local missing=() pair
  for pair in "${required[@]}"; do
    command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    say "every package is installed"
    return
  fi
  update_lists
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  say "apt-get install ${missing[*]}"
  # Without systemd the engine's init script may fail (it raises a limit), and that would fail the installation.
  local policy=/usr/sbin/policy-rc.d policy_is_ours=""
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
    policy_is_ours=yes
  fi
  local code=0
  apt-get install -qq -y --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 || code=$?
  if [ -n "$policy_is_ours" ]; then rm -f "$policy"; fi
  if [ "$code" -ne 0 ]; then tail -n 40 "$cache/apt.log"; fi
  return "$code"
}

# unpack_from_system FOLDER PACKAGE...: unpacks packages of this system's own archive into FOLDER, which appears only when complete.
unpack_from_system() {
  local folder=$1 work
  shift
  [ -d "$folder" ] && return
  update_lists
  say "unpacking $* into $folder"
  work=$(mktemp -d "$cache/work.XXXXXX")
  (
    mkdir "$work/debs" "$work/root"
    cd "$work/debs"
    apt-get download -qq "$@" -o APT::Sandbox::User=root
    for archive in *.deb; do dpkg -x "$archive" "$work/root"; done
  )
  mv "$work/root" "$folder"
  rm -rf "$work"
}

# The configuration keeps lists, state and downloads of the other suite away from the system's own.
unpack_compose() {
  local folder=$cache/compose work mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [ -d "$folder" ] && return
  say "unpacking docker-compose of $compose_suite into $folder"
  work=$(mktemp -d "$cache/work.XXXXXX")
  if [ ! -r "$keyring" ]; then
    update_lists
    apt-get install -qq -y --no-install-recommends debian-archive-keyring >"$cache/apt.log" 2>&1
  fi
  mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/debs" "$work/root"
  : >"$work/status"
  # The mirror this machine has for its own release carries the other one as well.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n 1)
  echo "deb [signed-by=$keyring] $mirror $compose_suite main" >"$work/sources.list"
  cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::main "/dev/null";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "$work/parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "$work/parts";
APT::Sandbox::User "root";
Acquire::Languages "none";
CONF
  (
    export APT_CONFIG=$work/apt.conf
    cd "$work/debs"
    apt-get update -qq
    apt-get download -qq docker-compose
    dpkg -x docker-compose_*.deb "$work/root"
  )
  "$work/root/usr/libexec/docker/cli-plugins/docker-compose" version >/dev/null
  mv "$work/root" "$folder"
  rm -rf "$work"
}

# A whole Debian with every client a registry can have, for tests that make a machine of it (test/support/client-machine.ts).
clients_of_machine=(
  ca-certificates curl wget openssl busybox git python3-requests nodejs openjdk-17-jre-headless
  skopeo podman docker.io containerd runc iptables openssh-server iproute2
)
make_client_machine() {
  local root=$cache/client-debian-12 work mirror
  [ -d "$root" ] && return
  update_lists
  say "debootstrap of a machine with clients into $root (two minutes, once; log: $cache/clients.log)"
  work=$(mktemp -d "$cache/work.XXXXXX")
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' | grep -v security | head -n 1)
  (
    cd "$work"
    apt-get download -qq debootstrap -o APT::Sandbox::User=root
    dpkg -x debootstrap_*.deb tool
    DEBOOTSTRAP_DIR=$work/tool/usr/share/debootstrap sh tool/usr/sbin/debootstrap --variant=minbase bookworm root "$mirror" >"$cache/clients.log"
    printf '#!/bin/sh\nexit 101\n' >root/usr/sbin/policy-rc.d
    chmod +x root/usr/sbin/policy-rc.d
    cp -L /etc/resolv.conf root/etc/resolv.conf
    # In a namespace of its own: the mounts go with it.
    unshare --mount sh -c 'mount -t proc proc root/proc && exec chroot root "$@"' sh \
      env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
      apt-get install -qq -y --no-install-recommends "${clients_of_machine[@]}" >>"$cache/clients.log" 2>&1
    rm -rf root/var/lib/apt/lists/* root/var/cache/apt/* root/etc/ssh/ssh_host_*
  )
  mv "$work/root" "$root"
  rm -rf "$work"
}

install_missing
unpack_from_system "$cache/podman" "${private_podman[@]}"
unpack_from_system "$cache/cron" "${private_cron[@]}"
for program in podman conmon; do
  LD_LIBRARY_PATH=$(echo "$cache"/podman/usr/lib/*-linux-gnu) "$cache/podman/usr/bin/$program" --version | head -n 1 | sed 's/^/prepare: /'
done
unpack_compose
"$cache/compose/usr/libexec/docker/cli-plugins/docker-compose" version | sed 's/^/prepare: /'
make_client_machine
