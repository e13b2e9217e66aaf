"""A thread for each connection, on the socket at fd 3. TERM: what is answered is answered, and said to be the last."""
import os
import signal
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 0.5

    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        if draining.is_set():
            self.send_header('Connection', 'close')
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    # What was begun is answered.
    daemon_threads = False

    def handle_error(self, *_):
        pass


draining = threading.Event()
server = Server(('', 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
Handler.disable_nagle_algorithm = server.socket.family != socket.AF_UNIX


def drain(*_):
    draining.set()
    threading.Thread(target=server.shutdown).start()


signal.signal(signal.SIGTERM, drain)
server.serve_forever(0.05)
server.server_close()
