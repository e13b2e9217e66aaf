# A program on a pseudoterminal of its own. argv: FILE ARGV0 [ARG…]. Prints "pid PID", then what the terminal shows; types what it reads; closes the
# terminal when its own input ends. Ends when the program has ended, or the terminal has been closed and the program has ended.
import os, pty, select, sys

pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[2:])
os.write(1, b"pid %d\n" % pid)
sources = [0, master]
while master in sources:
    for source in select.select(sources, [], [])[0]:
        try:
            data = os.read(source, 65536)
        except OSError:
            data = b""
        if source == 0 and data:
            os.write(master, data)
        elif data:
            os.write(1, data)
        else:
            sources = []
os.close(master)
os.waitpid(pid, 0)
