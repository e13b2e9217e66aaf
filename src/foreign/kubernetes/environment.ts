/** The environment of a pod: a ConfigMap for what may be read, references to a Secret for the rest. No secret value is ever written. */
import type { Outgoing } from '../written.ts';

type Fields = Record<string, unknown>;

export function environmentOf(app: Outgoing, name: string): Fields {
  const keys = secretNames(app);
  const single = [
    ...indexVariables(app),
    ...keys.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name: `${name}-secrets`, key } } })),
  ];
  return {
    ...(plainEnv(app).size > 0 && { envFrom: [{ configMapRef: { name: `${name}-env` } }] }),
    ...(single.length > 0 && { env: single }),
  };
}

export function configMap(app: Outgoing, name: string): Fields | null {
  const data = plainEnv(app);
  if (data.size === 0) return null;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-env`, labels: { 'app.kubernetes.io/name': name } },
    data: Object.fromEntries(data),
  };
}

/** A ConfigMap has keys of these characters, and a pod takes no other names from it. */
const isKey = (name: string): boolean => /^[A-Za-z_][\w.-]*$/.test(name);

/** What counts up is set by the command. */
export const plainEnv = ({ env, spec }: Outgoing): ReadonlyMap<string, string> =>
  new Map([...env].filter(([name]) => isKey(name) && name !== spec.share.incrementVar));

export const unfitNames = ({ env }: Outgoing): string[] => [...env.keys()].filter((name) => !isKey(name));

/** Secrets, and what looks like one. */
export const secretNames = ({ spec, withheld }: Outgoing): string[] => [
  ...new Set([...Object.keys(spec.secrets), ...withheld].filter(isKey)),
];

/** Instances that count are pods of a StatefulSet, which have an index. */
export const isCounted = ({ spec }: Outgoing): boolean => spec.share.incrementVar !== null && spec.kind === 'app';

const indexVariables = (app: Outgoing): Fields[] =>
  isCounted(app)
    ? [
        {
          name: 'NODE_APP_INSTANCE',
          valueFrom: { fieldRef: { fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']" } },
        },
      ]
    : [];
