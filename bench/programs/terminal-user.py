# Somebody at a terminal of 80x24. argv: MODE TEXT FILE ARG…: runs the program on a pseudoterminal of its own and reads what it shows at full speed.
# Prints "shown MS" once TEXT was among it, counted from before the fork. Then MODE:
#   show     ends
#   read     goes on reading, and prints "read BYTES" each time that a line comes on stdin
#   keys:N   types N keys, each some ms after the echo of the last one, and prints "echoes MICROSECONDS…"
# Ends when its input does, or the program; hangs up then, as a closed window does.
import os, pty, re, select, struct, sys, fcntl, termios, time

mode, text, argv = sys.argv[1], sys.argv[2].encode(), sys.argv[3:]
began = time.perf_counter()
pid, master = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    os.execvp(argv[0], argv)

def say(*words):
    print(*words, flush=True)

def read():
    try:
        return os.read(master, 65536)
    except OSError:
        return b""

shown = b""
while text not in shown:
    piece = read()
    if not piece:
        say("ended", shown[-500:])
        sys.exit(1)
    # Queries of who is attached, answered as a terminal would.
    if b"\x1b[c" in piece or b"\x1b[0c" in piece:
        os.write(master, b"\x1b[?62;22c")
    shown = (shown + piece)[-65536 - len(text):]
say("shown", (time.perf_counter() - began) * 1000)

def wait_echo(key):
    # Status lines and cursor movements have no such letter alone.
    while True:
        piece = read()
        if not piece:
            sys.exit(1)
        if key in re.sub(rb"\x1b(\[[0-9;?>]*[A-Za-z]|[()].|[=>78])", b"", piece):
            return

if mode.startswith("keys:"):
    echoes = []
    for at in range(int(mode[5:])):
        # What is still being drawn or acknowledged is not to be measured.
        end = time.perf_counter() + 0.03 + (at * 7 % 20) / 1000
        while (left := end - time.perf_counter()) > 0:
            if select.select([master], [], [], left)[0] and not read():
                sys.exit(1)
        key = b"qwxz"[at % 4 : at % 4 + 1]
        typed = time.perf_counter()
        os.write(master, key)
        wait_echo(key)
        echoes.append(round((time.perf_counter() - typed) * 1e6))
    say("echoes", *echoes)
elif mode == "read":
    total = 0
    while True:
        readable = select.select([0, master], [], [])[0]
        if master in readable:
            piece = read()
            if not piece:
                break
            total += len(piece)
        elif not os.read(0, 4096):
            break
        else:
            say("read", total)
