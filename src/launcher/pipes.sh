# Pipes between a program and its logs: read by launcher.sh, in L, where it is told so. Contract: docs/launcher-contract.md
#
# Who opens /dev/stdout or /dev/stderr anew with > empties it where it is the log file, but not where it is a pipe. So L's fds 1 and 9 become FIFOs (a pipe
# could not be opened by a program of another user), and for each there is a pump: a child of L, a shell that runs cat(1), which copies to the log.

_stead_alive() {
  { read -r _stead_stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  case ${_stead_stat##*) } in [ZX]*) return 1 ;; esac
}

# What a pump runs: FIFO on stdin, log on stdout. Arguments: L's pid, signals to survive, names to remove, and the words of a forwarder if there is one.
# It has no run directory among its arguments and no cookie in its environment, which are the traces of a program; but $0, the trace of a launcher.
#   copy: until all writers have closed. A copier that cannot write (a full disk) loses the one piece that it had read; the next waits for room, so that no
#         more is lost, and says so in the log. Once L is gone it does not wait: no pump outlives its program and stays for as long as a disk is full.
#   tee:  GNU's would go on without the log, but for that option; others do not know it, and do not.
#   4:    the log. Who reads tee's pipe never goes before tee, which waits for nobody then: when the forwarder ends, the pipe is emptied for 10 s, and
#         there is a new forwarder.
_stead_pump='
launcher=$1 signals=$2 names=$3
shift 3
trap : $signals
[ -x /bin/cat ] || exit
echo up >&8
exec 8>&-
/bin/rm -f $names
cd /
lost="stead: this log could not be written, and some output is lost here"
copy() {
  until (trap "" $signals; exec "$@"); do
    [ $? = 1 ] && is_lost=yes || is_lost=
    /bin/sleep 1
    [ -z "$is_lost" ] || until printf "\n%s\n" "$lost" || ! [ -d "/proc/$launcher" ]; do /bin/sleep 1; done
  done
}
[ $# != 0 ] || { copy /bin/cat; exit; }
option=--output-error=exit-nopipe
/usr/bin/tee $option </dev/null >/dev/null || option=
{
  {
    trap : $signals
    copy /usr/bin/tee -a $option /proc/self/fd/3 3>&1 >&4 4>&-
  } | {
    trap : $signals
    until "$@" >/dev/null 2>&4 4>&-; /usr/bin/timeout -s KILL 10 /bin/cat >/dev/null; do :; done
  }
} 4>&1'

# A pump for the log that is fd $1 and the FIFO that is fd 7, both ends; it removes the names $2. On 8 it says that it is up.
_stead_start_pump() {
  (
    cd "$_stead_dir" || exit
    _stead_log=$1 _stead_fifos=$2
    eval "set -- ${_stead_forward-}"
    exec 0</proc/self/fd/7 1>&"$_stead_log" 2>/dev/null 3<&- 4<&- 5<&- 6<&- 7<&- 9<&-
    exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
      "$_stead_shell" -c "$_stead_pump" "$0" "$_stead_pid" "$_stead_signals" "$_stead_fifos" "$@"
  ) &
  _stead_pumps="$_stead_pumps $!"
}
_stead_pumps=
# No open of these waits: L, and with it whom it forks, has both ends until the pump has the one for reading and L the one for writing.
_stead_pipes() {
  set -- "$_stead_dir/up" "$_stead_dir/out" "$_stead_dir/err"
  /usr/bin/mkfifo -m 600 "$@" || return
  [ -z "${_stead_pipe_owner-}" ] || /bin/chown "$_stead_pipe_owner" "$2" "$3" || return
  {
    { _stead_start_pump 1 'out up' && exec 1>/proc/self/fd/7; } 7<>"$2" || return
    if [ "$_stead_pipe" = one ]; then
      exec 9>&1
      /bin/rm -f "$3"
    else
      { _stead_start_pump 9 err && exec 9>/proc/self/fd/7; } 7<>"$3" || return
    fi
    # Its other end is the pumps' alone now: one that dies instead of saying that it is up ends it.
    exec 8</proc/self/fd/8
    for _stead_value in $_stead_pumps; do
      until read -r _stead_stat <&8; do
        for _stead_value in $_stead_pumps; do _stead_alive "$_stead_value" || return; done
      done
    done
  } 8<>"$1"
}
# All that was written is in the log then, unless somebody still holds the FIFO: 0.2 s at most.
_stead_drain() {
  exec 1>/dev/null 9>&-
  for _stead_value in 0.002 0.004 0.008 0.015 0.03 0.06 0.06; do
    _stead_left=
    for _stead_pid in $_stead_pumps; do
      if _stead_alive "$_stead_pid"; then _stead_left=yes; else wait "$_stead_pid" 2>/dev/null; fi
    done
    [ -n "$_stead_left" ] || return
    /bin/sleep "$_stead_value"
  done
}
