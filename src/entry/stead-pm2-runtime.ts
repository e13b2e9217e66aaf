/** `stead-pm2-runtime`: pm2-runtime's command line. */
import { runRuntime } from '../cli/pm2/runtime.ts';

runRuntime().then((code) => process.exit(code));
