# What only a whole machine shows of systemd: logind and the end of a login, with and without linger; controllers of a delegated unit over restarts of the
# daemon; the OOM of one app's child; a true reboot. Run as root in a throw-away machine with systemd, logind and user `dev` (1000), in a folder with stead's bin/,
# dist/ and node_modules/, and again after a reboot with BOOT=2: bash test/vm/boot.sh. The last line is `N passed, N failed`.
. "$PWD/test/vm/checks.sh"
unset STEAD_HOME
stead() { node "$project/bin/stead.cjs" "$@" 2>&1; }
# A login by PAM: a session of its own, which ends with the command.
login() { runuser -l dev -c "cd; $*" 2>&1; }
devs="node $project/bin/stead.cjs"
alive() { [ -n "$1" ] && [ -e "/proc/$1" ] && echo yes || echo no; }
main_pid() { systemctl show --value --property=MainPID stead.service; }

if [ "${BOOT:-1}" = 1 ]; then
  mkdir -p /etc/systemd/logind.conf.d
  printf '[Login]\nKillUserProcesses=yes\n' >/etc/systemd/logind.conf.d/kill.conf
  systemctl restart systemd-logind

  # Twice: a slow machine takes longer to start a daemon than a command waits.
  said=$(login "cat /proc/self/cgroup; $devs start --name gone -- sleep 1000 || $devs start --name gone -- sleep 1000; $devs pid gone >gone.pid")
  matches 'a login is a session' 'session-' "$said"
  matches 'start says what the logout will do' 'logind ends all of this when you log out (KillUserProcesses=yes): loginctl enable-linger dev' "$said"
  gone=$(cat /home/dev/gone.pid)
  wait_for '[ ! -e /proc/$gone ]'
  check 'and so it does' "$([ -n "$gone" ] && [ "$(alive $gone)" = no ] && echo yes || echo no)" "$gone: $said"

  said=$(login "$devs startup") && code=0 || code=$?
  check 'startup without linger is refused, or has got it' "$([ $code = 5 ] && echo yes || echo no)" "$code: $said"
  loginctl enable-linger dev
  wait_for 'systemctl is-active --quiet user@1000.service'
  said=$(login "$devs start --name kept -- sleep 1000 || $devs start --name kept -- sleep 1000; $devs delete gone; $devs pid kept >kept.pid")
  kept=$(cat /home/dev/kept.pid)
  [ -n "$kept" ] || echo "# $said"
  sleep 3
  check 'with linger what is started outlives the logout' "$(alive $kept)" "$said"
  matches 'in a scope of the own systemd' 'user@1000.service' "$(cat /proc/$kept/cgroup)"
  login "$devs startup; $devs pid kept" >/tmp/startup
  matches 'startup takes it into the unit' 'stead.service/' "$(cat /proc/$kept/cgroup)"
  matches 'and does not restart it' "$kept" "$(tail -1 /tmp/startup)"
  sleep 3
  check 'the unit outlives the logout' "$(alive $kept)" "$(cat /tmp/startup)"

  stead start --name web --max-memory 200M -- sleep 1000
  stead start --name plain -- sleep 1000
  stead start --name off -- sleep 1000
  stead stop off
  web=$(stead pid web) plain=$(stead pid plain)
  said=$(stead startup)
  matches 'startup of the machine' 'systemd keeps the daemon' "$said"
  cgroup=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/$web/cgroup)
  matches 'programs that ran are in cgroups of their own' 'stead.service/stead-' "$cgroup"
  matches 'limits are real for them, too' 209715200 "$(cat $cgroup/memory.max)"

  before=$(main_pid)
  kill -9 $before
  began=$(date +%s%N)
  wait_for '[ "$(main_pid)" != $before ] && [ "$(main_pid)" != 0 ] && systemctl is-active --quiet stead.service'
  echo "# ready again after $((($(date +%s%N) - began) / 1000000)) ms, Node being some 10 times slower here"
  check 'kill -9 of the daemon: another one, though apps have controllers' "$([ "$(main_pid)" != $before ] && echo yes || echo no)" "$(systemctl status stead.service)"
  check 'and the same programs' "$([ "$(stead pid web) $(stead pid plain)" = "$web $plain" ] && echo yes || echo no)" "$(stead list)"
  matches 'with their limits' 209715200 "$(cat $cgroup/memory.max)"
  systemctl restart stead.service
  check 'restart of the unit: the same programs' "$([ "$(stead pid web) $(stead pid plain)" = "$web $plain" ] && echo yes || echo no)" "$(stead list)"

  eat='x = bytearray(300 * 1024 * 1024); import time; time.sleep(1000)'
  stead start --name eats --max-memory 100M --no-wait -- sh -c "sleep 5; python3 -c '$eat' & wait"
  wait_for 'stead why eats | grep -q "OOM killer"'
  matches "the OOM of an app's child is named" 'OOM killer; limit 100M (max_memory)' "$(stead why eats)"
  check 'and no other app was touched, nor the daemon' "$([ "$(stead pid web) $(stead pid plain)" = "$web $plain" ] && systemctl is-active --quiet stead.service && echo yes || echo no)" "$(stead list)"
  stead delete eats
  cp /sys/fs/cgroup/system.slice/stead.service/cgroup.subtree_control /tmp/controllers
  systemctl stop stead.service
  check 'stop leaves no cgroup' "$([ ! -e /sys/fs/cgroup/system.slice/stead.service ] && echo yes || echo no)" "$(systemd-cgls)"
  systemctl start stead.service
  result
else
  wait_for 'stead pid web && stead pid plain' >/dev/null
  matches 'after a reboot what was wanted runs' running "$(stead list --json)"
  check 'web' "$([ "$(alive $(stead pid web))" = yes ] && echo yes || echo no)" "$(stead list)"
  said=$(stead show off --json)
  matches 'what was stopped stays stopped' '"state":"stopped"' "$said"
  wait_for 'login "$devs pid kept" >/tmp/kept && [ "$(alive $(tail -1 /tmp/kept))" = yes ]'
  check "dev's, too, by linger" "$(alive $(tail -1 /tmp/kept))" "$(cat /tmp/kept; login "$devs why kept")"
  check 'the daemon is in its unit' "$([ "$(main_pid)" != 0 ] && echo yes || echo no)" "$(systemctl status stead.service)"
  result
fi
