#!/usr/bin/env bats
# One turn of the ephemeral loop: register, prepare, run-job, clean; and the hooks of a job.
load world
setup() {
  make_world
  install >/dev/null
  export AUTORESEARCH_ROOT=$R AUTORESEARCH_TURN_SECONDS=0
  JIT=POST\ api.github.com/repos/you/nanochat/actions/runners/generate-jitconfig
}
registered() { answer "$JIT" 201 <<<'{"runner": {"id": 4711, "name": "box-0"}, "encoded_jit_config": "bWFkZSB1cA=="}'; }

@test "register asks for one job's configuration, with the labels; the token is in a header and in no argument" {
  registered
  run "$(LIB)/register" new 0
  [ "$status" -eq 0 ]
  [ "$output" = bWFkZSB1cA== ]
  [ "$(jq -c '.labels | [.[0], .[1], .[3]]' "$WORLD/body")" = '["self-hosted","linux","gpu"]' ]
  [ "$(jq -r '"\(.runner_group_id) \(.work_folder)"' "$WORLD/body")" = '1 _work' ]
  jq -e '.name | startswith("box-0-")' "$WORLD/body"
  grep -q 'Authorization: Bearer ghp_made_up_0123456789"' "$WORLD/headers"
  refute grep -q ghp_made_up "$CALLS"
  [ "$(cat "$(STATE)/run/0.id")" = 4711 ]
}

@test "a refusal says what GitHub said and what to do, and registers nothing" {
  answer "$JIT" 403 <<<'{"message": "Resource not accessible by personal access token"}'
  run "$(LIB)/register" new 0
  [ "$status" -ne 0 ]
  [[ $output == *"403 Resource not accessible"* ]]
  [[ $output == *"may not manage runners"* ]]
  [ ! -e "$(STATE)/run/0.id" ]
}

@test "a GitHub App signs in with a token that its key proves" {
  openssl genrsa -out "$WORLD/key.pem" 2048 2>/dev/null
  openssl rsa -in "$WORLD/key.pem" -pubout -out "$WORLD/public.pem" 2>/dev/null
  "$SETUP/install.sh" --root "$R" --url https://github.com/you/nanochat --archive "$ARCHIVE" --runner-version 9.9.9 --sha256 "$SHA" \
    --app-id Iv1.made_up --app-installation 77 --app-key-file "$WORLD/key.pem"
  [ "$(stat -c %a "$(ETC)/app-key.pem")" = 600 ]
  answer 'POST api.github.com/app/installations/77/access_tokens' 201 <<<'{"token": "ghs_of_the_app"}'
  registered
  run "$(LIB)/register" new 0
  [ "$status" -eq 0 ]
  jwt=$(sed -n 's/.*Bearer \(.*\)"$/\1/p' "$WORLD/headers" | head -n 1)
  signature=$(cut -d. -f3 <<<"$jwt" | tr '_-' '/+')
  while [ $((${#signature} % 4)) -ne 0 ]; do signature+='='; done
  openssl base64 -d -A <<<"$signature" >"$WORLD/signature"
  printf %s "${jwt%.*}" | openssl dgst -sha256 -verify "$WORLD/public.pem" -signature "$WORLD/signature"
  grep -q 'Bearer ghs_of_the_app"' "$WORLD/headers"
}

@test "each job finds a fresh runner, a fresh home and the data" {
  registered
  mkdir "$(STATE)/cache/autoresearch"
  mkdir -p "$(STATE)/run/0/home"
  echo 'export PATH=/evil' >"$(STATE)/run/0/home/.bashrc"
  "$(LIB)/prepare" 0
  home=$(STATE)/run/0/home
  [ ! -e "$home/.bashrc" ]
  [ "$(cat "$(STATE)/run/0/runner/bin/version")" = 9.9.9 ]
  [ "$(readlink "$home/.cache/autoresearch")" = /var/lib/autoresearch-runner/cache/autoresearch ]
  grep -q 'link-mode = "copy"' "$home/.config/uv/uv.toml"
  [ "$(stat -c %a "$(STATE)/run/0")" = 700 ]
  [ "$(stat -c %a "$(STATE)/run/0/jitconfig")" = 600 ]
}

@test "the turn after a training begins at once; turns that end at once do not follow each other so fast" {
  registered
  standin sleep <<<''
  export AUTORESEARCH_TURN_SECONDS=10
  "$(LIB)/prepare" 0
  refute grep -q '^sleep' "$CALLS"
  "$(LIB)/prepare" 0
  grep -qE '^sleep ([89]|10)$' "$CALLS"
  : >"$CALLS"
  touch -d '5 minutes ago' "$(STATE)/run/0.began"
  "$(LIB)/prepare" 0
  touch -d 'next year' "$(STATE)/run/0.began"
  "$(LIB)/prepare" 0
  refute grep -q '^sleep' "$CALLS"
  # A failure is a turn, too.
  rm "$ANSWERS"/POST*
  run "$(LIB)/prepare" 0
  [ "$status" -ne 0 ]
  grep -qE '^sleep ([89]|10)$' "$CALLS"
  grep -qx RestartSec=1 "$(UNITS)/autoresearch-runner@.service"
  grep -qx StartLimitIntervalSec=0 "$(UNITS)/autoresearch-runner@.service"
}

@test "what a job does to its runner does not reach the one that the next is copied from" {
  registered
  "$(LIB)/prepare" 0
  echo evil >"$(STATE)/run/0/runner/bin/version"
  "$(LIB)/prepare" 0
  [ "$(cat "$(STATE)/run/0/runner/bin/version")" = 9.9.9 ]
  [ "$(cat "$(LIB)/current/bin/version")" = 9.9.9 ]
}

@test "the runner gets its configuration in the environment, not as an argument, and the file is gone" {
  registered
  "$(LIB)/prepare" 0
  export HOME=$WORLD
  run "$(LIB)/run-job" 0
  [ "$status" -eq 0 ]
  grep -qx 'arguments=' "$WORLD/started"
  grep -qx 'configuration=bWFkZSB1cA==' "$WORLD/started"
  [ ! -e "$(STATE)/run/0/jitconfig" ]
}

@test "a version that GitHub takes no more ends the loop with status 7, and a sentence" {
  registered
  "$(LIB)/prepare" 0
  export HOME=$WORLD
  echo 7 >"$WORLD/exit"
  run "$(LIB)/run-job" 0
  [ "$status" -eq 7 ]
  [[ $output == *"latest-version.sh"* ]]
  grep -qx RestartPreventExitStatus=7 "$(UNITS)/autoresearch-runner@.service"
}

@test "after a turn nothing is left, on the machine or on GitHub's list" {
  before=$(cd "$R" && find . | sort)
  registered
  answer 'DELETE api.github.com/repos/you/nanochat/actions/runners/4711' 204 </dev/null
  "$(LIB)/prepare" 0
  HOME=$WORLD "$(LIB)/run-job" 0
  "$(LIB)/clean" 0
  [ "$(cd "$R" && find . ! -name 0.began | sort)" = "$before" ] # but for when it began
  grep -q 'DELETE .*runners/4711' "$CALLS"
}

@test "what a job left in /tmp and /dev/shm goes; what others have there stays" {
  needs_root
  uid=$(awk -F: '$1 == "autoresearch-0" { print $3 }' "$R/etc/passwd")
  mkdir -p "$R/tmp/of-the-job/deep"
  touch "$R/tmp/of-the-job/deep/file" "$R/dev/shm/of-the-job" "$R/tmp/of-others"
  chown -R "$uid" "$R/tmp/of-the-job" "$R/dev/shm/of-the-job"
  "$(LIB)/clean" 0
  [ "$(cd "$R" && find tmp dev -type f -o -path '*job*')" = tmp/of-others ]
}

@test "cleaning up goes through when GitHub is away" {
  registered
  "$(LIB)/prepare" 0
  run "$(LIB)/clean" 0
  [ "$status" -eq 0 ]
  [ ! -e "$(STATE)/run/0" ]
}

@test "an instance is a number or cpu, never a path" {
  for program in prepare run-job clean; do
    run "$(LIB)/$program" ../../etc
    [ "$status" -eq 2 ]
  done
  [ -e "$(ETC)/config" ]
}

# --- the hooks ---
job() { # a job as the bot starts it; assignments given override
  echo '{"repository": {"default_branch": "main"}}' >"$WORLD/event.json"
  run env -u CUDA_VISIBLE_DEVICES AUTORESEARCH_WORKFLOW=.github/workflows/autoresearch.yml AUTORESEARCH_MIN_FREE_GIB=0 GITHUB_EVENT_NAME=workflow_dispatch \
    GITHUB_REPOSITORY=you/nanochat GITHUB_WORKFLOW_REF=you/nanochat/.github/workflows/autoresearch.yml@refs/heads/main \
    GITHUB_EVENT_PATH="$WORLD/event.json" "$@" bash -e "$(LIB)/job-started.sh"
}

@test "the bot's job is taken" {
  job
  [ "$status" -eq 0 ]
  job CUDA_VISIBLE_DEVICES=GPU-aaaa
  [ "$status" -eq 0 ]
}

@test "jobs of strangers, of other workflows and of other branches are refused" {
  refused() { job "${@:2}"; [ "$status" -eq 1 ]; [[ $output == *"::error"*"$1"* ]] || { echo "$output"; return 1; }; }
  refused "started by pull_request" GITHUB_EVENT_NAME=pull_request
  refused "started by pull_request_target" GITHUB_EVENT_NAME=pull_request_target
  refused "not of you/nanochat/.github/workflows/other.yml" GITHUB_WORKFLOW_REF=you/nanochat/.github/workflows/other.yml@refs/heads/main
  refused "not of evil/fork/" GITHUB_WORKFLOW_REF=evil/fork/.github/workflows/autoresearch.yml@refs/heads/main
  refused "not from refs/heads/autoresearch/1/exp-0001" GITHUB_WORKFLOW_REF=you/nanochat/.github/workflows/autoresearch.yml@refs/heads/autoresearch/1/exp-0001
  refused "which branch is the default one" GITHUB_EVENT_PATH=/dev/null
}

@test "with --workflow any every job is taken" {
  job AUTORESEARCH_WORKFLOW=any GITHUB_EVENT_NAME=pull_request
  [ "$status" -eq 0 ]
}

@test "a GPU on which somebody else is, or that can't be seen, is not trained on" {
  echo '812, python3, 4096 MiB' >"$WORLD/busy"
  job CUDA_VISIBLE_DEVICES=GPU-aaaa
  [ "$status" -eq 1 ]
  [[ $output == *"somebody else is on the GPU"*"812, python3"* ]]
  : >"$GPUS"
  job CUDA_VISIBLE_DEVICES=GPU-aaaa
  [ "$status" -eq 1 ]
  [[ $output == *"can not be seen"* ]]
}

@test "a full disk is said before the trial, not in it" {
  job AUTORESEARCH_MIN_FREE_GIB=99999999
  [ "$status" -eq 1 ]
  [[ $output == *"GiB are free"* ]]
}

@test "daemons of the job are ended and its files removed; other users' processes live" {
  needs_root
  chmod 755 "$R" "$R"/{usr,usr/local,usr/local/lib}
  uid=64873
  mkdir -p "$WORLD/_work/repo"
  touch "$WORLD/_work/repo/left"
  chown -R $uid "$WORLD/_work"
  sleep 300 3>&- & # of this test's own user
  other=$!
  as() { setpriv --reuid $uid --regid $uid --clear-groups "$@"; }
  as setsid bash -c 'trap "" TERM HUP; (sleep 301 & wait) & wait' 3>&- >/dev/null 2>&1 &
  for _ in $(seq 50); do [ "$(pgrep -c -U $uid)" -ge 3 ] && break; sleep 0.1; done
  [ "$(pgrep -c -U $uid)" -ge 3 ]
  run as env GITHUB_WORKSPACE="$WORLD/_work/repo" bash "$(LIB)/job-completed.sh"
  [ "$status" -eq 0 ]
  [[ $output == *"sleep 301"* ]]
  [ -z "$(pgrep -U $uid -r R,S,D,T)" ]
  [ ! -e "$WORLD/_work/repo/left" ]
  kill $other # fails if the hook took it too
}

@test "the hook that kills does not run as root" {
  needs_root
  run bash "$(LIB)/job-completed.sh"
  [ "$status" -eq 1 ]
}
