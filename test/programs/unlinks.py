# Answers on the Unix socket that it was given, and removes its path as it ends, as many servers do. argv: PATH. Looks for connections without waiting for one.
import os, signal, socket, sys, time

given = socket.socket(fileno=3)
given.setblocking(False)
going = [True]
signal.signal(signal.SIGTERM, lambda *_: going.clear())
print("serving", flush=True)
while going:
    try:
        connection, _ = given.accept()
    except BlockingIOError:
        time.sleep(0.01)
        continue
    connection.setblocking(True)
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nup")
    connection.close()
os.unlink(sys.argv[1])
