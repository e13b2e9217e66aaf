// node-cluster.cjs PROGRAM COUNT: Node's own cluster, and nothing else. Its workers end with it.
const cluster = require('node:cluster');
const [, , exec, count] = process.argv;
cluster.setupPrimary({ exec });
for (let worker = 0; worker < Number(count); worker++) cluster.fork();
