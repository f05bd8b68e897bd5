#!/bin/bash
# Runs a command on a bare Debian 12 that lives in a folder: a minimal root made by debootstrap with Node and nothing else,
# in network, mount, process, host name and IPC namespaces of its own, its own init, and an address behind this host's.
# Usage: fresh-machine.sh ROOT PROGRAM [ARGUMENT...]      (as root; ROOT is a folder this makes, and keeps)
#
# REGCTL_TEST_CACHE  where the debootstrapped root is kept for the next time (/var/cache/regctl-test)
# REGCTL_CLONE_OF    the repository that /root/regctl is a fresh clone of (this one)
set -euo pipefail

root=$(realpath -m "${1:?usage: fresh-machine.sh ROOT PROGRAM [ARGUMENT...]}")
shift
here=$(cd "$(dirname "$0")/.." && pwd)
cache=${REGCTL_TEST_CACHE:-/var/cache/regctl-test}
bare=$cache/bare-debian-12
authorities=/etc/ssl/certs/ca-certificates.crt

say() { printf 'fresh-machine: %s\n' "$*" >&2; }
need() { command -v "$1" >/dev/null || { say "needs $1: apt-get install $2"; exit 1; }; }
need debootstrap debootstrap
need ip iproute2
need iptables iptables
need nsenter util-linux

make_bare_root() {
  [ -d "$bare" ] && return
  say "debootstrap into $bare (about a minute, once)"
  mkdir -p "$cache"
  rm -rf --one-file-system "$bare.unfinished"
  env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin debootstrap --variant=minbase bookworm "$bare.unfinished" >"$cache/debootstrap.log" 2>&1 ||
    { tail -n 20 "$cache/debootstrap.log" >&2; exit 1; }
  # As on an installed system: no package lists and no archives yet.
  rm -rf "$bare.unfinished"/var/lib/apt/lists/* "$bare.unfinished"/var/cache/apt/*
  mv "$bare.unfinished" "$bare"
}

make_root() {
  [ -d "$root" ] && return
  cp -a "$bare" "$root"
  local node modules
  node=$(realpath "$(command -v node)")
  modules=$(dirname "$(dirname "$(dirname "$(realpath "$(command -v npm)")")")")
  install -m 755 "$node" "$root/usr/bin/node"
  mkdir -p "$root/usr/lib/node_modules"
  cp -a "$modules/npm" "$root/usr/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/bin/npx"
  cat >"$root/etc/apt/sources.list" <<'SOURCES'
deb http://deb.debian.org/debian bookworm main
deb http://deb.debian.org/debian bookworm-updates main
deb http://deb.debian.org/debian-security bookworm-security main
SOURCES
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  echo fresh >"$root/etc/hostname"
  printf '127.0.0.1 localhost fresh\n::1 localhost\n' >"$root/etc/hosts"
  # Networks that end TLS at a proxy have its authority here; npm learns of it as on any such machine.
  cp -L "$authorities" "$root/ca.crt"
  git clone --quiet "${REGCTL_CLONE_OF:-$here}" "$root/root/regctl"
}

suffix=$(printf '%x' $$)
name=regctl-fresh-$suffix
outer=rfo$suffix
inner=rfi$suffix
rules=()

# rule TABLE CHAIN RULE...: put first, and taken away at the end.
rule() {
  iptables -w -t "$1" -I "${@:2}"
  rules+=("$*")
}

cleanup() {
  local code=$? each
  set +e
  for each in "${rules[@]}"; do
    # shellcheck disable=SC2086
    set -- $each
    iptables -w -t "$1" -D "${@:2}"
  done
  ip link del "$outer" 2>/dev/null
  ip netns del "$name" 2>/dev/null
  exit "$code"
}
trap cleanup EXIT

make_network() {
  local third fourth
  third=$((RANDOM % 254 + 1)) fourth=$((RANDOM % 63 * 4))
  ip netns add "$name"
  ip link add "$outer" type veth peer name "$inner" netns "$name"
  ip addr add "10.253.$third.$((fourth + 1))/30" dev "$outer"
  ip link set "$outer" up
  ip -n "$name" addr add "10.253.$third.$((fourth + 2))/30" dev "$inner"
  ip -n "$name" link set "$inner" up
  ip -n "$name" link set lo up
  ip -n "$name" route add default via "10.253.$third.$((fourth + 1))"
  sysctl -qw net.ipv4.ip_forward=1
  rule filter FORWARD -i "$outer" -j ACCEPT
  rule filter FORWARD -o "$outer" -j ACCEPT
  rule nat POSTROUTING -s "10.253.$third.$((fourth + 2))/32" -j MASQUERADE
}

# The first process of the machine: mounts what a kernel's init would, then runs the program in the new root.
enter=$(cat <<'ENTER'
set -euo pipefail
root=$1
shift
hostname fresh
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
mkdir -p "$root/run/lock" "$root/.old"
cd "$root"
pivot_root . .old
cd /root
umount -l /.old
rmdir /.old
code=0
/usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  NODE_EXTRA_CA_CERTS=/ca.crt "$@" || code=$?
# Shutdown: the engine takes its containers, their mounts and control groups along.
if [ -r /run/docker.pid ]; then
  engine=$(cat /run/docker.pid)
  kill "$engine" || true
  for _ in $(seq 150); do
    kill -0 "$engine" 2>/dev/null || break
    sleep 0.2
  done
fi
exit "$code"
ENTER
)

make_bare_root
make_root
make_network
nsenter --net="/run/netns/$name" \
  unshare --mount --pid --fork --kill-child --uts --ipc -- bash -c "$enter" fresh-machine "$root" "$@"
