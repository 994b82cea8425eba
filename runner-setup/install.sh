#!/usr/bin/env bash
# Makes this machine a self-hosted runner for autoresearch trials: one ephemeral runner for each GPU, under systemd.
# Running it again changes only what differs. README.md says what it does and why; read its first section first.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=layout.sh
source "$HERE/layout.sh"

usage() {
  cat <<'USAGE'
usage: install.sh --url https://github.com/OWNER/REPO --token-file FILE [options]

  --url URL               the repository (or organisation) whose jobs this machine takes
  --token-file FILE       a personal access token that may register runners; or a GitHub App:
  --app-id ID --app-installation ID --app-key-file FILE
  --gpus all|none|0,1     one runner each (default all; none: one runner without a GPU)
  --labels a,b            further labels; self-hosted, linux, the architecture and gpu are there (gpu not with --gpus none)
  --group-id N            runner group (default 1, "Default")
  --workflow PATH|any     the only workflow whose jobs are taken (default .github/workflows/autoresearch.yml)
  --name PREFIX           of the runners' names (default: this machine's name)
  --memory-max SIZE       for each runner, as systemd writes it (default: 90 % of the memory, shared out)
  --shared-devices        don't keep the other GPUs from each runner by device rules
  --archive FILE          the runner's archive, already downloaded
  --runner-version V --sha256 HEX   another release than the file runner-version names
  --no-start              install, but don't start the services
  --dry-run               say what would be done, and do nothing
  --root DIR              install below DIR; nothing of this machine is touched
USAGE
}

url='' token_file='' app_id='' app_installation='' app_key_file='' gpus=all labels='' group_id=1
workflow=.github/workflows/autoresearch.yml name=$(hostname -s 2>/dev/null || echo runner) memory_max=''
shared_devices=no archive='' version='' sha256='' start=yes dry_run=no root=''
needs_value() { [[ $# -ge 2 && -n $2 ]] || die "$1 needs a value"; }
while [[ $# -gt 0 ]]; do
  case $1 in
    --url|--token-file|--app-id|--app-installation|--app-key-file|--gpus|--labels|--group-id|--workflow|--name|\
    --memory-max|--archive|--runner-version|--sha256|--root)
      needs_value "$@"
      key=${1#--}; key=${key#runner-}; printf -v "${key//-/_}" '%s' "$2"; shift 2 ;;
    --shared-devices) shared_devices=yes; shift ;;
    --no-start) start=no; shift ;;
    --dry-run) dry_run=yes; shift ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; die "unknown option $1" ;;
  esac
done
layout "$root"

# --- 1. Is what was asked for possible? Nothing is changed before all of this holds. ---------------------------------
[[ -n $ROOT || $EUID -eq 0 || $dry_run == yes ]] || die "run it as root: it makes users and services (or with --root DIR, or --dry-run)"
[[ $url =~ ^https://([A-Za-z0-9.-]+(:[0-9]+)?)/([A-Za-z0-9_.-]+)(/([A-Za-z0-9_.-]+))?/?$ ]] || die "--url must be like https://github.com/OWNER/REPO"
host=${BASH_REMATCH[1]}
if [[ -n ${BASH_REMATCH[5]} ]]; then scope=repos/${BASH_REMATCH[3]}/${BASH_REMATCH[5]%.git}; else scope=orgs/${BASH_REMATCH[3]}; fi
api=https://$host/api/v3
case $host in
  github.com) api=https://api.github.com ;;
  *.ghe.com) api=https://api.$host ;;
esac
[[ $group_id =~ ^[0-9]+$ ]] || die "--group-id must be a number"
[[ $labels =~ ^[A-Za-z0-9_.,-]*$ ]] || die "--labels: letters, digits, . _ - and commas"
[[ $name =~ ^[A-Za-z0-9_.-]{1,40}$ ]] || die "--name: 1 to 40 of letters, digits, . _ -"
[[ $workflow =~ ^[A-Za-z0-9_./-]+$ ]] || die "--workflow must be a path in the repository, or any"
[[ -z $memory_max || $memory_max =~ ^[0-9]+[KMGT%]?$ || $memory_max == infinity ]] || die "--memory-max must be like 64G or 45%"
if [[ -n $token_file ]]; then
  auth=token
  [[ -s $token_file ]] || die "the token file $token_file is not there, or empty"
elif [[ -n $app_id && -n $app_installation && -n $app_key_file ]]; then
  auth=app
  [[ $app_id =~ ^[A-Za-z0-9._-]+$ && $app_installation =~ ^[0-9]+$ ]] || die "--app-id or --app-installation is not an id"
  [[ -s $app_key_file ]] || die "the key file $app_key_file is not there, or empty"
else
  die "say who registers the runners: --token-file, or --app-id with --app-installation and --app-key-file (README.md, section 3)"
fi
for program in curl jq tar sha256sum openssl flock; do
  command -v "$program" >/dev/null || die "$program is missing; install it (apt-get install -y curl jq tar coreutils openssl util-linux)"
done

case $(uname -m) in
  x86_64) arch=x64 arch_label=X64 ;;
  aarch64|arm64) arch=arm64 arch_label=ARM64 ;;
  *) die "there is no runner for $(uname -m)" ;;
esac
if [[ -z $version ]]; then
  version=$(value_of version "$HERE/runner-version")
  sha256=${sha256:-$(value_of "sha256_$arch" "$HERE/runner-version")}
  released=$(value_of released "$HERE/runner-version")
else
  released=''
fi
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+$ ]] || die "the runner's version must be like 2.338.0"
[[ $sha256 =~ ^[0-9a-f]{64}$ ]] || die "no SHA-256 is known for runner $version on $arch: take it from the release's page and give it as --sha256"

# all_gpus: lines `index, uuid` of the GPUs of this machine.
all_gpus() { nvidia-smi --query-gpu=index,uuid --format=csv,noheader 2>/dev/null | tr -d ' '; }
declare -a chosen=()
declare -A uuid_of=()
if [[ $gpus == none ]]; then
  chosen=(cpu)
else
  found=$(all_gpus) || die "nvidia-smi shows no GPU: install the NVIDIA driver first, or use --gpus none"
  while IFS=, read -r index uuid; do
    [[ -n $index ]] || continue
    uuid_of[$index]=$uuid
    [[ $gpus == all ]] && chosen+=("$index")
  done <<<"$found"
  [[ $gpus == all ]] || IFS=, read -r -a chosen <<<"$gpus"
  [[ ${#chosen[@]} -gt 0 ]] || die "nvidia-smi shows no GPU: install the NVIDIA driver first, or use --gpus none"
  for index in "${chosen[@]}"; do
    [[ -n ${uuid_of[$index]:-} ]] || die "there is no GPU $index here; nvidia-smi shows: ${!uuid_of[*]}"
  done
fi
all_labels=self-hosted,linux,$arch_label
[[ $gpus == none ]] || all_labels+=,gpu
[[ -z $labels ]] || all_labels+=,$labels
[[ -n $memory_max ]] || memory_max=$((90 / ${#chosen[@]}))%

# --- 2. The few ways in which anything is changed. Each says what it does; with --dry-run it only says. ---------------
changes=0
say() { printf '%s\n' "$*"; }
change() { # change SENTENCE COMMAND…
  local sentence=$1
  shift
  changes=$((changes + 1))
  if [[ $dry_run == yes ]]; then say "would $sentence"; else say "$sentence"; "$@"; fi
}
make_dir() { # make_dir MODE OWNER DIR
  [[ -d $3 ]] || change "make the directory $3" new_dir "$@"
}
new_dir() {
  mkdir -p "$3"
  chmod "$1" "$3"
  [[ $2 == root ]] || own "$2" "$3"
}
put() { # put MODE FILE < CONTENT
  local mode=$1 file=$2 content
  content=$(cat; printf x)
  content=${content%x}
  if [[ -f $file && $(stat -c %a "$file") == "$mode" ]] && printf %s "$content" | cmp -s - "$file"; then return 0; fi
  change "write $file" write_file "$mode" "$file" "$content"
}
write_file() { # the mode is right before the content is there: a token is never readable in between
  local next=$2.new
  rm -f "$next"
  (umask 077; : >"$next")
  chmod "$1" "$next"
  printf %s "$3" >"$next"
  mv -f "$next" "$2"
}
prefix=()
[[ -z $ROOT ]] || prefix=(--prefix "$ROOT")
systemd() { if [[ -n $ROOT ]]; then systemctl --root="$ROOT" "$@"; else systemctl "$@"; fi; }

# --- 3. Users, programs, configuration, services. --------------------------------------------------------------------
if [[ -n $ROOT ]]; then
  make_dir 755 root "$ROOT/etc"
fi
[[ -n $(gid_of_group "$GROUP") ]] || change "make the group $GROUP" groupadd "${prefix[@]}" --system "$GROUP"
for instance in "${chosen[@]}"; do
  user=$(user_of "$instance")
  [[ -n $(uid_of "$user") ]] || change "make the user $user, without a shell, a password or sudo" \
    useradd "${prefix[@]}" --system --gid "$GROUP" --no-create-home --home-dir "${STATE#"$ROOT"}/run/$instance/home" \
    --shell /usr/sbin/nologin "$user"
done

make_dir 755 root "$LIB"
make_dir 755 root "$LIB/versions"
make_dir 711 root "$ETC"
make_dir 755 root "$STATE"
make_dir 755 root "$STATE/cache"
make_dir 755 root "$STATE/uv-cache"
make_dir 755 root "$STATE/run"
make_dir 755 root "$UNITS"
for instance in "${chosen[@]}"; do make_dir 700 "$(user_of "$instance")" "$STATE/uv-cache/$instance"; done
for file in layout.sh runner-version; do put 644 "$LIB/$file" <"$HERE/$file"; done
for file in doctor.sh uninstall.sh service/register service/prepare service/run-job service/clean service/job-started.sh \
  service/job-completed.sh; do
  put 755 "$LIB/${file##*/}" <"$HERE/$file"
done

unpack() { # the archive is checked before a byte of it is unpacked, and `current` moves only to a complete tree
  local work file=$archive
  work=$(mktemp -d "$LIB/versions/.new.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  if [[ -z $file ]]; then
    file=$work/archive.tar.gz
    curl -fsSL --retry 3 -o "$file" \
      "https://github.com/actions/runner/releases/download/v$version/actions-runner-linux-$arch-$version.tar.gz" ||
      die "the runner's archive could not be downloaded; get it elsewhere and give it as --archive"
  fi
  printf '%s  %s\n' "$sha256" "$file" | sha256sum --check --status ||
    die "the archive of runner $version has the wrong SHA-256: $(sha256sum "$file" | cut -d' ' -f1), not $sha256. Nothing was unpacked."
  mkdir "$work/tree"
  tar -xzf "$file" -C "$work/tree" --no-same-owner
  [[ -x $work/tree/run.sh ]] || die "the archive holds no run.sh: it is not the runner"
  chmod -R go-w "$work/tree"
  chmod 755 "$work/tree"
  printf '%s\n' "$sha256" >"$work/tree/.sha256"
  rm -rf "$LIB/versions/$version"
  mv -T "$work/tree" "$LIB/versions/$version"
  rm -rf "$work"
  trap - EXIT
}
if [[ $(cat "$LIB/versions/$version/.sha256" 2>/dev/null) != "$sha256" ]]; then
  change "unpack runner $version ($arch) after checking its SHA-256" unpack
fi
point_current() {
  ln -sfn "versions/$version" "$LIB/current.new"
  mv -T "$LIB/current.new" "$LIB/current"
}
[[ $(readlink "$LIB/current" 2>/dev/null) == "versions/$version" ]] || change "make $version the current runner" point_current
# A job has its own copy, so an older release is of no use to anybody.
for old in "$LIB"/versions/*; do
  [[ ! -e $old || ${old##*/} == "$version" ]] || change "remove the runner ${old##*/}" rm -rf "$old"
done
put 644 "$LIB/installed" <<<"version=$version
released=$released"

put 644 "$ETC/config" <<<"url=${url%/}
api=$api
scope=$scope
labels=$all_labels
group_id=$group_id
name=$name
workflow=$workflow
auth=$auth
app_id=$app_id
app_installation=$app_installation"
if [[ $auth == token ]]; then put 600 "$ETC/token" <"$token_file"; else put 600 "$ETC/app-key.pem" <"$app_key_file"; fi

# minor_of UUID: the number in /dev/nvidiaN, which need not be the index that nvidia-smi shows.
minor_of() {
  local file
  for file in "${AUTORESEARCH_PROC:-/proc}"/driver/nvidia/gpus/*/information; do
    [[ -r $file ]] && grep -q "$1" "$file" && sed -n 's/^Device Minor:[[:space:]]*//p' "$file" && return 0
  done
  return 0
}
put 644 "$UNITS/$NAME@.service" <"$HERE/systemd/$NAME@.service"
put 644 "$UNITS/$NAME-gpu.service" <"$HERE/systemd/$NAME-gpu.service"
for instance in "${chosen[@]}"; do
  uuid=${uuid_of[$instance]:-}
  # The UUID, not the index: where device rules hide the other GPUs, the one that is left has index 0.
  put 644 "$ETC/instance-$instance.env" <<<"CUDA_VISIBLE_DEVICES=$uuid
CUDA_DEVICE_ORDER=PCI_BUS_ID
AUTORESEARCH_INSTANCE=$instance
AUTORESEARCH_WORKFLOW=$workflow"
  devices=''
  minor=''
  [[ -z $uuid ]] || minor=$(minor_of "$uuid")
  if [[ -n $minor && $shared_devices == no ]]; then
    devices="
# Only this GPU: CUDA_VISIBLE_DEVICES is a variable, which code under trial can change; this it can't.
DevicePolicy=closed
DeviceAllow=/dev/nvidia$minor rw
DeviceAllow=/dev/nvidiactl rw
DeviceAllow=/dev/nvidia-uvm rw
DeviceAllow=/dev/nvidia-uvm-tools rw
DeviceAllow=/dev/nvidia-modeset rw"
  fi
  make_dir 755 root "$UNITS/$NAME@$instance.service.d"
  put 644 "$UNITS/$NAME@$instance.service.d/limits.conf" <<<"[Service]
MemoryMax=$memory_max
MemorySwapMax=0$devices"
done

# Runners that an earlier call made and this one did not ask for stay: uninstall.sh removes them.
for instance in "${chosen[@]}"; do
  [[ -L $UNITS/multi-user.target.wants/$NAME@$instance.service ]] ||
    change "enable $NAME@$instance.service" systemd enable "$NAME@$instance.service"
done
if [[ -z $ROOT && $start == yes ]]; then
  if [[ $changes -gt 0 ]]; then change "reload systemd" systemctl daemon-reload; fi
  for instance in "${chosen[@]}"; do
    # A running one is left alone: it may be training. It takes what is new with its next job.
    systemctl is-active --quiet "$NAME@$instance.service" ||
      change "start $NAME@$instance.service" systemctl start --no-block "$NAME@$instance.service"
  done
fi
if [[ $changes -eq 0 ]]; then say "nothing to do: everything is as it should be"; fi
[[ $dry_run == yes ]] || say "next: ${LIB#"$ROOT"}/doctor.sh says what is still missing"
