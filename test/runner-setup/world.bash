# shellcheck shell=bash
# A machine to install on, below a prefix, and stand-ins on PATH for what would touch the real one. Loaded by each file.
# Each stand-in writes its call to $CALLS and does to the prefix what the real program would.
# shellcheck disable=SC2034

SETUP=$(cd "$BATS_TEST_DIRNAME/../../runner-setup" && pwd)

standin() { # standin NAME < SCRIPT
  { echo '#!/usr/bin/env bash'; echo "echo \"$1 \$*\" >>\"\$CALLS\""; cat; } >"$BIN/$1"
  chmod +x "$BIN/$1"
}

make_world() {
  WORLD=$(mktemp -d "$BATS_TEST_TMPDIR/world.XXXXXX")
  BIN=$WORLD/bin CALLS=$WORLD/calls R=$WORLD/root
  GPUS=$WORLD/gpus ANSWERS=$WORLD/answers AUTORESEARCH_PROC=$WORLD/proc
  export WORLD CALLS GPUS ANSWERS AUTORESEARCH_PROC
  mkdir -p "$BIN" "$R/etc" "$R/tmp" "$R/dev/shm" "$ANSWERS" "$AUTORESEARCH_PROC"
  : >"$CALLS"
  # Some scripts act as another user, who must find the stand-ins.
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR" "$WORLD"
  chmod 666 "$CALLS"
  echo 'root:x:0:0::/root:/bin/bash' >"$R/etc/passwd"
  echo 'root:x:0:' >"$R/etc/group"
  echo ghp_made_up_0123456789 >"$WORLD/token"
  printf '0, GPU-aaaa, Made Up H100, 81559, 4, 570.1\n1, GPU-bbbb, Made Up H100, 81559, 4, 570.1\n' >"$GPUS"
  standin useradd <<'S'
while [[ $# -gt 1 ]]; do [[ $1 == --prefix ]] && p=$2; shift; done
echo "$1:!:$((64000 + $(wc -l <"$p/etc/passwd"))):64500::/:/usr/sbin/nologin" >>"$p/etc/passwd"
S
  standin groupadd <<'S'
echo "${!#}:x:64500:" >>"$2/etc/group"
S
  standin userdel <<'S'
sed -i "/^${!#}:/d" "$2/etc/passwd"
S
  standin groupdel <<'S'
sed -i "/^${!#}:/d" "$2/etc/group"
S
  standin systemctl <<'S'
root=${1#--root=}
wants=$root/etc/systemd/system/multi-user.target.wants
case $2 in
  enable) mkdir -p "$wants"; ln -sfn "/etc/systemd/system/autoresearch-runner@.service" "$wants/$3" ;;
  disable) rm -f "$wants/$3"; rmdir "$wants" 2>/dev/null || true ;;
esac
S
  standin nvidia-smi <<'S'
[[ -s $GPUS ]] || { echo "No devices were found"; exit 6; }
case "$*" in
  *query-gpu=index,uuid\ *) cut -d, -f1,2 "$GPUS" ;;
  *query-gpu=*) cat "$GPUS" ;;
  *query-compute-apps=*) cat "$WORLD/busy" 2>/dev/null || true ;;
esac
S
  # GitHub: the answer to a request lies in $ANSWERS/<words of its address>, body and status; without one there is no
  # network. Headers given by `--config -` are kept, to be looked at.
  standin curl <<'S'
out='' headers=no method=GET status_wanted=no
for word in "$@"; do url=$word; done
while [[ $# -gt 0 ]]; do
  case $1 in
    -o) out=$2 ;; -D) headers=yes ;; -X) method=$2 ;; -w) status_wanted=yes ;;
    --config) cat >>"$WORLD/headers" ;; --data-binary) printf '%s\n' "$2" >"$WORLD/body" ;;
  esac
  shift
done
file=$ANSWERS/$(tr -c 'A-Za-z0-9.\n' _ <<<"$method ${url#https://}")
[[ -e $file ]] || { echo "curl: (6) Could not resolve host: ${url#https://}" >&2; exit 6; }
[[ $headers == no ]] || cat "$file.headers"
if [[ -n $out ]]; then cp "$file" "$out"; else cat "$file"; fi
[[ $status_wanted == no ]] || printf '\n%s\n' "$(cat "$file.status")"
S
  PATH=$BIN:$PATH
  make_archive 9.9.9
}

answer() { # answer 'METHOD host/path' STATUS < BODY
  local file
  file=$ANSWERS/$(tr -c 'A-Za-z0-9.\n' _ <<<"$1")
  cat >"$file"
  echo "$2" >"$file.status"
  printf 'HTTP/2 %s\r\nDate: %s\r\n\r\n' "$2" "$(date -u -d "${3:-now}" '+%a, %d %b %Y %H:%M:%S GMT')" >"$file.headers"
}

make_archive() { # a made-up runner: its run.sh writes down how it was started, and ends as it is told to
  local tree=$WORLD/tree
  mkdir -p "$tree/bin"
  cat >"$tree/run.sh" <<'S'
#!/usr/bin/env bash
echo "arguments=$*" >"$HOME/started"
echo "configuration=${ACTIONS_RUNNER_INPUT_JITCONFIG:-none}" >>"$HOME/started"
exit "$(cat "$HOME/exit" 2>/dev/null || echo 0)"
S
  chmod +x "$tree/run.sh"
  echo "$1" >"$tree/bin/version"
  ARCHIVE=$WORLD/runner-$1.tar.gz
  tar -czf "$ARCHIVE" -C "$tree" .
  SHA=$(sha256sum "$ARCHIVE" | cut -d' ' -f1)
}

# install OPTION…: the real script, on the prefix. A later option wins over the ones given here.
install() {
  "$SETUP/install.sh" --root "$R" --url https://github.com/you/nanochat --token-file "$WORLD/token" --name box \
    --archive "$ARCHIVE" --runner-version 9.9.9 --sha256 "$SHA" "$@"
}

# everything below the prefix: names, kinds, modes, owners, times of change, contents
picture_of() {
  (cd "$1" && find . -printf '%p %y %m %U %G %l %T@\n' | sort && find . -type f -print0 | sort -z | xargs -0 -r sha256sum)
}

# refute COMMAND…: a plain `! command` in the middle of a test fails nothing
refute() { if "$@"; then echo "did not expect: $*"; return 1; fi; }
needs_root() { [[ $EUID -eq 0 ]] || skip "needs root, to act as another user"; }
LIB() { echo "$R/usr/local/lib/autoresearch-runner"; }
ETC() { echo "$R/etc/autoresearch-runner"; }
STATE() { echo "$R/var/lib/autoresearch-runner"; }
UNITS() { echo "$R/etc/systemd/system"; }
