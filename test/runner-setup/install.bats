#!/usr/bin/env bats
# install.sh on a made-up machine.
load world
setup() { make_world; }

@test "a dry run says what it would do and changes nothing" {
  before=$(picture_of "$R")
  run install --dry-run
  [ "$status" -eq 0 ]
  [[ $output == *"would make the user autoresearch-0"* ]]
  [[ $output == *"would unpack runner 9.9.9"* ]]
  [[ $output == *"would enable autoresearch-runner@1.service"* ]]
  [ "$(picture_of "$R")" = "$before" ]
  refute grep -qE '^(useradd|groupadd|systemctl|curl)' "$CALLS"
}

@test "one runner for each GPU, pinned to it, with a user of its own" {
  install
  for i in 0 1; do
    grep -q "^autoresearch-$i:.*:/usr/sbin/nologin$" "$R/etc/passwd"
    [ -L "$(UNITS)/multi-user.target.wants/autoresearch-runner@$i.service" ]
  done
  grep -qx CUDA_VISIBLE_DEVICES=GPU-aaaa "$(ETC)/instance-0.env"
  grep -qx CUDA_VISIBLE_DEVICES=GPU-bbbb "$(ETC)/instance-1.env"
  grep -qx 'MemoryMax=45%' "$(UNITS)/autoresearch-runner@0.service.d/limits.conf"
  [ "$(cat "$(LIB)/current/bin/version")" = 9.9.9 ]
  grep -qx 'scope=repos/you/nanochat' "$(ETC)/config"
  grep -Eqx 'labels=self-hosted,linux,(X64|ARM64),gpu' "$(ETC)/config"
}

@test "the token is for its owner alone, and on no command line" {
  install
  [ "$(stat -c %a "$(ETC)/token")" = 600 ]
  cmp "$WORLD/token" "$(ETC)/token"
  refute grep -q ghp_made_up "$CALLS"
}

@test "no job can write where the programs are" {
  install
  [ -z "$(find "$(LIB)" "$(ETC)" -perm /022 ! -type l)" ]
}

@test "twice is the same as once, to the second" {
  install
  before=$(picture_of "$R")
  calls=$(grep -vc '^nvidia-smi' "$CALLS")
  run install
  [ "$status" -eq 0 ]
  [[ $output == *"nothing to do"* ]]
  [ "$(picture_of "$R")" = "$before" ]
  [ "$(grep -vc '^nvidia-smi' "$CALLS")" -eq "$calls" ]
}

@test "a second call mends what was changed by hand" {
  install
  echo 'CUDA_VISIBLE_DEVICES=' >"$(ETC)/instance-1.env"
  chmod 644 "$(ETC)/token"
  rm "$(UNITS)/multi-user.target.wants/autoresearch-runner@0.service"
  install
  grep -qx CUDA_VISIBLE_DEVICES=GPU-bbbb "$(ETC)/instance-1.env"
  [ "$(stat -c %a "$(ETC)/token")" = 600 ]
  [ -L "$(UNITS)/multi-user.target.wants/autoresearch-runner@0.service" ]
}

@test "--gpus 1 takes that GPU alone" {
  install --gpus 1
  [ ! -e "$(ETC)/instance-0.env" ]
  grep -qx 'MemoryMax=90%' "$(UNITS)/autoresearch-runner@1.service.d/limits.conf"
}

@test "--gpus none makes one runner without the label gpu" {
  : >"$GPUS"
  install --gpus none --labels tiny
  grep -qx CUDA_VISIBLE_DEVICES= "$(ETC)/instance-cpu.env"
  grep -Eqx 'labels=self-hosted,linux,(X64|ARM64),tiny' "$(ETC)/config"
}

@test "the device rules name the GPU by its minor number, which is not its index" {
  for pair in a:aaaa:5 b:bbbb:2; do
    IFS=: read -r bus uuid minor <<<"$pair"
    mkdir -p "$AUTORESEARCH_PROC/driver/nvidia/gpus/$bus"
    printf 'GPU UUID:\t GPU-%s\nDevice Minor: \t %s\n' "$uuid" "$minor" >"$AUTORESEARCH_PROC/driver/nvidia/gpus/$bus/information"
  done
  install
  rules=$(UNITS)/autoresearch-runner@0.service.d/limits.conf
  grep -qx DevicePolicy=closed "$rules"
  grep -qx 'DeviceAllow=/dev/nvidia5 rw' "$rules"
  refute grep -q /dev/nvidia2 "$rules"
  install --shared-devices
  refute grep -q Device "$rules"
}

@test "an archive with another checksum is not unpacked" {
  echo more >>"$ARCHIVE"
  run install
  [ "$status" -eq 2 ]
  [[ $output == *"wrong SHA-256"* ]]
  [ -z "$(ls -A "$(LIB)/versions")" ]
  [ ! -e "$(LIB)/current" ]
}

@test "the release that is pinned has a checksum for both architectures, and refuses another archive" {
  for machine in x86_64 aarch64; do
    standin uname <<<"echo $machine"
    run "$SETUP/install.sh" --root "$R" --url https://github.com/you/nanochat --token-file "$WORLD/token" --archive "$ARCHIVE"
    [ "$status" -eq 2 ]
    [[ $output == *"has the wrong SHA-256: $SHA"* ]]
  done
}

@test "a version without a checksum is refused before anything is changed" {
  before=$(picture_of "$R")
  run "$SETUP/install.sh" --root "$R" --url https://github.com/you/nanochat --token-file "$WORLD/token" --runner-version 2.999.0
  [ "$status" -eq 2 ]
  [[ $output == *"give it as --sha256"* ]]
  [ "$(picture_of "$R")" = "$before" ]
}

@test "without an archive the release is downloaded, and checked" {
  case $(uname -m) in x86_64) arch=x64 ;; *) arch=arm64 ;; esac
  answer "GET github.com/actions/runner/releases/download/v9.9.9/actions-runner-linux-$arch-9.9.9.tar.gz" 200 <"$ARCHIVE"
  "$SETUP/install.sh" --root "$R" --url https://github.com/you/nanochat --token-file "$WORLD/token" --runner-version 9.9.9 --sha256 "$SHA"
  [ "$(cat "$(LIB)/current/bin/version")" = 9.9.9 ]
}

@test "a newer release takes the place of the old one at once, which goes" {
  install
  make_archive 9.10.0
  install --runner-version 9.10.0
  [ "$(cat "$(LIB)/current/bin/version")" = 9.10.0 ]
  [ "$(readlink "$(LIB)/current")" = versions/9.10.0 ]
  grep -qx version=9.10.0 "$(LIB)/installed"
  [ ! -e "$(LIB)/versions/9.9.9" ]
}

@test "what can't be is refused with a sentence, and nothing is changed" {
  before=$(picture_of "$R")
  refused() { run install "${@:2}"; [ "$status" -eq 2 ]; [[ $output == *"$1"* ]] || { echo "$output"; return 1; }; }
  refused "--url must be like" --url http://github.com/you/nanochat
  refused "--url must be like" --url 'https://github.com/you/nano chat'
  refused "not there, or empty" --token-file "$WORLD/none"
  refused "there is no GPU 7" --gpus 0,7
  refused "--labels" --labels $'a\nauth=app'
  refused "--name" --name 'a b'
  refused "--memory-max" --memory-max lots
  refused "unknown option --sudo" --sudo
  : >"$GPUS"
  refused "no GPU"
  [ "$(picture_of "$R")" = "$before" ]
}

@test "an organisation, GitHub Enterprise Server and ghe.com have their own addresses" {
  install --url https://github.com/you
  grep -qx scope=orgs/you "$(ETC)/config"
  install --url https://git.example.org/you/nanochat
  grep -qx api=https://git.example.org/api/v3 "$(ETC)/config"
  install --url https://you.ghe.com/you/nanochat
  grep -qx api=https://api.you.ghe.com "$(ETC)/config"
}

@test "the services are such as systemd understands" {
  command -v systemd-analyze >/dev/null || skip "systemd-analyze is not on this machine"
  install
  for path in "$(LIB)"/prepare "$(LIB)"/clean "$(LIB)"/run-job; do [ -x "$path" ]; done
  mkdir -p "$WORLD/units"
  sed "s|/usr/local/lib/autoresearch-runner|$(LIB)|" "$(UNITS)/autoresearch-runner@.service" >"$WORLD/units/autoresearch-runner@.service"
  cp "$(UNITS)/autoresearch-runner-gpu.service" "$WORLD/units"
  run systemd-analyze verify "$WORLD/units/autoresearch-runner@.service"
  # Of the unit itself nothing may be said; what is said of other units of this machine is not ours.
  refute grep -i 'autoresearch-runner@' <<<"$output"
}

@test "the service has no restriction that takes bubblewrap its namespaces" {
  # Measured: each of these covers a part of /proc, and a new /proc can then not be mounted in a user namespace; or it
  # forbids the namespaces themselves.
  refute grep -qE '^(ProtectKernelTunables|ProtectKernelLogs|ProcSubset|RestrictNamespaces|PrivateUsers|SystemCallFilter|PrivateDevices)=' \
    "$SETUP/systemd/autoresearch-runner@.service"
}

@test "with the real useradd and systemctl a prefix is all that changes" {
  needs_root
  rm "$BIN"/useradd "$BIN"/groupadd "$BIN"/systemctl
  command -v useradd >/dev/null && command -v systemctl >/dev/null || skip "useradd or systemctl is not on this machine"
  before=$(sha256sum /etc/passwd /etc/group; find /etc/systemd/system | sort)
  install
  [ "$(sha256sum /etc/passwd /etc/group; find /etc/systemd/system | sort)" = "$before" ]
  grep -q '^autoresearch-0:' "$R/etc/passwd"
  [ "$(stat -c %u "$(STATE)/uv-cache/0")" = "$(awk -F: '$1 == "autoresearch-0" { print $3 }' "$R/etc/passwd")" ]
  [ -L "$(UNITS)/multi-user.target.wants/autoresearch-runner@0.service" ]
}
