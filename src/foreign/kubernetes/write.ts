/**
 * Manifests of Kubernetes in one file, several documents: of each app a ConfigMap with its environment, a Deployment (StatefulSet if its instances count, Job or
 * CronJob if it is a job), and a Service if it is known to listen. Notes stand as comments above. A Dockerfile for each comes with it.
 */
import { Document } from 'yaml';
import { namesOf } from '../labels.ts';
import { commentLines, type Outgoing, type Written } from '../written.ts';
import { dockerfile } from './dockerfile.ts';
import { configMap } from './environment.ts';
import { kubernetesNotes } from './notes.ts';
import { service, workload } from './workload.ts';

/** `nodeMajor` is the Node of images that have one. */
export function writeKubernetes(apps: readonly Outgoing[], { nodeMajor }: { readonly nodeMajor: number }): Written {
  const names = namesOf(apps);
  const documents = apps.flatMap((app) => documentsOf(app, names.get(app)!));
  const manifest = {
    name: 'kubernetes.yaml',
    text: documents.join('---\n'),
    isPrivate: apps.some(({ env }) => env.size > 0),
  };
  const dockerfiles = apps.map((app) => ({
    name: apps.length === 1 ? 'Dockerfile' : `${names.get(app)}.Dockerfile`,
    text: dockerfile(app, nodeMajor),
    isPrivate: false,
  }));
  return { files: [manifest, ...dockerfiles], notes: [], isFirstEnough: true };
}

function documentsOf(app: Outgoing, name: string): string[] {
  const notes = [`App "${app.spec.name}", written by stead export kubernetes.`, ...kubernetesNotes(app, name)];
  return [configMap(app, name), workload(app, name), service(app, name)]
    .filter((manifest) => manifest !== null)
    .map((manifest, at) => {
      const text = new Document(manifest, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
      return at === 0 ? `${commentLines(notes).join('\n')}\n${text}` : text;
    });
}
