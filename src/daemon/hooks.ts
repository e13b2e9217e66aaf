/**
 * Hooks: a command or a URL that is told what happened. Bounded in time and number; one that fails is logged, and changes nothing. They come after the fact:
 * nothing waits for them.
 */
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { EventView } from '../protocol/api.ts';
import { type HookName, hookNames } from '../protocol/spec.ts';
import type { Instance } from './instance.ts';
import { runCommand } from './probe.ts';
import { steadVariables } from './stead-variables.ts';

const timeoutMs = 10_000;
/** A crash loop must not become a fork bomb of hooks: what comes while so many run is left out, and said. */
const mostAtOnce = 16;

let underWay = 0;

export function runHook(instance: Instance, event: EventView): void {
  const { app } = instance;
  const hook = hookNames.includes(event.type as HookName) ? app.spec.hooks[event.type as HookName] : undefined;
  if (hook === undefined) return;
  if (underWay >= mostAtOnce) {
    app.daemon.log(`${app.name}: hook for ${event.type} left out: ${mostAtOnce} others are under way`);
    return;
  }
  underWay += 1;
  const variables = { ...steadVariables(instance), STEAD_EVENT: event.type, STEAD_REASON: event.reason ?? '' };
  const done = /^https?:\/\//.test(hook) ? post(hook, event) : runCommand(app, hook, { timeoutMs, env: variables });
  void done.then((result) => {
    underWay -= 1;
    if (result !== 0)
      app.daemon.log(
        `${app.name}: hook for ${event.type}: ${typeof result === 'number' ? `exit code ${result}` : result}`,
      );
  });
}

/** 0 if it was taken. */
function post(url: string, event: EventView): Promise<number | string> {
  return new Promise((resolve) => {
    const body = JSON.stringify(event);
    const send = url.startsWith('https:') ? requestHttps : requestHttp;
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'stead',
    };
    try {
      const request = send(
        url,
        { method: 'POST', headers, agent: false, signal: AbortSignal.timeout(timeoutMs) },
        (response) => {
          response.resume();
          const { statusCode = 0 } = response;
          resolve(statusCode >= 200 && statusCode < 300 ? 0 : `status ${statusCode}`);
        },
      );
      request.on('error', (error) => resolve(error.message));
      request.end(body);
    } catch (error) {
      resolve((error as Error).message);
    }
  });
}
