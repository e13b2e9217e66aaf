/** fast-check, which tries the same cases each time: STEAD_TEST_SEED=random, or a number, tries others. Tests get this in its place (scripts/test.mjs). */
import fc from 'fast-check';

const seed = process.env.STEAD_TEST_SEED ?? '1';
if (seed !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(seed) });

export * from 'fast-check';
export default fc;
