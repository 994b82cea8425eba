#!/usr/bin/env bash
# Takes away all that install.sh made: services, programs, token, users, caches. Running it again does nothing.
set -euo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=layout.sh
source "$HERE/layout.sh"

keep_cache=no dry_run=no root=''
while [[ $# -gt 0 ]]; do
  case $1 in
    --keep-cache) keep_cache=yes; shift ;;
    --dry-run) dry_run=yes; shift ;;
    --root) [[ -n ${2:-} ]] || die "--root needs a value"; root=$2; shift 2 ;;
    -h|--help) echo "usage: uninstall.sh [--keep-cache] [--dry-run] [--root DIR]"; exit 0 ;;
    *) die "unknown option $1" ;;
  esac
done
layout "$root"
[[ -n $ROOT || $EUID -eq 0 || $dry_run == yes ]] || die "run it as root (or with --root DIR, or --dry-run)"

changes=0
change() { # change SENTENCE COMMAND…
  local sentence=$1
  shift
  changes=$((changes + 1))
  if [[ $dry_run == yes ]]; then echo "would $sentence"; else echo "$sentence"; "$@"; fi
}
prefix=()
[[ -z $ROOT ]] || prefix=(--prefix "$ROOT")
systemd() { if [[ -n $ROOT ]]; then systemctl --root="$ROOT" "$@"; else systemctl "$@"; fi; }
remove() { # remove PATH, when it is there
  [[ ! -e $1 && ! -L $1 ]] || change "remove $1" rm -rf --one-file-system "$1"
}
stop_and_disable() {
  [[ -n $ROOT ]] || systemctl stop "$1" || true
  systemd disable "$1" || true
  rm -f "$UNITS/multi-user.target.wants/$1"
}

mapfile -t found < <(instances)
# 1. No more jobs. A job that runs now is cancelled; its runner leaves GitHub's list, as `clean` sees to it.
for instance in "${found[@]}"; do
  change "stop and disable $NAME@$instance.service" stop_and_disable "$NAME@$instance.service"
  if [[ -e $STATE/run/$instance.id || -d $STATE/run/$instance ]]; then
    change "clean up after $instance" env AUTORESEARCH_ROOT="$ROOT" "$LIB/clean" "$instance" || true
  fi
done
# 2. Users; their ids are needed until here.
for instance in "${found[@]}"; do
  user=$(user_of "$instance")
  [[ -z $(uid_of "$user") ]] || change "remove the user $user" userdel "${prefix[@]}" "$user"
done
[[ -z $(gid_of_group "$GROUP") ]] || change "remove the group $GROUP" groupdel "${prefix[@]}" "$GROUP"
# 3. Files.
for instance in "${found[@]}"; do remove "$UNITS/$NAME@$instance.service.d"; done
remove "$UNITS/$NAME@.service"
remove "$UNITS/$NAME-gpu.service"
if [[ $keep_cache == yes ]]; then
  remove "$STATE/run"
  remove "$STATE/uv-cache"
else
  remove "$STATE"
fi
remove "$ETC"
remove "$LIB"
[[ -n $ROOT || $changes -eq 0 ]] || change "reload systemd" systemctl daemon-reload
[[ $changes -gt 0 ]] || echo "nothing to do: nothing is installed"
