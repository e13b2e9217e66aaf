# What a whole machine shows of shared sockets: an ordinary user who may not take descriptors out of a process (Yama), and Node with a capability of its own on
# port 80, which lets nobody look into it. Under load the daemon is killed, then the holder with it, and what runs is reloaded: no request fails. Run as root in a
# throw-away machine, in a folder with stead's bin/, dist/ and node_modules/ (koffi): bash test/vm/sockets.sh. The last line is `N passed, N failed`.
. "$PWD/test/vm/checks.sh"
home=/home/dev/.stead
stead() { as_dev node "$project/bin/stead.cjs" "$@" 2>&1; }
log=$home/daemon.log
logged() { tail -n +$((mark + 1)) $log | grep -q "$1"; }
since() { tail -n +$((mark + 1)) $log; }
daemon_pid() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' $home/daemon.json | head -1; }
holder_pid() { ls $home/apps/$1/ | sed -n 's/^holder\.[0-9]*\.\([0-9]*\)\..*/\1/p' | tail -1; }
pids_of() { stead pid $1 | sort | tr '\n' ' '; }

# begin_load PORT, then answers_more N, then end_load TITLE: no request has failed.
begin_load() {
  node "$project/test/vm/load.mjs" $1 /tmp/load &
  load=$!
  answered=0
  answers_more 20
}
count() { sed -n 's/^\([0-9]*\) answered.*/\1/p' /tmp/load 2>/dev/null || echo 0; }
answers_more() {
  goal=$((answered + $1))
  wait_for '[ "$(count)" -ge $goal ] 2>/dev/null'
  answered=$(count)
}
end_load() {
  answers_more 20
  kill $load && wait $load
  matches "$1: no request failed" ' answered, 0 failed' "$(cat /tmp/load)"
  echo "# $(cat /tmp/load)"
  rm -f /tmp/load
}

# kill_at_once PID…, the daemon first; returns when another daemon answers.
kill_at_once() {
  mark=$(wc -l <$log)
  kill -KILL "$@"
  wait_for 'logged ": [0-9]* apps$"'
  wait_for 'stead daemon status >/dev/null'
}

# came_back APP LINE TITLE: the log says so, and a holder has the sockets.
came_back() {
  app=$1 line=$2
  wait_for 'logged "$line"'
  check "$3" "$(logged "$line" && echo yes || echo no)" "$(since)"
  wait_for '[ -e /proc/$(holder_pid $app)/stat ]'
}

# Without it nothing of what follows would make sense.
start_app() {
  said=$(stead start "$@") && return
  echo "not ok start $*: $said"
  sed 's/^/# /' $log
  exit 1
}

# reloads APP TITLE: nothing of what ran is left, and as many run. Under emulation a command may give the daemon up that is only slow (4): the reload goes on.
reloads() {
  before=$(pids_of $1)
  said=$(stead reload $1) && code=0 || code=$?
  if [ $code = 4 ]; then wait_for 'all_gone $before && stead daemon status >/dev/null' && code=0; fi
  after=$(pids_of $1)
  all_gone $before && [ $code = 0 ] && [ "$(echo $after | wc -w)" = 2 ] && done=yes || done=no
  check "$2: reload" $done "$code: $said ($before → $after)"
}
all_gone() { for each; do [ ! -e /proc/$each/stat ] || return 1; done; }

sysctl -qw kernel.yama.ptrace_scope=1
matches 'Yama forbids to trace what is no descendant' 1 "$(cat /proc/sys/kernel/yama/ptrace_scope)"

cat >/home/dev/serve.js <<'END'
const answer = (_, response) => setTimeout(() => response.end(`${process.pid}\n`), 20);
// Not to be what closes a kept connection, after Node's usual 5 s, in the moment of a request: emulated time has pauses of that length.
require('node:http').createServer({ keepAliveTimeout: 120_000 }, answer).listen(Number(process.argv[2]), () => console.log('listens'));
END
# A daemon takes its time to start in a machine under emulation; commands wait for less.
{ wait_for 'said=$(stead daemon restart)' && wait_for 'stead daemon status >/dev/null'; } || echo "# $said"
mkdir -p /home/dev/capable
cp "$(readlink -f "$(command -v node)")" /home/dev/capable/node
chmod 755 /home/dev/capable/node
setcap cap_net_bind_service=+ep /home/dev/capable/node
matches 'an ordinary Node may not listen on port 80' EACCES "$(as_dev timeout 120 node serve.js 80 2>&1)"

# node_app NAME NODE PORT
node_app() {
  start_app --name $1 -i 2 -- $2 serve.js $3
  wait_for "[ \"\$(cat $home/logs/$1/*.out.log 2>/dev/null | grep -c listens)\" = 2 ]"
  matches "instances listen on one port ($1)" "port $3, queue 0, accepted by 0 (pid" "$(stead show $1)"
  begin_load $3
  kill_at_once $(daemon_pid)
  came_back $1 "$1: 1 of 1 held sockets came from the holder, .* asked, .*EPERM" "the holder was asked for the sockets ($1)"
  answers_more 20
  reloads $1 "after the daemon's death ($1)"
  end_load "the daemon's death and a reload ($1)"

  begin_load $3
  kill_at_once $(daemon_pid) $(holder_pid $1)
  came_back $1 "$1: no holder has its sockets: pid [0-9]* is asked for them" "a program is asked for the sockets ($1)"
  wait_for "stead show $1 | grep -q 'port $3, queue'" && held=yes || held=no
  check "they are held again ($1)" $held "$(stead show $1)"
  reloads $1 "after the deaths of daemon and holder ($1)"
  end_load "the deaths of daemon and holder at once, and a reload ($1)"
  stead delete $1 >/dev/null
}
node_app web node 8000
node_app capable /home/dev/capable/node 80

# A program that can't be asked.
cat >/home/dev/serve.py <<'END'
import select, signal, socket
listener = socket.socket(fileno=3)
listener.setblocking(False)
told, tell = socket.socketpair()
tell.setblocking(False)
signal.set_wakeup_fd(tell.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)
while told not in select.select([listener, told], [], [])[0]:
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    connection.recv(4096)
    connection.sendall(b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi')
    connection.close()
END
start_app --name py -i 2 --listen 8001 --nonblock -- python3 serve.py
begin_load 8001
kill_at_once $(daemon_pid)
came_back py "py: 1 of 1 held sockets came from the holder, .* asked, .*EPERM" 'the holder was asked for the sockets (py)'
reloads py "after the daemon's death (py)"
end_load "the daemon's death and a reload (py)"

begin_load 8001
kill_at_once $(daemon_pid) $(holder_pid py)
line='py: no holder has its sockets: this user may not take them out of pid [0-9]* (Yama'
check 'what is lost is said (py)' "$(logged "$line" && echo yes || echo no)" "$(since)"
end_load 'the deaths of daemon and holder (py)'
said=$(stead reload py) && code=0 || code=$?
matches 'a reload says that it came with a gap (py)' 'it was restarted: connections were refused meanwhile' "$code: $said"
wait_for '[ -e /proc/$(holder_pid py)/stat ]'
begin_load 8001
reloads py 'after that (py)'
end_load 'and then reloads are without a gap again (py)'
doctor=$(stead doctor)
echo "$doctor" | sed 's/^/# /'
matches 'doctor finds no problem' 'No problem was found.' "$doctor"
stead delete py >/dev/null
stead daemon stop >/dev/null
[ $failed = 0 ] || sed 's/^/# /' $log
result
