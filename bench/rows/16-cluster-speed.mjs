import { get } from 'node:http';
import { inheritedSocket, nodeCluster, pm2Cluster, steadCluster, untilAllAnswer } from '../support/clusters.mjs';
import { steadyLoad, wrk } from '../support/load.mjs';
import { cpuOf, median, ms, times } from '../support/measure.mjs';

// Short, and many rounds: what others do on the machine then disturbs both of a pair alike, or one pair among many.
const seconds = 2;
const steadySeconds = 3;
const connections = 32;
// Far from what any of them can do at most, as a service is; at saturation all wait for all, blocked or not.
const perSecond = 400;
const limits = {
  fresh: { inherited: 0.95, pm2: 2 },
  kept: { inherited: 0.95, pm2: 1.3 },
  blocked: { pm2: 0.7 },
};
const labels = { stead: 'stead', pm2: 'pm2 cluster', cluster: "Node's cluster", inherited: 'an inherited socket' };

const workers = 2;

/** wrk, and what a request cost the workers in microseconds of CPU: that is hardly any other where others use the machine as well. */
async function costly({ port, pids }, isFresh) {
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const before = cpu();
  const result = await wrk({ port, seconds, connections, isFresh });
  return { ...result, cost: ((cpu() - before) * 1000) / result.requests };
}

const loads = {
  fresh: (_context, served) => costly(served, true),
  kept: (_context, served) => costly(served, false),
  async blocked(context, { port }) {
    await block(port, steadySeconds);
    return steadyLoad(context, { port, perSecond, seconds: steadySeconds });
  },
  async saturated(_context, { port }) {
    await block(port, seconds);
    return wrk({ port, seconds, connections, isFresh: true });
  },
};

/** Lets one of the workers, whichever answers, block its loop for 200 ms in each of the next seconds. */
const block = (port, times) =>
  new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', path: `/block?${times}`, agent: false });
    request.once('error', reject).once('response', (response) => response.resume().once('end', resolve));
  });

/** The contenders forth and back, so that none is always measured after the same one, and neighbours stay neighbours. */
const turned = (list, round) => (round % 2 ? list : list.toReversed());

/** Every load on every contender, in short turns; the first round is not counted. Numbers by load, contender and round. */
async function measure(context, all) {
  const found = Object.fromEntries(
    Object.keys(loads).map((load) => [load, Object.fromEntries(Object.keys(all).map((who) => [who, []]))]),
  );
  for (let round = 0; round <= context.runs; round++)
    for (const [name, load] of Object.entries(loads))
      for (const [who, served] of turned(Object.entries(all), round)) {
        const result = await load(context, served);
        if (round > 0) found[name][who].push(result);
      }
  return found;
}

/** The median over the rounds of the ratio to another contender in the same round. */
const ratio = (numbers, field, other) =>
  median(numbers.stead.map((result, at) => result[field] / numbers[other][at][field]));

const speed = (results) => `${Math.round(median(results.map(({ rate }) => rate)))}/s`;
const slowest = (results) => ms(median(results.map(({ p99 }) => p99)));
const cost = (results) => `${median(results.map((result) => result.cost)).toFixed(1)} µs`;
const slowShare = (results) => {
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  return `${((sum('slow') / sum('answered')) * 100).toFixed(2)} %`;
};

function valuesOf(found) {
  const rows = (what, load, show, field) =>
    Object.entries(found[load]).map(([who, results]) => [
      `${what}: ${labels[who]}`,
      who === 'stead' ? show(results) : `${show(results)}; stead ${times(ratio(found[load], field, who))}`,
    ]);
  return Object.fromEntries([
    ...rows('a connection per request', 'fresh', speed, 'rate'),
    ...rows('kept connections', 'kept', speed, 'rate'),
    ...rows('CPU of the workers for one of them', 'fresh', cost, 'cost'),
    ...rows('CPU of the workers for one on a kept connection', 'kept', cost, 'cost'),
    ...rows(
      `one of 2 blocks, ${perSecond}/s, p99 (over 100 ms)`,
      'blocked',
      (results) => `${slowest(results)} (${slowShare(results)})`,
      'p99',
    ),
    ...rows('one of 2 blocks, as many as it can, p99', 'saturated', slowest, 'p99'),
  ]);
}

function checksOf(found) {
  const faster = (what, load, other) => {
    const [value, limit] = [ratio(found[load], 'rate', other), limits[load][other]];
    return { text: `${what} ≥ ${limit} × ${labels[other]}: ${times(value)}`, met: value >= limit };
  };
  const p99 = ratio(found.blocked, 'p99', 'pm2');
  const failed = Object.values(found)
    .flatMap(({ stead }) => stead)
    .reduce((sum, result) => sum + result.failed, 0);
  return [
    faster('a connection per request', 'fresh', 'inherited'),
    faster('a connection per request', 'fresh', 'pm2'),
    faster('kept connections', 'kept', 'inherited'),
    faster('kept connections', 'kept', 'pm2'),
    { text: `p99, one blocks, ≤ ${limits.blocked.pm2} × pm2: ${times(p99)}`, met: p99 <= limits.blocked.pm2 },
    { text: `requests of wrk that failed with stead: ${failed}`, met: failed === 0 },
  ];
}

export const row = {
  name: 'cluster-speed',
  title: '2 instances of an HTTP server on one port',
  target:
    '≥ 0.95 × an inherited socket; ≥ 2 × (new connections) and ≥ 1.3 × (kept ones) pm2; p99 ≤ 0.7 × pm2 while one blocks',
  runs: 8,
  async run(context) {
    // Those that are nearest to each other are measured next to each other.
    const all = {
      stead: steadCluster(context),
      inherited: inheritedSocket(context),
      pm2: pm2Cluster(context),
      cluster: nodeCluster(context),
    };
    try {
      const served = {};
      for (const [who, one] of Object.entries(all)) {
        const port = await one.start(workers);
        served[who] = { port, pids: await untilAllAnswer(port, workers) };
      }
      const found = await measure(context, served);
      return {
        how: `wrk, one thread, ${connections} connections, ${seconds} s a round. Who blocks computes for 200 ms of each second; then latencies are from when a request was due, with a new connection for each, at a fixed rate. At saturation wrk counts each that waits as many, so that two in a worker's hands decide.`,
        values: valuesOf(found),
        checks: checksOf(found),
      };
    } finally {
      await Promise.all(Object.values(all).map((one) => one.end()));
    }
  },
};
