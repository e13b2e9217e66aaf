"""Answers each connection of fd 3 with its pid. TERM: it says so in the file that it is told, accepts no more, and takes its time to end."""
import os
import signal
import socket
import sys
import time


def end(*_):
    open(sys.argv[1], 'w').close()
    time.sleep(0.7)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
server = socket.socket(fileno=3)
body = str(os.getpid())
while True:
    connection, _ = server.accept()
    connection.recv(65536)
    connection.sendall(f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}'.encode())
    connection.close()
