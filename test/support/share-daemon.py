"""What a daemon is to src/sockets/share.cjs: it holds sockets, takes and gives them, and starts programs with them. Commands come as JSON lines on stdin, events go as
JSON lines to stdout. Its end is the end of all that it started."""
import json, os, select, signal, socket, subprocess, sys, threading

home = sys.argv[1]
held = {}
programs = {}
lock = threading.Lock()
mode = {"answers": True, "takes": True}


def say(event):
    with lock:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()


def make(key):
    path = key[len("unix:"):]
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(path)
    made.listen(511)
    return made


def answer(connection):
    line, fds = b"", []
    while not line.endswith(b"\n"):
        data, more, _, _ = socket.recv_fds(connection, 65536, 4)
        if not data:
            return
        line += data
        fds += more
    request = json.loads(line)
    key = request["key"]
    if not mode["answers"]:
        say({"event": "unanswered", "key": key})
        connection.recv(1)
        return
    if request["do"] == "give":
        taken = mode["takes"] and len(fds) == 1
        if taken:
            held[key] = socket.socket(fileno=fds[0])
        connection.sendall(json.dumps({"ok": taken}).encode() + b"\n")
        say({"event": "given", "taken": taken, **request})
        return
    if key.startswith("unix:/") and not (key in held and os.path.exists(key[5:])):
        held[key] = make(key)
    if key in held:
        socket.send_fds(connection, [b'{"ok":true}\n'], [held[key].fileno()])
    else:
        connection.sendall(b'{"ok":false,"reason":"not held"}\n')
    say({"event": "asked", "had": key in held, **request})


def serve(server):
    while True:
        connection, _ = server.accept()

        def one(connection=connection):
            with connection:
                answer(connection)

        threading.Thread(target=one, daemon=True).start()


def listen():
    path = os.path.join(home, "share.sock")
    if os.path.exists(path):
        os.unlink(path)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    directory = os.open(home, os.O_RDONLY)
    server.bind("/proc/self/fd/%d/share.sock" % directory)
    server.listen(64)
    threading.Thread(target=serve, args=(server,), daemon=True).start()


def start(command):
    name, env = command["name"], dict(command["env"])
    directory = os.path.join(home, name)
    os.makedirs(directory, exist_ok=True)
    sockets = {key: one.fileno() for key, one in list(held.items())} if command["shares"] else {}
    env["STEAD_SHARE"] = json.dumps(
        {"directory": directory, "socket": os.path.join(home, "share.sock"), "sockets": sockets, "drainSignal": "SIGURG"})
    words = ["/bin/sh", "-c", 'STEAD_PID=$$; export STEAD_PID; exec "$@"', "sh"] + command["argv"]
    with open(os.path.join(directory, "out"), "ab") as out, open(os.path.join(directory, "err"), "ab") as err:
        child = subprocess.Popen(words, env=env, cwd=directory, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                 pass_fds=list(sockets.values()))
    programs[name] = child
    say({"event": "started", "name": name, "pid": child.pid})

    def wait():
        say({"event": "ended", "name": name, "code": child.wait()})

    threading.Thread(target=wait, daemon=True).start()


listen()
say({"event": "ready"})
for text in sys.stdin:
    command = json.loads(text)
    if command["do"] == "start":
        start(command)
    elif command["do"] == "mode":
        mode.update(command["mode"])
        say({"event": "mode"})
    elif command["do"] == "hold":
        key, family, address = command["key"], command["family"], command["address"]
        one = socket.socket(getattr(socket, family), getattr(socket, command["type"]))
        one.bind(tuple(address))
        if command["type"] == "SOCK_STREAM":
            one.listen(16)
        held[key] = one
        say({"event": "held", "key": key, "fd": one.fileno(), "blocking": one.getblocking()})
    elif command["do"] == "release":
        one = held.pop(command["key"], None)
        if one and command.get("shutdown"):
            one.shutdown(socket.SHUT_RD)
        if one:
            one.close()
        say({"event": "released"})
    elif command["do"] == "listen":
        listen()
        say({"event": "ready"})
for child in programs.values():
    if child.poll() is None:
        child.kill()
        child.wait()
