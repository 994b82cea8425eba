#!/usr/bin/env bats
# uninstall.sh takes away all that install.sh brought, and nothing else.
load world
setup() { make_world; }
tree() { (cd "$R" && find . -printf '%p %m\n' | sort && cat etc/passwd etc/group); }

@test "nothing is left" {
  # The directories that were there before stay, as on any machine.
  mkdir -p "$R/usr/local/lib" "$R/var/lib" "$R/etc/systemd/system"
  before=$(tree)
  install
  [ "$(tree)" != "$before" ]
  "$(LIB)/uninstall.sh" --root "$R"
  [ "$(tree)" = "$before" ]
}

@test "a second call does nothing" {
  install
  "$SETUP/uninstall.sh" --root "$R"
  before=$(picture_of "$R")
  run "$SETUP/uninstall.sh" --root "$R"
  [ "$status" -eq 0 ]
  [[ $output == *"nothing to do"* ]]
  [ "$(picture_of "$R")" = "$before" ]
}

@test "a dry run changes nothing" {
  install
  before=$(picture_of "$R")
  run "$SETUP/uninstall.sh" --root "$R" --dry-run
  [ "$status" -eq 0 ]
  [[ $output == *"would remove the user autoresearch-1"* ]]
  [ "$(picture_of "$R")" = "$before" ]
}

@test "the data stays when asked for" {
  install
  mkdir "$(STATE)/cache/autoresearch"
  "$SETUP/uninstall.sh" --root "$R" --keep-cache
  [ -d "$(STATE)/cache/autoresearch" ]
  [ ! -e "$(STATE)/uv-cache" ]
  [ ! -e "$(ETC)" ]
}

@test "a runner that waits for a job leaves GitHub's list" {
  install
  export AUTORESEARCH_ROOT=$R
  answer 'POST api.github.com/repos/you/nanochat/actions/runners/generate-jitconfig' 201 <<<'{"runner": {"id": 12}, "encoded_jit_config": "eA=="}'
  answer 'DELETE api.github.com/repos/you/nanochat/actions/runners/12' 204 </dev/null
  "$(LIB)/prepare" 0
  "$SETUP/uninstall.sh" --root "$R"
  grep -q 'DELETE .*runners/12' "$CALLS"
}

@test "with runners whose network is away it goes through" {
  install
  mkdir -p "$(STATE)/run/0"
  echo 12 >"$(STATE)/run/0.id"
  "$SETUP/uninstall.sh" --root "$R"
  [ ! -e "$(STATE)" ]
}

@test "other users and services stay" {
  echo 'autoresearch-extra:x:1234:1234::/home/x:/bin/bash' >>"$R/etc/passwd"
  mkdir -p "$(UNITS)"
  echo '[Service]' >"$(UNITS)/other.service"
  install
  "$SETUP/uninstall.sh" --root "$R"
  grep -q '^autoresearch-extra:' "$R/etc/passwd"
  [ -e "$(UNITS)/other.service" ]
}
