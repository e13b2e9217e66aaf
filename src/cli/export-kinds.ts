/** What `stead export` writes, by kind. */
import { writeSteadConfig } from '../foreign/config/write.ts';
import { writeKubernetes } from '../foreign/kubernetes/write.ts';
import { writeNomad } from '../foreign/nomad/write.ts';
import { writePm2 } from '../foreign/pm2/writing/write.ts';
import { writeProcfile } from '../foreign/procfile/write.ts';
import type { Hardening } from '../foreign/systemd/writing/hardening.ts';
import { writeSystemd } from '../foreign/systemd/writing/write.ts';
import type { Outgoing, Written } from '../foreign/written.ts';

export interface ExportContext {
  /** Where the files will lie; null: nobody knows, as they go to stdout. */
  readonly directory: string | null;
  /** The name that was said for the file; null: none. */
  readonly file: string | null;
  readonly scope: 'system' | 'user';
  /** Who owns the home; null: root. */
  readonly owner: string | null;
  /** Of systemd. */
  readonly systemdVersion: number;
  readonly hardening: Hardening;
  /** Of `stead-listen.cjs`; empty for other kinds. */
  readonly listenText: string;
  readonly nodeMajor: number;
}

export interface ExportKind {
  /** For help. */
  readonly text: string;
  /** It has a place for secrets, so no value that looks like one is ever written. */
  readonly hasSecrets?: boolean;
  write(apps: readonly Outgoing[], context: ExportContext): Written;
}

export const exportKinds = {
  config: {
    text: 'stead.config.yaml, for stead apply',
    write: (apps, { directory }) => writeSteadConfig(apps, directory),
  },
  pm2: {
    text: 'ecosystem.config.cjs, or .json with -o NAME.json',
    write: (apps, { file }) => writePm2(apps, { isJson: file?.endsWith('.json') ?? false }),
  },
  procfile: {
    text: 'a Procfile: foreman, overmind, honcho',
    write: (apps, { directory }) => writeProcfile(apps, directory),
  },
  systemd: {
    text: 'units: .service, .socket, .timer, .path, .target',
    write: (apps, { scope, owner, systemdVersion: version, hardening, listenText }) =>
      writeSystemd(apps, { scope, owner, version, hardening }, listenText),
  },
  kubernetes: {
    text: 'manifests, and a Dockerfile for each app',
    hasSecrets: true,
    write: (apps, { nodeMajor }) => writeKubernetes(apps, { nodeMajor }),
  },
  nomad: {
    text: 'a job in JSON for each app',
    write: (apps, { owner }) => writeNomad(apps, { owner }),
  },
} as const satisfies Record<string, ExportKind>;

export type ExportKindName = keyof typeof exportKinds;
