# What the unit of a home's daemon executes, from lib/ of the home: lib/current names the build that it runs, so that an upgrade needs no other unit.
#
#   sh unit.sh MODE HOME SCOPE UNIT [release]     SCOPE: system, user: whose manager has the unit; other: a service of another init
#       start   the daemon, in this very process; the one that runs without systemd goes, its programs run on
#       stop    ExecStop=: tells the daemon to take everything along, if that is what is asked for
#       boot    without systemd, from a crontab: the daemon with its guardian, in the background. Takes HOME alone
#       after   ExecStopPost=: the daemon is gone. Ends what it has left behind, if that is what is asked for
#
# systemd calls ExecStop= and ExecStopPost= for a restart and after a crash as well. What is asked for is the type of the unit's job.
_mode=$1 _home=$2 _scope=${3:-other} _unit=${4:-} _releases=${5:-}
umask 077
cd /
_fail() {
  echo "stead: $1" >&2
  echo "unit: $1" 2>/dev/null >>"$_home/daemon.log"
  exit 78
}
[ "$_scope" = user ] && _manager=--user || _manager=--system

# The job's type: stop, restart, start …; empty for none. Fails if systemd does not answer.
_job() {
  _jobs=$(systemctl "$_manager" list-jobs --no-legend --no-pager --plain 2>/dev/null) || return 1
  while read -r _ _name _type _; do
    [ "$_name" != "$_unit" ] || echo "$_type"
  done <<END
$_jobs
END
}

# True where the unit is to stop, and its programs with it; $1 says so where systemd does not answer.
_ends() {
  [ ! -e "$_home/leave" ] || return 1
  _type=$(_job) || _type=$(sleep 0.3; _job) || return "$1"
  [ "$_type" = stop ]
}

# The Node that the daemon was last started with; if it is gone (nvm, fnm, volta, asdf, mise remove versions) the newest that is found and can do.
_find_node() {
  _node=
  [ ! -r "$_home/lib/node" ] || read -r _node <"$_home/lib/node"
  [ -n "$_node" ] && [ -x "$_node" ] && return
  _gone=$_node _node= _best=0
  for _try in /usr/local/bin/node /usr/bin/node /usr/bin/nodejs /opt/node*/bin/node /snap/bin/node \
    "${NVM_DIR:-$HOME/.nvm}"/versions/node/*/bin/node "$HOME"/.local/share/fnm/node-versions/*/installation/bin/node \
    "$HOME"/.fnm/node-versions/*/installation/bin/node "$HOME"/.volta/tools/image/node/*/bin/node \
    "$HOME"/.asdf/installs/nodejs/*/bin/node "$HOME"/.local/share/mise/installs/node/*/bin/node \
    "$HOME"/.nodenv/versions/*/bin/node "$HOME"/n/n/versions/node/*/bin/node /usr/local/n/versions/node/*/bin/node; do
    [ -x "$_try" ] && _says=$("$_try" -v 2>/dev/null) || continue
    _says=${_says#v}
    _major=${_says%%.*} _minor=${_says#*.}
    _minor=${_minor%%.*}
    case $_major$_minor in '' | *[!0-9]*) continue ;; esac
    [ "$_major" -gt 20 ] || { [ "$_major" = 20 ] && [ "$_minor" -ge 19 ]; } || continue
    _rank=$((_major * 1000 + _minor))
    [ "$_rank" -le "$_best" ] || { _best=$_rank && _node=$_try; }
  done
  [ -n "$_node" ] || _fail "no Node: ${_gone:-none} is gone, and no other one of version 20.19 or newer was found; stead startup writes down the one that runs it"
  echo "unit: Node ${_gone:-?} is gone; $_node in its place" >>"$_home/daemon.log"
}

# Cgroups that have given controllers to those below hold no process, and before version 254 systemd starts a service in the unit's own one.
_release() {
  _own=$(_group) || return 0
  for _of in "$_own"/stead-* "$_own"; do
    [ -r "$_of/cgroup.subtree_control" ] || continue
    for _name in $(cat "$_of/cgroup.subtree_control"); do echo "-$_name" >"$_of/cgroup.subtree_control"; done
  done 2>/dev/null
}

# The unit's cgroup, in the v2 hierarchy or, on older machines, systemd's own v1.
_group() {
  _path=$(sed -n 's/^0:://p' /proc/self/cgroup)
  _root=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/self/mounts)
  [ -n "$_root" ] || { _path=$(sed -n 's/^[0-9]*:name=systemd://p' /proc/self/cgroup) && _root=/sys/fs/cgroup/systemd; }
  case $_path in */"$_unit") ;; */"$_unit"/*) _path=${_path%%/"$_unit"/*}/$_unit ;; *) return 1 ;; esac
  [ -n "$_root" ] && [ -d "$_root$_path" ] && echo "$_root$_path"
}

# All that lives in the unit, but for this shell and its kin.
_left() {
  find "$1" -name .control -prune -o -name cgroup.procs -exec cat {} + 2>/dev/null | grep -vx "$$"
}

# The same without stead's own shells, which may be deaf, and have nothing to lose.
_programs_left() {
  for _pid in $(_left "$1"); do
    tr '\0' ' ' 2>/dev/null <"/proc/$_pid/cmdline" | grep -qF "$_home/lib/" || echo "$_pid"
  done
}

_kill_left() {
  for _of in "$1"/*/; do
    case $_of in */.control/) ;; *) echo 1 2>/dev/null >"${_of}cgroup.kill" ;; esac
  done
  _pids=$(_left "$1")
  [ -z "$_pids" ] || kill -KILL $_pids 2>/dev/null
}

# What to run: _library, by _node.
_find() {
  [ -d "$_home" ] || _fail "the home $_home is not there"
  _version=
  [ ! -r "$_home/lib/current" ] || read -r _version <"$_home/lib/current"
  _library=$_home/lib/$_version
  [ -n "$_version" ] && [ -r "$_library/daemon.cjs" ] ||
    _fail "$_home/lib is not whole: stead startup mends it"
  [ -n "${HOME:-}" ] || { HOME=${_home%/*} && export HOME; }
  _find_node
  export STEAD_HOME="$_home"
}

case $_mode in
  boot)
    _find
    exec setsid -f /bin/sh "$_library/guardian.sh" start "$_home" "$_node" "$_library/daemon.cjs" </dev/null >>"$_home/daemon.log" 2>&1
    ;;
  start)
    _find
    rm -f "$_home/ending" "$_home/leave"
    [ "$_scope" = other ] || echo "$_scope $_unit" >"$_home/unit"
    export STEAD_UNIT="$_unit" STEAD_UNIT_SCOPE="$_scope"
    [ -z "$_releases" ] || export STEAD_UNIT_RELEASED=yes
    exec >>"$_home/daemon.log" 2>&1
    exec /bin/sh "$_library/guardian.sh" take "$_home" "$_node" "$_library/daemon.cjs"
    ;;
  stop)
    # A user's command without a bus to ask on: a daemon that lives is asked to end by `systemctl stop`, and seldom by a restart.
    [ -n "${MAINPID:-}" ] && _unknown=0 || _unknown=1
    _ends $_unknown || exit 0
    # systemd sends SIGTERM next.
    : >"$_home/ending"
    ;;
  after)
    _own=$(_group) || exit 0
    [ -e "$_home/ending" ] && _unknown=0 || _unknown=1
    rm -f "$_home/ending"
    if ! _ends $_unknown; then
      [ -z "$_releases" ] || _release
      exit 0
    fi
    # The daemon could not do it: it was dead, or hung.
    _pids=$(_left "$_own")
    [ -z "$_pids" ] || echo "unit: the daemon has left $(echo $_pids | wc -w) processes behind; ending them" >>"$_home/daemon.log"
    # systemd's own patience may be shorter.
    trap '_kill_left "$_own"; exit 0' TERM
    [ -z "$_pids" ] || kill -TERM $_pids 2>/dev/null
    _turn=0
    while [ $_turn -lt 50 ] && [ -n "$(_programs_left "$_own")" ]; do
      sleep 0.2
      _turn=$((_turn + 1))
    done
    _kill_left "$_own"
    # Empty cgroups would stay: systemd removes its own.
    find "$_own" -mindepth 1 -depth -type d ! -name .control -exec rmdir {} + 2>/dev/null
    exit 0
    ;;
esac
