#!/usr/bin/env bash
# Runs after the last step of every job (ACTIONS_RUNNER_HOOK_JOB_COMPLETED), as the runner's user: ends what the job
# left running and removes what it left lying. The service does both again, from outside, when the runner has gone;
# this one is there so that it is seen in the job's log, and for runners that take more than one job.
set -uo pipefail
[[ $EUID -ne 0 ]] || { echo "this hook does not run as root: it kills all processes of its user" >&2; exit 1; }

# Whoever waits for this script stays: the worker, the listener, run.sh. Everything else of this user was started by the
# job, whoever its parent is now.
ancestors=' '
pid=$$
while [[ $pid -gt 1 ]]; do
  ancestors+="$pid "
  pid=$(awk '/^PPid:/ { print $2 }' "/proc/$pid/status" 2>/dev/null) || break
  [[ -n $pid ]] || break
done

left_over() { # pids of this user that are no ancestors; the pipeline of this function itself is gone when they are used
  local dir pid
  for dir in /proc/[0-9]*; do
    pid=${dir#/proc/}
    [[ $(stat -c %u "$dir" 2>/dev/null) == "$EUID" && $ancestors != *" $pid "* && $pid != "$BASHPID" ]] && echo "$pid"
  done
  return 0
}
killed=0
for _ in 1 2 3 4 5; do # again, because one that forks may have a child that the last look did not see
  found=0
  for pid in $(left_over); do
    name=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | tr -cd '[:print:]' | cut -c1-80)
    if kill -KILL "$pid" 2>/dev/null; then
      found=1
      killed=$((killed + 1))
      echo "ended process $pid, which the job left running: $name"
    fi
  done
  [[ $found -eq 1 ]] || break
done

for dir in "${GITHUB_WORKSPACE:-}" "${RUNNER_TEMP:-}"; do
  case $dir in
    */_work/*) find "$dir" -xdev -mindepth 1 -delete 2>/dev/null ;;
  esac
done
for dir in /tmp /var/tmp /dev/shm; do
  find "$dir" -xdev -mindepth 1 -uid "$EUID" -delete 2>/dev/null
done
echo "cleaned up: $killed left-over processes"
exit 0
