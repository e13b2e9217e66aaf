// As much of pm2's command as a take-over needs: processes are listed in $PM2_HOME/processes.json, and what was asked for in calls.txt.
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const home = process.env.PM2_HOME;
const path = `${home}/processes.json`;
const all = JSON.parse(readFileSync(path, 'utf8'));
const [verb, ...words] = process.argv.slice(2).filter((word) => word !== '--silent');
const chosen = all.filter(({ pm_id }) => words.includes(String(pm_id)));

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

async function end({ pid }) {
  if (isAlive(pid)) process.kill(pid, 'SIGINT');
  while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function main() {
  if (verb === 'jlist') return console.log(`>>>> In-memory PM2 says something\n${JSON.stringify(all)}`);
  appendFileSync(`${home}/calls.txt`, `${verb} ${words.join(' ')}\n`);
  await Promise.all(chosen.map(end));
  if (verb === 'restart')
    for (const one of chosen) {
      const { pm_exec_path: script, exec_interpreter: interpreter, env, pm_cwd: cwd } = one.pm2_env;
      const child = spawn(interpreter, [script], {
        cwd,
        env: { ...process.env, ...env },
        detached: true,
        stdio: 'ignore',
      });
      one.pid = child.pid;
      child.unref();
    }
  const kept = verb === 'delete' ? all.filter((one) => !chosen.includes(one)) : all;
  writeFileSync(path, JSON.stringify(kept));
}

main();
