/** How an app is told that it shall end, and says that it is there. */
import { writtenDuration } from '../../config/file/stanza.ts';
import { type AppReading, isOn, number, type Part, text } from './reading.ts';

export function readReadiness({ values }: AppReading): Part {
  const timeout = number(values, 'listen_timeout');
  if (timeout !== undefined && (timeout < 0 || !Number.isInteger(timeout)))
    return { mistakes: ['"listen_timeout" takes whole milliseconds, 0 or more'] };
  if (!isOn(values, 'wait_ready'))
    return timeout === undefined
      ? {}
      : {
          notes: [
            'listen_timeout: without wait_ready it has no effect; in a reload a new run has 30 s to listen (ready_timeout).',
          ],
        };
  return {
    stanza: { ready: 'ipc', ...(timeout ? { ready_timeout: writtenDuration(timeout) } : {}) },
    defaults: [
      `what is not ready in time${timeout ? '' : ' (30 s)'} has failed, and in a reload the old one serves on (pm2${timeout ? '' : ', after 3 s,'} takes it for online)`,
    ],
  };
}

/** Programs that were made for pm2 listen to SIGINT, so they get that. */
export function readStop({ values, context }: AppReading): Part {
  const ofShell = /^\d+$/.test(context.env.PM2_KILL_TIMEOUT ?? '') ? Number(context.env.PM2_KILL_TIMEOUT) : undefined;
  const timeout = number(values, 'kill_timeout') ?? ofShell;
  if (timeout !== undefined && (timeout < 0 || !Number.isInteger(timeout)))
    return { mistakes: ['"kill_timeout" takes whole milliseconds, 0 or more'] };
  return {
    stanza: {
      stop_signal: (context.env.PM2_KILL_SIGNAL ?? 'INT').replace(/^SIG/, ''),
      ...(timeout !== undefined && { stop_timeout: writtenDuration(timeout) }),
      ...(isOn(values, 'shutdown_with_message') && { stop_message: true }),
    },
    notes: [
      ...(isOn(values, 'shutdown_with_message')
        ? [
            'shutdown_with_message: a program that has not ended by the message gets the signal, too, before it is killed.',
          ]
        : []),
      ...(values.treekill === false
        ? ['treekill: false: the signal goes to the program first, but all that it started is ended with it.']
        : []),
      ...(values.kill_retry_time === undefined ? [] : ['kill_retry_time: nothing is polled, so it has no effect.']),
    ],
    defaults: timeout === undefined ? ['a program has 10 s to end (pm2: 1.6 s)'] : [],
  };
}

/** Users and groups. */
export function readUser({ values }: AppReading): Part {
  const user = text(values, 'uid');
  const group = text(values, 'gid');
  return {
    ...(user !== undefined && { stanza: { user } }),
    notes:
      group === undefined
        ? []
        : [`gid: a program has the group and all the supplementary groups of its user ("user"); ${group} is not set.`],
  };
}
