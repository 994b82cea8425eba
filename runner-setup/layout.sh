# shellcheck shell=bash
# Where everything lies, and how the scripts speak. Sourced by all of them.
# ROOT is a prefix as DESTDIR is in other installers: empty means this machine.
# shellcheck disable=SC2034  # the names are for those who source this

NAME=autoresearch-runner
GROUP=autoresearch

# layout ROOT: sets the paths below the prefix.
layout() {
  ROOT=${1%/}
  LIB=$ROOT/usr/local/lib/$NAME      # programs, owned by root: a job can read them and change nothing
  ETC=$ROOT/etc/$NAME                # config, token; the token is for root alone
  STATE=$ROOT/var/lib/$NAME          # cache/ (data, read-only to jobs), uv-cache/, run/ (made anew for each job)
  UNITS=$ROOT/etc/systemd/system
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 2
}

# user_of INSTANCE: each runner has a user of its own, so that one can't touch another's processes.
user_of() { printf '%s-%s\n' "$GROUP" "$1"; }

# uid_of USER, gid_of_group GROUP: numbers, from the prefix's files when there is one. Empty when unknown.
uid_of() {
  if [[ -n $ROOT ]]; then awk -F: -v n="$1" '$1 == n { print $3 }' "$ROOT/etc/passwd" 2>/dev/null || true
  else id -u "$1" 2>/dev/null || true; fi
}
gid_of_group() {
  if [[ -n $ROOT ]]; then awk -F: -v n="$1" '$1 == n { print $3 }' "$ROOT/etc/group" 2>/dev/null || true
  else getent group "$1" | cut -d: -f3; fi
}

# own USER PATH…: gives paths to a user. Below a prefix, and not as root, ownership stays with whoever builds it.
own() {
  local uid gid
  [[ $EUID -eq 0 ]] || return 0
  if [[ $1 == root ]]; then uid=0; else uid=$(uid_of "$1"); fi
  gid=$(gid_of_group "$GROUP")
  [[ -n $uid && -n $gid ]] || die "there is no user $1 or no group $GROUP; run install.sh"
  shift
  chown -R --no-dereference "$uid:$gid" "$@"
}

# instances: the runners that are installed, one a line.
instances() {
  local file
  for file in "$ETC"/instance-*.env; do
    [[ -e $file ]] || continue
    file=${file##*/instance-}
    printf '%s\n' "${file%.env}"
  done
}

# value_of KEY FILE: from a file of `key=value` lines, of which nothing is executed.
value_of() { sed -n "s/^$1=//p" "$2" 2>/dev/null | head -n 1; }
