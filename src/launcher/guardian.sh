# stead's guardian: holds the home's lock and respawns its daemon.
#
#   sh guardian.sh MODE HOME NODE DAEMON        MODE: start  take the lock, or leave with 75 if another has it
#                                                     wait   take the lock when it is free: for a daemon whose guardian died
#                                                     run    the daemon in the foreground, not respawned; 75 as above
#                                                     take   the same for systemd; a daemon that has the lock is asked to go, with its guardian
#
# The lock is flock(2) on fd 9, which the daemon inherits: it is free when both are gone, however they went. There is no stale lock and no pid to check.
# fd 8 is a pipe that this shell alone holds open: who opens /proc/GUARDIAN/fd/8 for reading sees its end when the guardian dies.
# A daemon that ends with 0 was told to: `stopped` says so to a guardian that waits. All in one { }: this file may be replaced at any time.
{
_mode=$1 _home=$2 _node=$3 _daemon=$4
umask 077
cd /
exec 9>>"$_home/lock" || exit 1
# Under the lock nobody else has, a daemon of daemon.json: by pid and start time. Told to go, or made to; what it was to start it does not start any more.
_evict() {
  : >"$_home/stopped"
  _facts=$(sed -n 's/.*"pid":\([0-9]*\),"startTicks":\([0-9]*\).*/\1 \2/p' "$_home/daemon.json" 2>/dev/null)
  _pid=${_facts% *}
  _its=$(sed -n 's/.*) //p' "/proc/$_pid/stat" 2>/dev/null | cut -d ' ' -f 20)
  [ -n "$_its" ] && [ "$_its" = "${_facts#* }" ] || return 0
  echo "guardian: the daemon $_pid makes room for one that systemd keeps"
  kill -TERM "$_pid"
  flock -w 10 9 || kill -KILL "$_pid"
}
case $_mode in
  take)
    flock -n 9 || { _evict && flock -w 10 9; } || exit 75
    rm -f "$_home/stopped"
    ;;
  wait)
    flock 9 || exit 1
    [ ! -e "$_home/stopped" ] || exit 0
    ;;
  *)
    flock -n 9 || exit 75
    rm -f "$_home/stopped"
    ;;
esac
[ "$_mode" != run ] || exec "$_node" "$_daemon" "$_home" 0
# Its garbage is small and short-lived: little room for it keeps the daemon small (measured: a third of the growth with 1,000 apps). It waits for the
# kernel, not for its own code: the optimizing compiler would cost 4 MB and leave holes in the heap, and save no CPU time.
_sparing='--max-semi-space-size=1 --optimize-for-size --no-opt'
[ "$_mode" != take ] || { export MALLOC_ARENA_MAX=1 && exec "$_node" $_sparing "$_daemon" "$_home" 0; }
exec 8<<END
held
END
exec 8<>/proc/self/fd/8
trap : HUP INT QUIT TERM USR1 USR2 ALRM PIPE
_uptime() { read -r _now _rest </proc/uptime && _now=${_now%%.*}; }
_pause=0
while [ -d "$_home" ]; do
  # Somebody removed the home, and the daemon made it again: the lock is another file now.
  [ "$_home/lock" -ef /proc/self/fd/9 ] || { exec 9>>"$_home/lock" && flock -n 9 && exec >>"$_home/daemon.log" 2>&1; } || exit 75
  # A version manager may have removed the Node that this began with.
  [ -x "$_node" ] || _node=$(command -v node) || echo "guardian: no Node: $3 is gone, and there is no node in $PATH"
  _uptime
  _began=$_now
  # In a subshell: a redirection here would move fd 8 away for as long as the daemon runs.
  (
    exec 8>&-
    export MALLOC_ARENA_MAX=1
    exec "$_node" $_sparing "$_daemon" "$_home" "$$"
  )
  _status=$?
  # Told to end, however it went about it.
  [ "$_status" != 0 ] && [ ! -e "$_home/stopped" ] || exit 0
  _uptime
  # Killed by a signal (the OOM killer, somebody's hand) it is as good as new; by itself it may end again.
  [ $((_now - _began)) -lt 10 ] && [ $_status -lt 128 ] || _pause=0
  echo "guardian: the daemon ended with $_status after $((_now - _began)) s; again in $_pause s"
  # At once the first time; a daemon that dies young is not respawned hot.
  # Without a Node it can do nothing: a command that runs with another may start a guardian with that one.
  [ -n "$_node" ] || flock -u 9
  [ "$_pause" = 0 ] || sleep "$_pause"
  [ -n "$_node" ] || flock -n 9 || exit 75
  [ $_status -ge 128 ] || _pause=$((_pause < 1 ? 1 : _pause < 30 ? _pause * 2 : 30))
done
exit
}
