// inherited-socket.cjs PROGRAM COUNT: opens PORT and starts the program so many times with the socket as its descriptor 3, and nothing else: no IPC, and it
// accepts nothing itself (so it only binds: a net.Server would accept). Ended by SIGTERM, with the programs.
const { spawn } = require('node:child_process');
const [, , program, count] = process.argv;
const socket = require('node:net')._createServerHandle('::', Number(process.env.PORT), 6);
const children = Array.from({ length: Number(count) }, () =>
  spawn(process.execPath, [program], {
    // The kernel shares the CPU out by session (autogroups), and a supervisor's programs have their own as well.
    detached: true,
    env: { ...process.env, LISTEN_FD: '3' },
    stdio: ['ignore', 'inherit', 'inherit', socket.fd],
  }),
);
process.on('SIGTERM', () => {
  for (const child of children) child.kill('SIGKILL');
  process.exit();
});
setInterval(() => {}, 2 ** 30);
