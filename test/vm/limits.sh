# What only a whole machine can show: limits that the kernel holds, users, and what an ordinary user is refused. Run as root in a throw-away machine with
# cgroup v2 and systemd, in a folder with stead's bin/, dist/ and node_modules/: bash test/vm/limits.sh. The last line is `N passed, N failed`.
. "$PWD/test/vm/checks.sh"
export STEAD_HOME=/root/stead-home
stead() { node "$PWD/bin/stead.cjs" "$@"; }

# A daemon in a unit whose cgroup systemd leaves to it.
systemd-run --quiet --unit=stead-test -p Delegate=yes -p KillMode=process -E STEAD_HOME=$STEAD_HOME -E PATH="$PATH" \
  "$(command -v node)" "$PWD/bin/stead.cjs" daemon run
wait_for '[ -S $STEAD_HOME/stead.sock ]'
doctor=$(stead doctor)
matches 'doctor names the controllers' 'with cpu, memory, pids' "$doctor"

eat='x = bytearray(300 * 1024 * 1024); import time; time.sleep(1000)'
stead start --name own --max-memory 100M --no-wait -- python3 -c "$eat"
stead start --name child --max-memory 100M --no-wait -- sh -c "python3 -c '$eat' & wait"
for app in own child; do
  wait_for "stead why $app | grep -q 'OOM killer'"
  matches "memory.max kills, and why says so ($app)" "killed by SIGKILL, the kernel's OOM killer; limit 100M (max_memory)" "$(stead why $app)"
  wait_for "stead show $app --json | grep -q '\"restarts\":[1-9]'"
  matches "it is restarted ($app)" '"restarts":' "$(stead show $app --json | grep -o '"restarts":[1-9]')"
  stead delete $app >/dev/null
done

stead start --name spin --cpu 20 --cpu-weight 50 -- sh -c 'while :; do :; done'
pid=$(stead pid spin)
cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$pid/cgroup)
usage() { sed -n 's/^usage_usec //p' "$cgroup/cpu.stat"; }
before=$(usage) && sleep 10 && after=$(usage)
percent=$(((after - before) / 100000))
[ $percent -ge 10 ] && [ $percent -le 25 ] && held=yes || held=no
check 'a CPU quota of 20 % is held' $held "$percent %"
matches 'the CPU weight is set' 50 "$(cat "$cgroup/cpu.weight")"
stead delete spin >/dev/null

stead run --name forks --max-tasks 10 -- python3 -c '
import os, time
made = 0
try:
    for _ in range(50):
        if os.fork() == 0: time.sleep(30); os._exit(0)
        made += 1
except OSError as error: print("refused after", made, error.strerror, flush=True)
' >/dev/null
wait_for 'stead logs forks | grep -q refused'
matches 'the limit of tasks is held' 'refused after 9 Resource temporarily unavailable' "$(stead logs forks)"
stead delete forks >/dev/null

stead start --name nobody --user nobody --groups daemon,mail --no-new-privs --cwd / -- sleep 1000
status=$(cat /proc/$(stead pid nobody)/status)
uid=$(id -u nobody) gid=$(id -g nobody)
matches 'uids of nobody' "$(printf 'Uid:\t%s\t%s\t%s\t%s' $uid $uid $uid $uid)" "$status"
matches 'gids of nobody' "$(printf 'Gid:\t%s\t%s\t%s\t%s' $gid $gid $gid $gid)" "$status"
matches 'the groups that were said' "$(printf 'Groups:\t1 8 ')" "$status"
matches 'no new privileges' "$(printf 'NoNewPrivs:\t1')" "$status"
stead delete all >/dev/null
stead daemon stop >/dev/null

dev_stead() { as_dev node "$project/bin/stead.cjs" "$@" 2>&1; }
for option in '--cpu 20' '--max-tasks 10' '--user nobody' '--groups mail' '--nice -5'; do
  said=$(dev_stead start --name x $option -- sleep 1000) && code=0 || code=$?
  check "an ordinary user is refused $option" "$([ $code = 5 ] && echo yes || echo no)" "$code: $said"
done
dev_stead daemon stop >/dev/null
result
