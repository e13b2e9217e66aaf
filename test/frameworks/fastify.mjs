import fastify from 'fastify';

const app = fastify();
app.get('/', async () => String(process.pid));
// By default it listens on all that localhost is.
await app.listen({ port: Number(process.env.PORT) });
