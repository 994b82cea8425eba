#!/usr/bin/env bats
# runner-version and the step that brings it up to date.
load world
setup() {
  make_world
  cp "$SETUP/runner-version" "$WORLD/runner-version"
}
X=$(printf 'a%.0s' {1..64})
release() { # release VERSION DIGEST-OF-X64
  answer 'GET api.github.com/repos/actions/runner/releases/latest' 200 <<J
{"tag_name": "v$1", "published_at": "2030-01-02T03:04:05Z", "assets": [
  {"name": "actions-runner-linux-x64-$1.tar.gz", "digest": "sha256:$2"},
  {"name": "actions-runner-linux-arm-$1.tar.gz", "digest": "sha256:${X//a/b}"},
  {"name": "actions-runner-linux-arm64-$1.tar.gz", "digest": null}]}
J
}

@test "the file that is shipped is whole" {
  grep -Eqx 'version=[0-9]+\.[0-9]+\.[0-9]+' "$SETUP/runner-version"
  grep -Eqx 'released=20[0-9]{2}-[0-9]{2}-[0-9]{2}' "$SETUP/runner-version"
  [ "$(grep -Ec '^sha256_(x64|arm64)=[0-9a-f]{64}$' "$SETUP/runner-version")" -eq 2 ]
}

@test "version, day and checksums are taken from the release; one that it does not give stays empty" {
  release 3.1.0 "$X"
  run "$SETUP/latest-version.sh" "$WORLD/runner-version"
  [ "$status" -eq 0 ]
  grep -qx version=3.1.0 "$WORLD/runner-version"
  grep -qx released=2030-01-02 "$WORLD/runner-version"
  grep -qx "sha256_x64=$X" "$WORLD/runner-version"
  grep -qx sha256_arm64= "$WORLD/runner-version"
  grep -q '^# The release of actions/runner' "$WORLD/runner-version"
}

@test "a second call finds nothing to change" {
  release 3.1.0 "$X"
  "$SETUP/latest-version.sh" "$WORLD/runner-version"
  before=$(picture_of "$WORLD" | grep runner-version)
  run "$SETUP/latest-version.sh" "$WORLD/runner-version"
  [[ $output == *"is the newest release"* ]]
  [ "$(picture_of "$WORLD" | grep runner-version)" = "$before" ]
}

@test "without network, and with an answer that is none, the file stays" {
  before=$(cat "$WORLD/runner-version")
  run "$SETUP/latest-version.sh" "$WORLD/runner-version"
  [ "$status" -eq 2 ]
  [[ $output == *"by hand"* ]]
  release '; rm -rf /' "$X"
  run "$SETUP/latest-version.sh" "$WORLD/runner-version"
  [ "$status" -eq 2 ]
  [ "$(cat "$WORLD/runner-version")" = "$before" ]
}
