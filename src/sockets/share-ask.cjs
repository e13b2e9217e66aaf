/** Asks the daemon for a socket that somebody else has. */
const { setTimeout } = require('node:timers');
const { request } = require('./share-link.cjs');
const { whenGiven } = require('./share-entries.cjs');

const answerMs = 10_000;
/** A daemon that was killed is back within a second. */
const absentMs = 2000;
const lookAgainMs = 100;
/** A sibling that bound it this very moment is still giving it. */
const refusedTimes = 3;

module.exports = { ask };

/**
 * `done(answer, handle)` is called once, never before this returns: handle is null if the daemon has none (`answer` says so) or isn't there (null). Keeps the program alive until
 * then, unless `unref` is called.
 */
function ask(share, { key, backlog }, done) {
  const began = Date.now();
  const state = { isHeld: true, isOver: false, refusals: 0, current: null };
  const message = { v: 1, do: 'ask', key, backlog, pid: process.pid };
  again(0);
  return {
    ref: () => hold(true),
    unref: () => hold(false),
    cancel: () => {
      state.isOver = true;
      hold(false);
    },
  };

  function hold(isHeld) {
    state.isHeld = isHeld;
    if (state.current) state.current[isHeld ? 'ref' : 'unref']();
  }

  function again(waitMs) {
    const timer = setTimeout(() => whenGiven(share, key, once), waitMs);
    state.current = timer;
    hold(state.isHeld);
  }

  function once() {
    if (state.isOver) return;
    state.current = request(share, { message, keepsAlive: state.isHeld, deadlineMs: answerMs }, answered);
  }

  function answered(answer, handle) {
    state.current = null;
    if (state.isOver) {
      if (handle) handle.close();
      return;
    }
    if (handle === null && isWorthAnother(answer)) return again(lookAgainMs);
    state.isOver = true;
    done(answer, handle);
  }

  function isWorthAnother(answer) {
    if (answer === null) return Date.now() - began < absentMs;
    if (answer.isFinal) return false;
    state.refusals += 1;
    return state.refusals <= refusedTimes;
  }
}
