# stead's holder: keeps an app's listening sockets open, accepts nothing, and outlives the daemon (docs/decisions/014-shared-sockets.md).
#
#   sh holder.sh DIRECTORY GENERATION NODE SHARE FD=KEY…      the sockets are its fds 3, 4, …, as many as there are: it never names them
#
# Its record, in DIRECTORY, is the FIFO holder.GENERATION.PID.START (start time in ticks since boot), from which it reads lines:
#   node PATH, share PATH    the Node and the share.cjs to use from now on
#   give PATH                sends all sockets to the Unix socket PATH: for a daemon that may not take them out of this process itself
#   end                      removes the record and ends
#
# fds: 0 the FIFO; 1 a pipe that this shell alone holds open, both ends: who opens /proc/PID/fd/1 for reading sees its end when it dies, however it dies.
#      As it starts, 1 is a pipe to the daemon, whose end tells that the record is there; and 2 takes what goes wrong until then.
# It ends when its directory is gone. Nothing tells of that, so it looks when it is woken: by a line, or by any signal.
# All in one { }, so that the shell has read the whole file before anything runs: the file may be replaced at any time.
{
_directory=$1 _generation=$2 _node=$3 _share=$4
shift 4
umask 077
# All signals that end a process by default, hardware faults and KILL aside.
trap : 1 2 3 10 12 13 14 15 16 24 25 26 27 29 30 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64 2>/dev/null

_field() { shift "$1"; _value=$1; }
read -r _stat </proc/self/stat
_pid=${_stat%% *}
_stat=${_stat##*) }
_field 20 $_stat
_record=$_directory/holder.$_generation.$_pid.$_value

_end() { /bin/rm -f "$_record" "$_directory/sockets.$_generation.json"; exit 0; }

/usr/bin/mkfifo -m 600 "$_record" || exit 1
# Not by `read <&N`: for that long a shell has its fd 0 at another number.
exec 0<>"$_record" || exit 1
# Removed by a daemon that did not find the record: this generation shall not be.
[ -e "$_directory/sockets.$_generation.json" ] || _end
exec 2>/dev/null
# A shell keeps a short here-document in a pipe. Held for reading and writing, it ends with this shell.
exec 1<<END
held
END
exec 1<>/proc/self/fd/1
while [ -d "$_directory" ]; do
  IFS= read -r _line || continue
  case $_line in
    end) _end ;;
    node\ *) _node=${_line#node } ;;
    share\ *) _share=${_line#share } ;;
    give\ *) "$_node" "$_share" give "${_line#give }" "$@" </dev/null >/dev/null ;;
  esac
done
exit
}
