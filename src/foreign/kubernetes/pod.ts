/** The pod of an app: one container. https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ */
import { baseOf, stopTotalMs } from '../outgoing.ts';
import { portsOf } from '../ports.ts';
import type { Outgoing } from '../written.ts';
import { environmentOf } from './environment.ts';
import { escaped, imageArgv, imageDirectory } from './paths.ts';
import { probesOf, seconds } from './probes.ts';

type Fields = Record<string, unknown>;

export function podSpec(app: Outgoing, name: string, restartPolicy: 'Always' | 'OnFailure' | 'Never'): Fields {
  const { spec } = app;
  const isServing = restartPolicy === 'Always';
  return {
    ...(isServing ? {} : { restartPolicy }),
    terminationGracePeriodSeconds: seconds(stopTotalMs(spec) + (spec.stopCommand === null ? 0 : spec.stopTimeoutMs)),
    securityContext: { runAsNonRoot: true },
    containers: [
      {
        name,
        image: `${name}:latest`,
        command: commandOf(app),
        workingDir: imageDirectory,
        ...environmentOf(app, name),
        ...(isServing && portsOf(spec).length > 0 && { ports: containerPorts(app) }),
        ...(isServing && probesOf(spec)),
        ...(spec.stopCommand !== null && {
          lifecycle: { preStop: { exec: { command: ['sh', '-c', spec.stopCommand] } } },
        }),
        ...resourcesOf(app),
        securityContext: { allowPrivilegeEscalation: false },
      },
    ],
  };
}

const containerPorts = ({ spec }: Outgoing): Fields[] =>
  portsOf(spec).map(({ name, port, protocol }) => ({
    name,
    containerPort: port,
    ...(protocol === 'UDP' && { protocol }),
  }));

/** The index of a pod of a StatefulSet is at the end of its name. */
function commandOf(app: Outgoing): string[] {
  const argv = imageArgv(app).map(escaped);
  const base = baseOf(app);
  if (base === null) return argv;
  const script = `export ${app.spec.share.incrementVar}=$((${base} + \${HOSTNAME##*-})) && exec "$@"`;
  return ['sh', '-c', script.replaceAll('$(', '$$$$('), 'sh', ...argv];
}

function resourcesOf({ spec: { maxMemory, cpuQuota } }: Outgoing): Fields {
  const limits = {
    ...(cpuQuota !== null && { cpu: `${cpuQuota * 10}m` }),
    ...(maxMemory !== null && { memory: memory(maxMemory) }),
  };
  return Object.keys(limits).length === 0 ? {} : { resources: { limits } };
}

function memory(bytes: number): string {
  const power = [3, 2, 1].find((each) => bytes % 1024 ** each === 0) ?? 0;
  return `${bytes / 1024 ** power}${['', 'Ki', 'Mi', 'Gi'][power]}`;
}
