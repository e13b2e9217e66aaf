# stead's guardian: holds the home's lock and respawns its daemon.
#
#   sh guardian.sh MODE HOME NODE DAEMON        MODE: start  take the lock, or leave with 75 if another has it
#                                                     wait   take the lock when it is free: for a daemon whose guardian died
#                                                     run    the daemon in the foreground, not respawned; 75 as above
#
# The lock is flock(2) on fd 9, which the daemon inherits: it is free when both are gone, however they went. There is no stale lock and no pid to check.
# fd 8 is a pipe that this shell alone holds open: who opens /proc/GUARDIAN/fd/8 for reading sees its end when the guardian dies.
# A daemon that ends with 0 was told to: `stopped` says so to a guardian that waits. All in one { }: this file may be replaced at any time.
{
_mode=$1 _home=$2 _node=$3 _daemon=$4
umask 077
cd /
exec 9>>"$_home/lock" || exit 1
case $_mode in
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
    # Its garbage is small and short-lived: little room for it keeps the daemon small (measured: a third of the growth with 1,000 apps). It waits for the
    # kernel, not for its own code: the optimizing compiler would cost 4 MB and leave holes in the heap, and save no CPU time.
    export MALLOC_ARENA_MAX=1
    exec "$_node" --max-semi-space-size=1 --optimize-for-size --no-opt "$_daemon" "$_home" "$$"
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
