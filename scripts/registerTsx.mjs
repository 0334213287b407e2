/** Lets worker threads read TypeScript: `execArgv: ['--import', <this file's URL>]`. */
import { register } from 'tsx/esm/api';

register();
