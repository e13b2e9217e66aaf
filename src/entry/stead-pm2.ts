/** `stead-pm2`: pm2's command line. */
import { runPm2 } from '../cli/pm2/main.ts';

runPm2().then((code) => process.exit(code));
