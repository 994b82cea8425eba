#!/usr/bin/env bash
# Runs before the first step of every job (ACTIONS_RUNNER_HOOK_JOB_STARTED), as the runner's user. Refuses what this
# machine is not for: a job that fails here has run no code of the repository.
# It guards against strangers and mistakes, not against people who may write to the default branch: those decide what the
# workflow says.
set -uo pipefail

refuse() {
  printf '::error title=refused by the runner::%s\n' "$*"
  exit 1
}

# 1. Only the autoresearch workflow, only as the bot starts it, only from the default branch.
workflow=${AUTORESEARCH_WORKFLOW:-.github/workflows/autoresearch.yml}
if [[ $workflow != any ]]; then
  [[ ${GITHUB_EVENT_NAME:-} == workflow_dispatch ]] ||
    refuse "this runner takes jobs of $workflow started by workflow_dispatch; this one was started by ${GITHUB_EVENT_NAME:-nothing known}"
  reference=${GITHUB_WORKFLOW_REF:-}
  path=${reference%@*}
  [[ $path == "${GITHUB_REPOSITORY:-?}/$workflow" ]] || refuse "this runner takes jobs of $workflow only, not of ${path:-an unknown workflow}"
  default=$(jq -r '.repository.default_branch // empty' "${GITHUB_EVENT_PATH:-/dev/null}" 2>/dev/null || true)
  [[ -n $default ]] || refuse "the event does not say which branch is the default one"
  [[ ${reference##*@} == "refs/heads/$default" ]] ||
    refuse "this runner takes the workflow from the default branch $default only, not from ${reference##*@}"
fi

# 2. The GPU is there and nobody else is on it: another process would change the number that is measured.
gpu=${CUDA_VISIBLE_DEVICES:-}
if [[ -n $gpu ]]; then
  busy=$(nvidia-smi -i "$gpu" --query-compute-apps=pid,process_name,used_memory --format=csv,noheader 2>&1) ||
    refuse "the GPU $gpu can not be seen from inside the service: $busy. Run doctor.sh; install.sh --shared-devices takes the device rules off"
  [[ -z $busy ]] || refuse "somebody else is on the GPU, and a measurement would be wrong: ${busy//$'\n'/; }"
fi

# 3. Room to work.
free_kib=$(df -Pk "${RUNNER_TEMP:-/tmp}" | awk 'NR == 2 { print $4 }')
[[ ${free_kib:-0} -ge $((${AUTORESEARCH_MIN_FREE_GIB:-5} * 1024 * 1024)) ]] ||
  refuse "less than ${AUTORESEARCH_MIN_FREE_GIB:-5} GiB are free for ${RUNNER_TEMP:-/tmp}"
exit 0
