# A program on a pseudoterminal of its own. argv: FILE ARGV0 [ARG…]. Prints "pid PID", then what the terminal shows; types what it reads; closes the
# terminal when its own input ends or the program has ended, as a terminal's window does.
import os, pty, select, sys

pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[2:])
os.write(1, b"pid %d\n" % pid)
program = os.pidfd_open(pid)
is_open = True
while is_open:
    ready = select.select([0, master, program], [], [])[0]
    if master in ready:
        try:
            os.write(1, os.read(master, 65536))
        except OSError:
            is_open = False
    elif 0 in ready:
        data = os.read(0, 65536)
        os.write(master, data)
        is_open = data != b""
    else:
        is_open = False
os.close(master)
os.waitpid(pid, 0)
