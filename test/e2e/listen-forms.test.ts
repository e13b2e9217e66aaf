/**
 * Every way a Node program listens, with two instances: both accept from the one socket, a reload fails no request, and the program sees what it would see
 * alone. Forms go into few programs, up to the five sockets that one may share.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Asking, type Place } from '../support/asks.ts';
import { type Form, type Program, type Seen, sourceOf, type Target } from '../support/listening-program.ts';
import { freePort } from '../support/ports.ts';
import { execute, Stead } from '../support/stead.ts';
import { waitFor, waitForFile } from '../support/wait.ts';

const groups: readonly Program[] = [
  {
    title: 'a port and a host',
    extension: 'cjs',
    forms: [
      { title: 'a port', open: 'web().listen(port)' },
      { title: 'a host', open: "web().listen(port, '127.0.0.1')" },
      { title: 'an IPv6 host', open: "web().listen(port, '::1')", at: '::1' },
      { title: 'a name', open: "web().listen(port, 'localhost', () => {})", at: 'localhost' },
      { title: 'an object', open: "web().listen({ port, host: '0.0.0.0', backlog: 64 })" },
    ],
  },
  {
    title: 'options and times',
    extension: 'cjs',
    forms: [
      { title: 'exclusive', open: 'web().listen({ port, exclusive: true })' },
      { title: 'IPv6 only', open: "web().listen({ port, host: '::', ipv6Only: true })", at: '::1' },
      { title: 'port 0', open: 'web().listen(0)', port: 'any' },
      { title: 'port 0, exclusive', open: 'web().listen({ port: 0, exclusive: true })', port: 'own' },
      { title: 'a port in words, a backlog', open: 'web().listen(String(port), 128, () => {})' },
      { title: 'half a second later', open: 'later(web(), (server) => server.listen(port))' },
    ],
  },
  {
    title: 'paths',
    extension: 'cjs',
    forms: [
      { title: 'a path', open: 'web().listen(path)', at: 'path' },
      {
        title: 'a path that is removed first',
        open: 'remove(path) ?? web().listen(path)',
        at: 'path',
        mayFail: /^ENOENT$/,
      },
      {
        title: 'a path for everybody',
        open: 'web().listen({ path, readableAll: true, writableAll: true })',
        at: 'path',
      },
      { title: 'a path of net', open: 'raw().listen(path)', at: 'path', protocol: 'tcp' },
      { title: 'a port beside', open: 'web().listen({ port, signal: new AbortController().signal })' },
    ],
  },
  {
    title: 'protocols',
    extension: 'cjs',
    needsCertificate: true,
    forms: [
      { title: 'https', open: 'https.createServer(certificate, answer).listen(port)', protocol: 'https' },
      { title: 'http2', open: 'http2.createServer(answer).listen(port)', protocol: 'h2c' },
      { title: 'net', open: 'raw().listen(port)', protocol: 'tcp' },
      { title: 'dgram', open: "datagrams('udp4').bind(port)", protocol: 'udp' },
      { title: 'dgram at a host', open: "datagrams('udp4').bind({ port, address: '127.0.0.1' })", protocol: 'udp' },
    ],
  },
  {
    title: 'an ECMAScript module',
    extension: 'mjs',
    forms: [
      { title: 'http', open: 'web().listen(port)' },
      { title: 'http2', open: 'http2.createServer(answer).listen(port)', protocol: 'h2c' },
      { title: 'net', open: "raw().listen(port, '127.0.0.1')", protocol: 'tcp' },
      { title: 'dgram', open: "datagrams('udp6').bind(port, '::1')", protocol: 'udp', at: '::1' },
      { title: 'awaited', open: 'await heard(web().listen(path))', at: 'path' },
    ],
  },
];

const hasIpv6 = Object.values(networkInterfaces()).some((rows) => rows?.some(({ address }) => address === '::1'));
const reloads = ['one after the other', 'both at a time'] as const;

for (const [nth, group] of groups.entries()) {
  const forms = group.forms.filter(({ at }) => hasIpv6 || at !== '::1');
  if (forms.length < group.forms.length) console.log(`skipped: IPv6 of ${group.title}: this machine has none`);
  const way = reloads[nth % 2]!;
  test(`two instances share ${group.title}, are reloaded ${way}, and see nothing of it`, async (t) => {
    const world = await World.make(t, { ...group, forms });
    const alone = await world.alone();
    await world.stead.ok(['start', '--name', 'app', '-i', '2', world.file]);
    await world.compare(alone);
    await world.reloadUnderLoad(way === 'both at a time' ? ['--parallel', '2'] : []);
    await world.compare(alone);
    await world.stead.ok(['delete', 'app']);
  });
}

class World {
  readonly stead: Stead;
  readonly file: string;
  readonly #targets: readonly Target[];

  private constructor(stead: Stead, { program, targets }: { program: Program; targets: readonly Target[] }) {
    this.stead = stead;
    this.#targets = targets;
    this.file = join(stead.directory, `program.${program.extension}`);
    writeFileSync(this.file, sourceOf(program.extension, targets));
  }

  static async make(t: TestContext, program: Program): Promise<World> {
    const stead = new Stead(t);
    if (program.needsCertificate) await makeCertificate(stead.directory);
    const targets: Target[] = [];
    for (const form of program.forms)
      targets.push(await targetOf(form, join(stead.directory, `${targets.length}.sock`)));
    return new World(stead, { program, targets });
  }

  /** What the program sees without stead. */
  async alone(): Promise<Seen> {
    const { directory, env } = this.stead;
    const log = openSync(join(directory, 'alone.log'), 'a');
    const child = spawn(process.execPath, [this.file], { cwd: directory, env, stdio: ['ignore', log, log] });
    closeSync(log);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      return await this.#seenBy(child.pid!);
    } finally {
      child.kill();
      await ended;
    }
  }

  async #seenBy(pid: number): Promise<Seen> {
    return JSON.parse(await waitForFile(join(this.stead.directory, `seen.${pid}`)));
  }

  /** Both see what the program sees alone, and both answer wherever it listens. */
  async compare(alone: Seen): Promise<void> {
    const pids = await this.#pids();
    const [one, other] = await Promise.all(pids.map((pid) => this.#seenBy(pid)));
    const expected = likeAlone(alone.seen, this.#targets);
    for (const { seen } of [one!, other!]) {
      for (const [name, value] of Object.entries(likeAlone(seen, this.#targets)))
        assert.deepEqual(value, expected[name], name);
    }
    for (const [nth, { form }] of this.#targets.entries()) {
      if (form.port !== undefined)
        this.#comparePorts(
          form,
          [one!, other!].map(({ addresses }) => addresses[nth]),
        );
    }
    const places = this.#places(one!);
    await Promise.all(
      places.map(async (place) => assert.deepEqual(await this.#answering(place, pids), pids.map(String))),
    );
  }

  #comparePorts({ title, port }: Form, [one, other]: readonly unknown[]): void {
    assert.ok((one as { port: number }).port > 0, title);
    if (port === 'any') assert.deepEqual(one, other, title);
    else assert.notDeepEqual(one, other, title);
  }

  async #pids(): Promise<number[]> {
    const { instances } = await this.stead.until(
      'app',
      'two run',
      (app) =>
        app.instances.length === 2 && app.instances.every(({ pid, state }) => pid !== null && state === 'running'),
    );
    return instances.map(({ pid }) => pid!);
  }

  /** Of all that is shared. A port that the program chose is what it says. */
  #places({ addresses }: Seen): readonly { readonly form: Form; readonly place: Place }[] {
    return this.#targets
      .map(({ form, place }, nth) => ({
        form,
        place: form.port === 'any' ? { ...place, ...portOf(addresses[nth]) } : place,
      }))
      .filter(({ form }) => form.port !== 'own');
  }

  /** Asks until both have answered. */
  async #answering({ form, place }: { form: Form; place: Place }, pids: readonly number[]): Promise<string[]> {
    const askings = [1, 2, 3].map(() => new Asking(form.protocol ?? 'http', place));
    const answered = () => new Set(askings.flatMap(({ texts }) => texts));
    try {
      await waitFor(`${pids} to answer at ${form.title}`, () => answered().size >= pids.length);
    } finally {
      const answers = await Promise.all(askings.map((asking) => asking.stop()));
      for (const { failures } of answers) assert.deepEqual(failures, {}, form.title);
    }
    return pids.map(String).filter((pid) => answered().has(pid));
  }

  async reloadUnderLoad(words: readonly string[]): Promise<void> {
    const before = await this.#pids();
    const places = this.#places(await this.#seenBy(before[0]!));
    const askings = places.map(({ form, place }) => new Asking(form.protocol ?? 'http', place));
    const stopAll = () => Promise.all(askings.map((asking) => asking.stop()));
    await this.stead.ok(['reload', 'app', ...words]).finally(stopAll);
    const answers = await stopAll();
    const after = await this.#pids();
    const known = [...before, ...after].map(String);
    for (const [nth, { texts, failures }] of answers.entries()) {
      const { title, mayFail } = places[nth]!.form;
      assert.deepEqual(but(failures, mayFail), {}, title);
      assert.deepEqual(
        Object.keys(texts).filter((text) => !known.includes(text)),
        [],
        title,
      );
    }
    assert.ok(after.every((pid) => !before.includes(pid)));
  }
}

function but(failures: Readonly<Record<string, number>>, mayFail = /^$/): Record<string, number> {
  return Object.fromEntries(Object.entries(failures).filter(([what]) => !mayFail.test(what)));
}

const portOf = (address: unknown) => ({ port: (address as { port: number }).port });

/** What `docs/instances.md` says that an instance has besides; and a port of the kernel's choice is another each time. */
function likeAlone({ env, early, ...seen }: Seen['seen'], targets: readonly Target[]): Record<string, unknown> {
  const own = ['NODE_APP_INSTANCE', 'STEAD_INSTANCE', 'STEAD_RUN_ID'];
  const chosen = (address: unknown, nth: number) =>
    targets[nth]!.form.port === undefined ? address : { ...(address as object), port: 0 };
  return { ...seen, env: env.filter((name) => !own.includes(name)), early: early.map(chosen) };
}

async function targetOf(form: Form, path: string): Promise<Target> {
  if (form.at === 'path') return { form, place: { path } };
  return { form, place: { host: form.at ?? '127.0.0.1', port: form.port === undefined ? await freePort() : 0 } };
}

async function makeCertificate(directory: string): Promise<void> {
  const words =
    '-x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem';
  const { code, stderr } = await execute('openssl', ['req', ...words.split(' ')], { cwd: directory });
  assert.equal(code, 0, stderr);
}
