"""asyncio, on the socket at fd 3. TERM: no more is accepted, each connection gets one more answer, which says that it is the last."""
import asyncio
import os
import signal
import socket

patience = 0.5


async def main():
    draining = asyncio.Event()
    open_ones = set()

    async def serve(reader, writer):
        open_ones.add(asyncio.current_task())
        try:
            while not draining.is_set() or not reader.at_eof():
                await asyncio.wait_for(reader.readuntil(b'\r\n\r\n'), patience)
                last = 'Connection: close\r\n' if draining.is_set() else ''
                body = str(os.getpid())
                writer.write(f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{last}\r\n{body}'.encode())
                await writer.drain()
                if last:
                    break
        except (asyncio.IncompleteReadError, asyncio.TimeoutError, ConnectionError):
            pass
        finally:
            writer.close()
            open_ones.discard(asyncio.current_task())

    server = await asyncio.start_server(serve, sock=socket.socket(fileno=3))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, draining.set)
    await draining.wait()
    # One that was accepted just now has no task yet.
    server.close()
    await asyncio.sleep(0.05)
    while open_ones:
        await asyncio.wait(open_ones)


asyncio.run(main())
