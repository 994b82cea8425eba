#!/usr/bin/env bats
# doctor.sh on machines with one thing wrong each.
load world
setup() {
  make_world
  standin bwrap <<<'exit 0'
  standin uv <<<'echo uv 0.9'
  standin df <<<'printf "Filesystem 1024-blocks Used Available\n/dev/x 1 1 %s\n" "$(cat "$WORLD/free-kib" 2>/dev/null || echo 500000000)"'
  export AUTORESEARCH_EXTRA_PATH=$BIN # where this machine's uv is looked for
  install >/dev/null
  mkdir -p "$(STATE)/cache/autoresearch"
  touch "$(STATE)/cache/autoresearch/tokens.bin"
  answer 'GET api.github.com' 200 <<<'{}'
  answer 'GET github.com' 200 <<<''
  latest 9.9.9 'yesterday'
}
latest() {
  answer 'GET api.github.com/repos/actions/runner/releases/latest' 200 \
    <<<"{\"tag_name\": \"v$1\", \"published_at\": \"$(date -u -d "$2" +%Y-%m-%dT00:00:00Z)\"}"
}
doctor() { "$SETUP/doctor.sh" --root "$R" "$@"; }
# says STATUS CHECK WORDS: the finding is there, with a reason and a remedy when something is wrong
says() {
  run doctor --json
  jq -e --arg s "$1" --arg c "$2" --arg w "$3" \
    '[.findings[] | select(.status == $s and .check == $c and (.what | contains($w)))] | length > 0' <<<"$output" || { echo "$output"; return 1; }
  if [ "$1" = fail ]; then
    [ "$status" -eq 1 ]
    jq -e --arg c "$2" '.ok == false and ([.findings[] | select(.check == $c and .status == "fail" and .why != "" and .remedy != "")] | length > 0)' <<<"$output"
  fi
}

@test "a good machine passes, and nothing on it is changed" {
  before=$(picture_of "$R")
  run doctor
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *"0 failed, 0 warnings"* ]]
  [ "$(picture_of "$R")" = "$before" ]
}

@test "the JSON says what the text says" {
  run doctor --json
  [ "$status" -eq 0 ]
  jq -e '.ok and .failed == 0 and .warnings == 0' <<<"$output"
  [ "$(jq -r '.findings[].check' <<<"$output" | sort -u)" = "$(doctor | awk '$1 == "ok" { print $2 }' | sort -u)" ]
}

@test "no driver, and a driver that does not work" {
  : >"$GPUS"
  says fail driver 'No devices were found'
}

@test "a GPU that somebody uses" {
  echo '0, GPU-aaaa, Made Up H100, 81559, 40000, 570.1' >"$GPUS"
  says warn gpu-memory '40000 of 81559 MiB'
}

@test "a card that was changed since the installation" {
  sed -i s/GPU-bbbb/GPU-cccc/ "$GPUS"
  says fail gpu-pinning 'GPU-bbbb'
}

@test "a full disk" {
  echo 1000000 >"$WORLD/free-kib"
  says fail disk '0 GiB'
  echo 30000000 >"$WORLD/free-kib"
  says warn disk '28 GiB'
}

@test "bubblewrap without user namespaces: the remedy is that of the cause" {
  standin bwrap <<<'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1'
  says fail bubblewrap 'Permission denied'
  remedy() { jq -r '.findings[] | select(.check == "bubblewrap") | .remedy' <<<"$output"; }
  [[ $(remedy) == *container* ]]
  mkdir -p "$AUTORESEARCH_PROC/sys/kernel" "$AUTORESEARCH_PROC/sys/user"
  echo 0 >"$AUTORESEARCH_PROC/sys/user/max_user_namespaces"
  says fail bubblewrap 'Permission denied'
  [[ $(remedy) == *max_user_namespaces* ]]
  echo 1 >"$AUTORESEARCH_PROC/sys/kernel/apparmor_restrict_unprivileged_userns"
  says fail bubblewrap 'Permission denied'
  [[ $(remedy) == *apparmor* ]]
}

@test "a bubblewrap that is too old for some options of the sandbox, as in Ubuntu 22.04" {
  refuses() { # a bwrap that does not know these options
    standin bwrap <<S
[[ \$1 != --version ]] || { echo 'bubblewrap 0.6.1'; exit 0; }
for word in "\$@"; do [[ " $* " != *" \$word "* ]] || { echo "bwrap: Unknown option \$word" >&2; exit 1; }; done
S
  }
  refuses --size --disable-userns
  says warn bubblewrap 'without --size and --disable-userns (bubblewrap 0.6.1)'
  refuses --disable-userns
  says warn bubblewrap 'without --disable-userns'
  refuses --json-status-fd # that one is for every trial
  says fail bubblewrap 'Unknown option --json-status-fd'
}

@test "bubblewrap is tried as an unprivileged user with no new privileges" {
  needs_root
  standin bwrap <<<'[[ $EUID -ne 0 ]] && grep -q "^NoNewPrivs:.1" /proc/self/status || { echo "bwrap: as root"; exit 1; }'
  says ok bubblewrap works
}

@test "data that a job could write, and no data" {
  chmod o+w "$(STATE)/cache/autoresearch/tokens.bin"
  says fail data-cache 'others than root'
  rm -r "$(STATE)/cache/autoresearch"
  says warn data-cache empty
}

@test "no network, and the clock that can't be compared then" {
  rm "$ANSWERS"/GET_github.com "$ANSWERS"/GET_api.github.com
  says fail connectivity 'not reached: https://api.github.com'
  run doctor --offline
  [[ $output == *"skip  connectivity"* ]]
}

@test "a name server where the metadata service is" {
  echo 'nameserver 169.254.169.254' >"$R/etc/resolv.conf"
  says fail name-server 169.254.169.254
}

@test "a clock that is wrong" {
  answer 'GET api.github.com' 200 '10 minutes ago' <<<'{}'
  says fail clock 's off'
}

@test "the 30-day rule" {
  latest 9.10.0 '5 days ago'
  says warn version '9.10.0 came out 5 days ago'
  latest 9.10.0 '31 days ago'
  says fail version '9.10.0 came out 31 days ago'
}

@test "without network the age of what is installed must do" {
  rm "$ANSWERS"/*latest
  echo "version=9.9.9
released=$(date -u -d '45 days ago' +%F)" >"$(LIB)/installed"
  says warn version 'released 45 days ago'
  echo "version=9.9.9
released=$(date -u -d '3 days ago' +%F)" >"$(LIB)/installed"
  says ok version 'released 3 days ago'
}

@test "a token that others can read" {
  chmod 644 "$(ETC)/token"
  says fail token 'read by others'
}

@test "what a program answers can't break the JSON" {
  standin uv <<<$'printf \'uv "0.9" \\\\ \\t\\001\\n\''
  says ok uv 'uv "0.9"'
}

@test "a wrong call is told apart from a bad machine" {
  run doctor --jsno
  [ "$status" -eq 2 ]
}
