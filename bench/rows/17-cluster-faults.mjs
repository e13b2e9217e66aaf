import { readFileSync } from 'node:fs';
import { pm2Cluster, steadCluster } from '../support/clusters.mjs';
import { answeredIn, lossesOf, lostIn, outcomeLoad, refusedIn } from '../support/load.mjs';
import { connectionsOf, sleep, standStill, until } from '../support/measure.mjs';

const count = 4;
const enough = 20_000;
const mostReloads = 10;
// Time for every client to be on its way before something happens, and for what it does to be felt after.
const settleMs = 500;
const deadlineMs = 120_000;

/** The load while `act` happens; goes on until so many requests were answered, and for a moment after. */
async function under(context, port, act, atLeast = 0) {
  const load = outcomeLoad(context, port);
  try {
    await until(async () => answeredIn(await load.count()) > 0, 'the first answer');
    await sleep(settleMs);
    const acted = await act(load);
    await until(async () => answeredIn(await load.count()) >= atLeast, `${atLeast} answers`, deadlineMs);
    await sleep(settleMs);
    return { totals: await load.stop(), acted };
  } finally {
    load.end();
  }
}

/** Reloads, again and again until enough was asked, so that none of it is asked at rest. */
async function reloads(context, cluster, port) {
  const { totals, acted } = await under(
    context,
    port,
    async (load) => {
      for (let done = 1; ; done++) {
        await cluster.reload();
        if (done === mostReloads || answeredIn(await load.count()) >= enough) return done;
      }
    },
    enough,
  );
  return { totals, reloads: acted };
}

/** Ends the daemon of stead under load, waits for its successor, and has that reload. */
const daemonKilled = (context, ours, port) =>
  under(
    context,
    port,
    async () => {
      const { pid } = await ours.tool.json('daemon', 'status');
      process.kill(pid, 'SIGKILL');
      await until(async () => {
        const status = await ours.tool.json('daemon', 'status').catch(() => null);
        return status?.pid > 0 && status.pid !== pid;
      }, 'the next daemon');
      await sleep(settleMs);
      await ours.reload();
    },
    enough,
  );

/**
 * Ends one worker under load, from among the clients; the load goes on until it was replaced. It is stopped a moment before, so that the connections that it
 * has, each with one request at most, can be counted: `acted` is their number.
 */
const workerKilled = (context, cluster, port) =>
  under(context, port, async (load) => {
    const [pid] = await cluster.pids(count);
    await standStill(pid);
    const held = connectionsOf(pid, port);
    load.kill(pid);
    await until(async () => !(await cluster.pids(count)).includes(pid), 'the next worker', deadlineMs);
    return held;
  });

/** pm2's daemon has the socket, so its end is that of the service: nothing is waited for. */
async function pm2DaemonKilled(context, pm, port) {
  return under(context, port, async () => {
    process.kill(Number(readFileSync(`${pm.tool.env.PM2_HOME}/pm2.pid`, 'utf8')), 'SIGKILL');
    await sleep(3 * settleMs);
  });
}

const told = (totals) =>
  `${answeredIn(totals) + lostIn(totals)}; ${lostIn(totals)}${lostIn(totals) ? ` (${lossesOf(totals)})` : ''}`;

async function ofStead(context) {
  const ours = steadCluster(context);
  try {
    const port = await ours.start(count);
    await ours.pids(count);
    const reload = await reloads(context, ours, port);
    const daemon = await daemonKilled(context, ours, port);
    const worker = await workerKilled(context, ours, port);
    return { reload, daemon, worker };
  } finally {
    await ours.end();
  }
}

async function ofPm2(context) {
  const pm = pm2Cluster(context);
  try {
    const port = await pm.start(count);
    await pm.pids(count);
    const reload = await reloads(context, pm, port);
    const worker = await workerKilled(context, pm, port);
    const daemon = await pm2DaemonKilled(context, pm, port);
    return { reload, daemon, worker };
  } finally {
    await pm.end();
  }
}

const killed = ({ totals, acted }) =>
  `${told(totals)}; it had ${acted} in flight; ${totals.kill.lostLater} of those asked later were lost`;

export const row = {
  name: 'cluster-faults',
  title: `${count} instances of an HTTP server under load: reloads and faults`,
  target: `reload: 0 lost of ≥ ${enough}; the daemon killed: 0 lost; a worker killed: no more than were in flight, 0 refused`,
  runs: 1,
  async run(context) {
    const own = await ofStead(context);
    const theirs = await ofPm2(context);
    const { kill } = own.worker.totals;
    return {
      how: '16 clients, half on kept connections, half with a new one for each request; each answer is looked at. Nothing is asked a second time.',
      values: {
        [`stead reload (${own.reload.reloads} times): requests; lost`]: told(own.reload.totals),
        [`pm2 reload (${theirs.reload.reloads} times): requests; lost`]: told(theirs.reload.totals),
        'stead: daemon killed, its return, reload: requests; lost': told(own.daemon.totals),
        'pm2: daemon killed: requests; lost': told(theirs.daemon.totals),
        'stead: one of 4 killed: requests; lost': killed(own.worker),
        'pm2: one of 4 killed: requests; lost': killed(theirs.worker),
      },
      checks: [
        {
          text: `reload: 0 lost of ≥ ${enough}: ${told(own.reload.totals)}`,
          met: lostIn(own.reload.totals) === 0 && answeredIn(own.reload.totals) >= enough,
        },
        {
          text: `the daemon killed, then reload: 0 lost: ${told(own.daemon.totals)}`,
          met: lostIn(own.daemon.totals) === 0,
        },
        {
          text: `a worker killed: lost ≤ what it had in flight, none asked later: ${lostIn(own.worker.totals)} of ${own.worker.acted}, ${kill.lostLater}`,
          met: lostIn(own.worker.totals) <= own.worker.acted && kill.lostLater === 0,
        },
        {
          text: `a worker killed: 0 refused: ${refusedIn(own.worker.totals)}`,
          met: refusedIn(own.worker.totals) === 0,
        },
      ],
    };
  },
};
