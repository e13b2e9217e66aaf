# A program on a pseudoterminal of its own. argv: COLSxROWS FILE ARGV0 [ARG…]; 0x0 is a terminal that doesn't know its size. Prints "pid PID", then what the terminal shows; types what it reads; closes the
# terminal when its own input ends or the program has ended, as a terminal's window does. Its exit code is the program's, 128+n after signal n. While its output is not taken it reads nothing from the terminal.
import fcntl, os, pty, select, struct, sys, termios

pid, master = pty.fork()
if pid == 0:
    cols, rows = map(int, sys.argv[1].split("x"))
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
    os.execv(sys.argv[2], sys.argv[3:])
os.write(1, b"pid %d\n" % pid)
program = os.pidfd_open(pid)
shown = b""
is_open = True
while is_open:
    readers = [0] if shown else [0, master, program]
    readable, writable, _ = select.select(readers, [1] if shown else [], [])
    if writable:
        shown = shown[os.write(1, shown[: select.PIPE_BUF]) :]
    elif master in readable:
        try:
            shown = os.read(master, 65536)
        except OSError:
            is_open = False
    elif 0 in readable:
        data = os.read(0, 65536)
        os.write(master, data)
        is_open = data != b""
    else:
        is_open = False
os.close(master)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
