#!/usr/bin/env bash
# Says what keeps this machine from being a good runner. Each finding: what is the case, why it matters, what to do.
# Changes nothing. Exit status: 0 when nothing failed (warnings included), 1 when something failed, 2 for a wrong call.
set -uo pipefail
HERE=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=layout.sh
source "$HERE/layout.sh"

json=no root='' offline=no cpu=no
while [[ $# -gt 0 ]]; do
  case $1 in
    --json) json=yes; shift ;;
    --offline) offline=yes; shift ;;
    --cpu) cpu=yes; shift ;;
    --root) [[ -n ${2:-} ]] || die "--root needs a value"; root=$2; shift 2 ;;
    -h|--help) echo "usage: doctor.sh [--json] [--offline] [--cpu: no GPU is expected] [--root DIR]"; exit 0 ;;
    *) die "unknown option $1" ;;
  esac
done
layout "$root"
mapfile -t runners < <(instances)
[[ ${runners[*]} != cpu ]] || cpu=yes
PROC=${AUTORESEARCH_PROC:-/proc}
findings=''
failed=0 warned=0

quoted() { # one JSON string; without jq, because that jq is missing is one of the things to say
  local text=$1
  text=${text//\\/\\\\}
  text=${text//\"/\\\"}
  text=${text//$'\n'/\\n}
  text=${text//$'\t'/ }
  printf '"%s"' "$(tr -d '\000-\011\013-\037' <<<"$text")"
}
finding() { # finding STATUS CHECK WHAT [WHY REMEDY]
  local status=$1 check=$2 what=$3 why=${4:-} remedy=${5:-}
  case $status in fail) failed=$((failed + 1)) ;; warn) warned=$((warned + 1)) ;; esac
  if [[ $json == yes ]]; then
    findings+="${findings:+,}
    {\"check\": $(quoted "$check"), \"status\": \"$status\", \"what\": $(quoted "$what"), \"why\": $(quoted "$why"), \"remedy\": $(quoted "$remedy")}"
    return
  fi
  printf '%-4s  %-13s %s\n' "$status" "$check" "$what"
  [[ -z $why ]] || printf '%21s%s\n' 'why: ' "$why"
  [[ -z $remedy ]] || printf '%21s%s\n' 'do: ' "$remedy"
}
has() { command -v "$1" >/dev/null 2>&1; }
# as_runner COMMAND…: as the (first) runner's user with no new privileges, as the service runs it.
runner_uid=''
[[ ${#runners[@]} -eq 0 || -n $ROOT ]] || runner_uid=$(uid_of "$(user_of "${runners[0]}")")
as_runner() {
  if [[ $EUID -ne 0 ]]; then "$@"; return; fi
  setpriv --reuid "${runner_uid:-65534}" --regid "${runner_uid:-65534}" --clear-groups --bounding-set -all --no-new-privs "$@"
}
runner_name() { if [[ $EUID -ne 0 ]]; then id -un 2>/dev/null || true; elif [[ -n $runner_uid ]]; then user_of "${runners[0]}"; else echo nobody; fi; }

check_installed() {
  if [[ ${#runners[@]} -eq 0 ]]; then
    finding warn installed 'no runner is installed' 'the checks below look at the machine as it is' 'run install.sh'
    return
  fi
  finding ok installed "runners: ${runners[*]}; jobs of $(value_of url "$ETC/config")"
  local key=$ETC/token
  [[ $(value_of auth "$ETC/config") == app ]] && key=$ETC/app-key.pem
  if [[ ! -e $key && $EUID -eq 0 ]]; then
    finding fail token "$key is missing" 'without it no runner can be registered' 'run install.sh with --token-file'
  elif [[ -e $key && $(stat -c %a "$key") != 600 ]]; then
    finding fail token "$key can be read by others than root" 'a job that reads it can register runners of its own' "chmod 600 $key, and make a new token"
  elif [[ -e $key ]]; then
    finding ok token 'the token is readable for root alone'
  fi
  [[ -z $ROOT ]] && has systemctl || return 0
  local instance
  for instance in "${runners[@]}"; do
    if systemctl is-active --quiet "$NAME@$instance.service"; then
      finding ok service "$NAME@$instance is running"
    else
      finding fail service "$NAME@$instance is not running" 'no job of its GPU is taken' "journalctl -u $NAME@$instance -n 50; then systemctl start $NAME@$instance"
    fi
  done
}

check_gpu() {
  [[ $cpu == no ]] || { finding skip driver 'no GPU is expected'; return; }
  local list index uuid name total used driver
  if ! has nvidia-smi; then
    finding fail driver 'nvidia-smi is not there' 'the driver brings it; without the driver there is no GPU to train on' 'install the NVIDIA driver of your distribution (ubuntu-drivers install) and start the machine anew; --cpu if none is meant'
    return
  fi
  if ! list=$(nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used,driver_version --format=csv,noheader,nounits 2>&1); then
    finding fail driver "nvidia-smi fails: ${list%%$'\n'*}" 'mostly the kernel module and the library differ after an update' 'start the machine anew; then install the driver anew'
    return
  fi
  driver=${list%%$'\n'*}
  finding ok driver "NVIDIA ${driver##*, }, $(grep -c . <<<"$list") GPU(s)"
  while IFS=, read -r index uuid name total used _; do
    total=${total// /} used=${used// /} uuid=${uuid// /}
    if [[ ! $total =~ ^[0-9]+$ || ! $used =~ ^[0-9]+$ ]]; then
      finding warn gpu-memory "GPU $index (${name# }) does not say how much memory it has"
    elif [[ $used -gt $((total / 20)) ]]; then
      finding warn gpu-memory "GPU $index (${name# }): $used of $total MiB are in use" 'whoever else is on the GPU makes trials slower, so their numbers worse' 'nvidia-smi shows the processes; end them (unless a trial is running now)'
    else
      finding ok gpu-memory "GPU $index (${name# }): $total MiB, free"
    fi
  done <<<"$list"
  local instance pinned
  for instance in "${runners[@]}"; do
    pinned=$(value_of CUDA_VISIBLE_DEVICES "$ETC/instance-$instance.env")
    [[ -z $pinned ]] || grep -q "$pinned" <<<"$list" ||
      finding fail gpu-pinning "runner $instance is pinned to $pinned, which is not here" 'cards were changed; the runner would refuse every job' 'run install.sh again'
  done
}

check_disk() {
  local dir=$STATE free_gib
  while [[ ! -d $dir ]]; do dir=$(dirname "$dir"); done
  free_gib=$(($(df -Pk "$dir" | awk 'NR == 2 { print $4 }') / 1024 / 1024))
  if [[ $free_gib -lt 10 ]]; then
    finding fail disk "$free_gib GiB are free for ${STATE#"$ROOT"}" 'a runner, a checkout and a python environment need about 10 GiB for each job' 'free some, or mount a larger disk there'
  elif [[ $free_gib -lt 40 ]]; then
    finding warn disk "$free_gib GiB are free for ${STATE#"$ROOT"}" "uv's cache of one CUDA build of torch takes about 10 GiB" 'free some, or mount a larger disk there'
  else
    finding ok disk "$free_gib GiB are free for ${STATE#"$ROOT"}"
  fi
}

check_sandbox() {
  local answer
  if ! has bwrap; then
    finding fail bubblewrap 'bwrap is not there' 'without it the code under trial sees the network and other processes, and trials with sandbox: required are refused' 'apt-get install -y bubblewrap'
    return
  fi
  if [[ $EUID -eq 0 ]] && ! has setpriv; then
    finding warn bubblewrap "can't be tried as the runner's user: setpriv is not there" '' 'apt-get install -y util-linux'
    return
  fi
  # The action's options (action/src/bubblewrap.ts): first what every version knows, then those that came with 0.7 and 0.8.
  local usual=(--unshare-all --unshare-user --die-with-parent --new-session --cap-drop ALL --hostname trial
    --ro-bind / / --proc /proc --ro-bind-try /proc/sys /proc/sys --dev /dev)
  local rest=(--tmpfs /dev/shm --remount-ro /dev --tmpfs /tmp --symlink / /tmp/link --bind /tmp /var/tmp --chdir / --json-status-fd 2 -- true)
  if answer=$(as_runner bwrap "${usual[@]}" "${rest[@]}" 2>&1); then
    local lacks=''
    as_runner bwrap "${usual[@]}" --size 65536 "${rest[@]}" >/dev/null 2>&1 || lacks='--size'
    as_runner bwrap --disable-userns "${usual[@]}" "${rest[@]}" >/dev/null 2>&1 || lacks+="${lacks:+ and }--disable-userns"
    if [[ -n $lacks ]]; then
      finding warn bubblewrap "works for $(runner_name), but without $lacks ($(bwrap --version 2>/dev/null))" 'trials run in the sandbox all the same; without --disable-userns (0.8) they can make user namespaces, so more of the kernel is in their reach, and without --size (0.7) they can take half of the memory as /dev/shm' 'bubblewrap 0.8 or later, as in Debian 12 and Ubuntu 24.04'
    else
      finding ok bubblewrap "works for $(runner_name): own process, network and mount namespaces"
    fi
    return
  fi
  answer=${answer%%$'\n'*}
  local sysctl=$PROC/sys
  if [[ $(cat "$sysctl/kernel/apparmor_restrict_unprivileged_userns" 2>/dev/null) == 1 ]]; then
    finding fail bubblewrap "does not work for $(runner_name): $answer" 'AppArmor restricts unprivileged user namespaces here, as Ubuntu does from 24.04 on' \
      "allow it for bwrap alone: apt-get install -y apparmor-profiles && ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict"
  elif [[ $(cat "$sysctl/kernel/unprivileged_userns_clone" 2>/dev/null) == 0 ]]; then
    finding fail bubblewrap "does not work for $(runner_name): $answer" 'unprivileged user namespaces are switched off' 'sysctl -w kernel.unprivileged_userns_clone=1, and the same line in /etc/sysctl.d/'
  elif [[ $(cat "$sysctl/user/max_user_namespaces" 2>/dev/null) == 0 ]]; then
    finding fail bubblewrap "does not work for $(runner_name): $answer" 'the number of user namespaces is limited to 0' 'sysctl -w user.max_user_namespaces=15000, and the same line in /etc/sysctl.d/'
  else
    finding fail bubblewrap "does not work for $(runner_name): $answer" 'in a container, its seccomp profile or its masked /proc forbids it' 'README.md, section 8, says what a container must allow'
  fi
}

check_programs() {
  local program
  for program in git jq curl; do
    if has "$program"; then finding ok "$program" "$("$program" --version 2>/dev/null | head -n 1)"
    else finding fail "$program" "$program is not there" 'the runner or its scripts need it' "apt-get install -y $program"; fi
  done
  if PATH=/usr/local/bin:/usr/bin:/bin${AUTORESEARCH_EXTRA_PATH:+:$AUTORESEARCH_EXTRA_PATH} has uv; then
    finding ok uv "$(uv --version 2>/dev/null | head -n 1)"
  else
    finding warn uv 'uv is not in /usr/local/bin, /usr/bin or /bin' 'the default training command is "uv run train.py", and jobs see only these folders' 'install uv for all users: copy uv into /usr/local/bin'
  fi
  local lib=$LIB/current/bin/libSystem.Native.so
  [[ -e $lib ]] || return 0
  if { ldconfig -p; } 2>/dev/null | grep -q libicu; then finding ok libraries 'libicu is there'
  else finding fail libraries 'libicu is not there' 'the runner is a .NET program and does not start without it' "${LIB#"$ROOT"}/current/bin/installdependencies.sh"; fi
}

check_data() {
  local count foreign=(-perm -o+w)
  [[ -n $ROOT ]] || foreign=(\( -perm -o+w -o ! -user 0 \))
  count=$(find "$STATE/cache" -mindepth 2 2>/dev/null | head -n 1 | grep -c .)
  if [[ $count -eq 0 ]]; then
    finding warn data-cache "${STATE#"$ROOT"}/cache is empty" 'what training reads from ~/.cache must be here: jobs have a new home each, and the sandbox no network' 'README.md, section 4: prepare the data as yourself, then copy it there as root'
  elif find "$STATE/cache" -xdev ! -type l "${foreign[@]}" 2>/dev/null | grep -q .; then
    finding fail data-cache "others than root may write in ${STATE#"$ROOT"}/cache" 'a candidate that changes the data changes its own mark' "chown -R root: ${STATE#"$ROOT"}/cache && chmod -R go-w,go+rX ${STATE#"$ROOT"}/cache"
  else
    finding ok data-cache "$(find "$STATE/cache" -mindepth 1 -maxdepth 1 -printf '%f ')in ${STATE#"$ROOT"}/cache, for root alone to write"
  fi
}

check_network() { # reachable hosts, the clock against GitHub's, and the age of the runner's version
  local api host headers date_line offset
  api=$(value_of api "$ETC/config")
  api=${api:-https://api.github.com}
  host=$(value_of url "$ETC/config")
  host=$(cut -d/ -f1-3 <<<"${host:-https://github.com}")
  if grep -qs '^nameserver 169\.254\.169\.254' "$ROOT/etc/resolv.conf"; then
    finding fail name-server 'names are looked up at 169.254.169.254' 'the service keeps jobs from this address, because clouds give out credentials there' \
      'use systemd-resolved (apt-get install -y systemd-resolved), or take IPAddressDeny out with systemctl edit'
  fi
  if [[ $offline == yes ]]; then
    finding skip connectivity 'not looked at: --offline'
  else
    headers=''
    local where missing=''
    for where in "$api" "$host"; do
      if answer=$(curl -sS -o /dev/null -D - --max-time 10 "$where" 2>&1); then headers=${headers:-$answer}
      else missing+=" $where (${answer##*) })"; fi
    done
    if [[ -n $missing ]]; then
      finding fail connectivity "not reached:$missing" 'the runner asks GitHub for jobs over HTTPS; nothing needs to reach the runner' 'open port 443 outwards, or set https_proxy for the service (systemctl edit)'
    else
      finding ok connectivity "${api#https://} and ${host#https://} answer"
    fi
    date_line=$(sed -n 's/^[Dd]ate: //p' <<<"$headers" | tr -d '\r' | head -n 1)
    if [[ -n $date_line ]] && offset=$(date -d "$date_line" +%s 2>/dev/null); then
      offset=$((offset - $(date +%s)))
      if [[ ${offset#-} -gt 60 ]]; then
        finding fail clock "this machine's clock is ${offset#-} s off GitHub's" 'GitHub refuses tokens that seem to come from the future' 'timedatectl set-ntp true'
      else
        finding ok clock "within ${offset#-} s of GitHub's"
      fi
    elif [[ $(timedatectl show -p NTPSynchronized --value 2>/dev/null) == yes ]]; then
      finding ok clock 'synchronised, as timedatectl says'
    else
      finding warn clock 'could not be compared with GitHub' 'GitHub refuses tokens that seem to come from the future' 'timedatectl set-ntp true'
    fi
  fi
  check_version
}

check_version() {
  local version released latest='' published='' age
  local rule='GitHub gives no jobs to a runner that lags 30 days behind any release'
  local remedy='run latest-version.sh in runner-setup/, then install.sh as before'
  version=$(value_of version "$LIB/installed")
  [[ -n $version ]] || { version=$(value_of version "$HERE/runner-version"); released=$(value_of released "$HERE/runner-version"); }
  released=${released:-$(value_of released "$LIB/installed")}
  if [[ $offline == no ]] && has jq; then
    latest=$(curl -fsSL --max-time 10 https://api.github.com/repos/actions/runner/releases/latest 2>/dev/null) || latest=''
    published=$(jq -r '.published_at // empty | .[0:10]' <<<"$latest" 2>/dev/null)
    latest=$(jq -r '.tag_name // empty | ltrimstr("v")' <<<"$latest" 2>/dev/null)
  fi
  if [[ -n $latest && $latest == "$version" ]]; then
    finding ok version "runner $version is the newest"
  elif [[ -n $latest && -n $published ]]; then
    age=$((($(date +%s) - $(date -d "$published" +%s)) / 86400))
    if [[ $age -ge 30 ]]; then finding fail version "runner $version; $latest came out $age days ago" "$rule" "$remedy"
    else finding warn version "runner $version; $latest came out $age days ago" "$rule: $((30 - age)) days are left at most" "$remedy"; fi
  elif [[ -n ${released:-} ]]; then
    age=$((($(date +%s) - $(date -d "$released" +%s)) / 86400))
    if [[ $age -ge 30 ]]; then finding warn version "runner $version was released $age days ago, and there may be a newer one" "$rule" "$remedy"
    else finding ok version "runner $version was released $age days ago"; fi
  else
    finding warn version "runner $version: its age is not known" "$rule" "$remedy"
  fi
}

check_installed
check_gpu
check_disk
check_sandbox
check_programs
check_data
check_network
if [[ $json == yes ]]; then
  printf '{\n  "ok": %s,\n  "failed": %d,\n  "warnings": %d,\n  "findings": [%s\n  ]\n}\n' \
    "$([[ $failed -eq 0 ]] && echo true || echo false)" "$failed" "$warned" "$findings"
else
  printf '\n%d failed, %d warnings\n' "$failed" "$warned"
fi
[[ $failed -eq 0 ]]
