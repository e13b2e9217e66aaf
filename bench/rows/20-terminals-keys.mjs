import { command, inTurn, median, ms, times } from '../support/measure.mjs';
import { contenders, user } from '../support/terminals.mjs';

const keys = 100;
const limits = { overBareMs: 2, tmux: 1.5, node: 1.6 };
const echoing = ['sh', '-c', 'stty raw -echo; echo ready; exec cat'];
const endOfScreen = 'the end of the screen';
/** A screen full of lines, so that the one that is drawn last tells that all are there. */
const showing = [
  'sh',
  '-c',
  `for i in $(seq 50); do echo "line $i of a program"; done; printf '${endOfScreen}'; exec sleep 100000`,
];

/** The median in ms of so many keys, typed one by one. */
async function keysTo(context, { words, text, env }) {
  const typist = user(context, `keys:${keys}`, text, words, env);
  const echoes = await typist.echoes();
  await typist.close();
  return median(echoes) / 1000;
}

/** From the command until its screen is there, in ms. */
async function attachTo(context, terminals) {
  const watcher = user(context, 'show', endOfScreen, terminals.attach('shown'), terminals.env);
  const took = await watcher.shown();
  await watcher.close();
  return took;
}

export const row = {
  name: 'terminals-keys',
  title: 'A key until its echo, and coming back to a session',
  target: 'echo ≤ 2 ms over a bare terminal, ≤ 1.5 × tmux; attach ≤ 1.6 × node -e 0',
  runs: 9,
  async run(context) {
    const { all, lacking } = contenders(context, ['stead', 'tmux', 'screen', 'dtach']);
    try {
      for (const terminals of Object.values(all)) {
        await terminals.open('echo', echoing);
        if (terminals.capture) await terminals.open('shown', showing);
      }
      const typing = Object.entries(all).map(([who, { attach, greeting, env }]) => [
        who,
        () => keysTo(context, { words: attach('echo'), text: greeting ?? 'ready', env }),
      ]);
      const echoes = await inTurn(context.runs, {
        bare: () => keysTo(context, { words: echoing, text: 'ready', env: process.env }),
        ...Object.fromEntries(typing),
      });
      const attaching = Object.entries(all).filter(([, { capture }]) => capture);
      const attached = await inTurn(context.runs, {
        node: async () => (await command([process.execPath, '-e', '0'])).took,
        ...Object.fromEntries(attaching.map(([who, terminals]) => [who, () => attachTo(context, terminals)])),
      });
      return figures({ echoes, attached, lacking });
    } finally {
      await Promise.all(Object.values(all).map(({ end }) => end()));
    }
  },
};

function figures({ echoes, attached, lacking }) {
  const over = median(echoes.stead.map((took, at) => took - echoes.bare[at]));
  const ofTmux = echoes.tmux && median(echoes.stead.map((took, at) => took / echoes.tmux[at]));
  const ofNode = median(attached.stead.map((took, at) => took / attached.node[at]));
  const named = (who) => (who === 'bare' ? 'a bare terminal' : who === 'node' ? 'node -e 0' : who);
  const checks = [
    {
      text: `echo ≤ ${limits.overBareMs} ms over a bare terminal: ${over.toFixed(2)} ms`,
      met: over <= limits.overBareMs,
    },
    { text: `attach ≤ ${limits.node} × node -e 0: ${times(ofNode)}`, met: ofNode <= limits.node },
  ];
  if (ofTmux)
    checks.splice(1, 0, { text: `echo ≤ ${limits.tmux} × tmux: ${times(ofTmux)}`, met: ofTmux <= limits.tmux });
  return {
    how: `Medians of ${keys} keys each, typed one by one to a program that sends them back. A session is attached to until its screen of 24 lines is drawn.${lacking}`,
    values: Object.fromEntries([
      ...Object.entries(echoes).map(([who, took]) => [
        `a key and its echo: ${named(who)}`,
        `${median(took).toFixed(2)} ms`,
      ]),
      ...Object.entries(attached).map(([who, took]) => [
        who === 'node' ? named(who) : `attach: ${who}`,
        who === 'node' ? ms(median(took)) : `${ms(median(took))}, ${times(median(took) / median(attached.node))}`,
      ]),
    ]),
    checks,
  };
}
