import { nodeModule } from './nodeModules.js';

/** Whether a process of this machine runs. */
export function isAlive(pid: number): boolean {
  try {
    return globalThis.process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, on Linux: numbers of processes come again, after a restart of a container soon. */
export function startOf(where: string, pid: number): string | undefined {
  try {
    const stat = nodeModule(where, 'node:fs').readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; // what comes before may hold spaces
  } catch {
    return undefined;
  }
}
