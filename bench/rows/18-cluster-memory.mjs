import { bareServer, nodeCluster, pm2Cluster, steadCluster } from '../support/clusters.mjs';
import { lossesOf, lostIn, outcomeLoad } from '../support/load.mjs';
import { mb, median, memoryOf, sleep, until } from '../support/measure.mjs';

const limitMb = 2;
const warmUp = 2_000;
const deadlineMs = 60_000;
const collectMs = 1500;

/** The pids of the workers, once each has answered so many requests. */
async function warmedUp(context, port, count) {
  const load = outcomeLoad(context, port);
  try {
    await until(
      async () => {
        const answers = Object.values((await load.count()).pids);
        return answers.length === count && Math.min(...answers) >= warmUp;
      },
      `${warmUp} answers of each`,
      deadlineMs,
    );
    const totals = await load.stop();
    if (lostIn(totals) > 0) throw new Error(`lost in the warm-up: ${lossesOf(totals)}`);
    return Object.keys(totals.pids).map(Number);
  } finally {
    load.end();
  }
}

/** Private bytes of each worker after the warm-up and a garbage collection. */
async function privateOf(context, cluster, count) {
  try {
    const port = await cluster.start(count);
    const pids = await warmedUp(context, port, count);
    for (const pid of pids) process.kill(pid, 'SIGUSR2');
    await sleep(collectMs);
    return pids.map((pid) => memoryOf(pid).private);
  } finally {
    await cluster.end();
  }
}

export const row = {
  name: 'cluster-memory',
  title: 'Memory of one of 2 instances of an HTTP server',
  target: `≤ ${limitMb} MB more than a bare process of the same server`,
  runs: 3,
  async run(context) {
    const found = { bare: [], stead: [], cluster: [], pm2: [] };
    const all = {
      bare: [bareServer(context), 1],
      stead: [steadCluster(context), 2],
      cluster: [nodeCluster(context), 2],
      pm2: [pm2Cluster(context), 2],
    };
    for (let round = 0; round < context.runs; round++)
      for (const [who, [cluster, count]] of Object.entries(all))
        found[who].push(...(await privateOf(context, cluster, count)));
    const [bare, stead, cluster, pm] = Object.values(found).map(median);
    return {
      how: `Private memory after ${warmUp} or more answers and a garbage collection.`,
      values: {
        'a bare process': mb(bare),
        'an instance of stead': mb(stead),
        "a worker of Node's cluster": mb(cluster),
        'an instance of pm2': mb(pm),
      },
      checks: [{ text: `≤ ${limitMb} MB more than bare: ${mb(stead - bare)}`, met: stead - bare <= limitMb * 2 ** 20 }],
    };
  },
};
