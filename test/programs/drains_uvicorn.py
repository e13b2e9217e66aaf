#!/usr/bin/python3
"""uvicorn on the socket at fd 3. By itself it ends connections of which it has read no request yet; here each gets one more answer, which says that it is the last."""
import asyncio

import uvicorn
from web_app import asgi

patience = 0.5


class Draining(uvicorn.Server):
    async def shutdown(self, sockets=None):
        for server in self.servers:
            server.close()
        for _ in range(10):
            for one in self.server_state.connections:
                one.default_headers = [(b'connection', b'close')]
            await asyncio.sleep(patience / 10)
        await super().shutdown(sockets)


Draining(uvicorn.Config(asgi, fd=3, access_log=False)).run()
