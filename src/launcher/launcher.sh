# stead's launcher: runs one program, keeps on record that it runs and how it ended. Its contract: docs/launcher-contract.md
#
#   sh launcher.sh RUN_DIRECTORY PROGRAM [ARGUMENT…]      settings in _stead_* variables, which the program never sees
#
# Two processes: L, this shell, which waits; and P, its foreground child, which becomes the program. P is in the foreground because a
# shell's background child has INT and QUIT ignored for good (POSIX 2.11). P leaves L's session before it becomes the program, so that no
# signal for the program's group or session reaches L, and L's death hangs up no terminal.
#
# fds of L: 0 a pipe that L alone holds open, both ends: who opens /proc/L/fd/0 for reading sees its end when L dies, however it dies;
#           1 the program's stdout; 2 the file `note`; 9 the program's stderr; 3 to 7 the program's sockets, touched by nothing here;
#           8 what L alone holds for the daemon: its terminal's master, or its notify socket.
#
# With _stead_pipe, 1 and 9 come as the log files and become FIFOs: pipes.sh, beside this file.
# With _stead_tty, 1 is a terminal, which becomes the program's 0, 1, 2 and controlling terminal; 9 comes as the FIFO between terminal and log, and is only held.
# All in one { }, so that the shell has read the whole file before anything runs: the file may be replaced at any time.
{
_stead_dir=$1
shift
umask 077
[ -n "${_stead_tty-}" ] || exec 9>&2
exec 2>"$_stead_dir/note"
# A shell keeps a short here-document in a pipe. Held for reading and writing, it ends with L.
exec 0<<END
held
END
exec 0<>/proc/self/fd/0
# All signals that end a process by default, hardware faults and KILL aside. The program-to-be gets them back as they were.
_stead_signals='1 2 3 10 12 13 14 15 16 24 25 26 27 29 30 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64'
trap : $_stead_signals 2>/dev/null

_stead_field() { shift "$1"; _stead_value=$1; }
# The pid and the start time (ticks since boot) of the very process that runs this: builtins only, no fork.
_stead_self() {
  read -r _stead_stat </proc/self/stat
  _stead_pid=${_stead_stat%% *}
  _stead_stat=${_stead_stat##*) }
  _stead_field 20 $_stead_stat
  _stead_start=$_stead_value
}
_stead_self
_stead_launcher=$_stead_pid.$_stead_start

_stead_fail() { echo "cannot $1" >&2; exit 125; }
# Into another cgroup: the kernel moves the very process that writes.
_stead_join() { printf 0 >"$1/cgroup.procs"; }
# P. What goes wrong before the exec is told in `note`, ends with 125, and leaves no run record.
_stead_become() {
  [ -z "$_stead_unpiped" ] || _stead_fail "make the pipes for its output"
  [ -z "${_stead_cgroup-}" ] || _stead_join "$_stead_cgroup" || _stead_fail "join the cgroup $_stead_cgroup"
  [ -z "${_stead_oom-}" ] || printf %s "$_stead_oom" >/proc/self/oom_score_adj || _stead_fail "set oom_score_adj to $_stead_oom"
  [ -z "${_stead_nofile-}" ] || ulimit -S -n "$_stead_nofile" || _stead_fail "set the limit of open files to $_stead_nofile"
  [ -z "${_stead_raw-}" ] || . "$_stead_dir/raw"
  _stead_self
  # Names that get the program's own pid: this one. Where env(1) makes the environment from nothing they are words for it, else this shell exports them.
  for _stead_value in ${_stead_pids-}; do
    if [ -n "${_stead_clean-}" ]; then
      _stead_words="${_stead_words-} $_stead_value=$_stead_pid"
    else
      export "$_stead_value=$_stead_pid"
    fi
  done
  # Entries that this shell would drop or rewrite (a.b, IFS, PPID …) are put back by env(1), last, so that only the program has them. From
  # a shell that would add to the rest (bash) nothing else is taken: -i.
  _stead_env=${_stead_clean:+/usr/bin/env -i --}
  while [ "${_stead_odd:-0}" -gt 0 ]; do
    _stead_env=${_stead_env:-/usr/bin/env --}
    _stead_words="\"\$_stead_odd_$_stead_odd\" ${_stead_words-}"
    _stead_names="_stead_odd_$_stead_odd ${_stead_names-}"
    _stead_odd=$((_stead_odd - 1))
  done
  _stead_setsid="/usr/bin/setsid ${_stead_tty:+-c }--"
  # A program named a=b would be an assignment to env(1), did it come next.
  case ${_stead_env:+$1} in *=*) set -- $_stead_setsid "$@" && _stead_setsid= ;; esac
  eval "set -- ${_stead_words-} \"\$@\""
  set -- $_stead_setsid ${_stead_via-} $_stead_env "$@"
  exec 0<"${_stead_stdin:-/dev/null}" || exit 125
  # Held open for writing by the program itself, so that it never ends.
  [ -z "${_stead_fifo-}" ] || { /usr/bin/mkfifo -m 600 "$_stead_dir/stdin" && exec 0<>"$_stead_dir/stdin"; } || exit 125
  [ -z "${_stead_tty-}" ] || exec 0<&1 9>&1
  [ -z "${_stead_ready-}" ] || eval "exec $_stead_ready>>\"\$_stead_dir/ready\"" || exit 125
  set -C
  { printf '' >"$_stead_dir/claim"; } 2>/dev/null || exit 125
  printf '' >"$_stead_dir/run.$_stead_pid.$_stead_start.$_stead_launcher" || exit 125
  umask "${_stead_umask-022}"
  exec 2>&9 8>&- 9>&-
  unset _stead_dir _stead_stat _stead_value _stead_pid _stead_start _stead_launcher _stead_oom _stead_nofile _stead_raw \
    _stead_via _stead_env _stead_clean _stead_odd _stead_words _stead_setsid _stead_stdin _stead_fifo _stead_tty _stead_ready _stead_pids _stead_cgroup _stead_umask ${_stead_names-} _stead_names \
    _stead_pipe _stead_pipe_owner _stead_forward _stead_shell _stead_pump _stead_pumps _stead_unpiped _stead_signals ${_stead_unset-} _stead_unset
  exec "$@"
}
_stead_unpiped=
[ -z "${_stead_pipe-}" ] || { [ -r "${0%/*}/pipes.sh" ] && . "${0%/*}/pipes.sh" && _stead_pipes; } || _stead_unpiped=yes
(_stead_become "$@")
_stead_status=$?
read -r _stead_up _stead_value </proc/uptime
# Nothing of ours keeps the terminal from its end.
[ -z "${_stead_tty-}" ] || exec 1>/dev/null
[ -z "${_stead_pumps-}" ] || _stead_drain
# Silent: a word in `note` means a death by signal.
until { printf '' >"$_stead_dir/exit.$_stead_status.$_stead_up"; } 2>/dev/null || ! [ -d "$_stead_dir" ]; do /bin/sleep 1; done
exit "$_stead_status"
}
