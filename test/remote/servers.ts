/** Python servers as processes of their own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export const environments = fileURLToPath(new URL('./environments.py', import.meta.url));
export const serverFile = fileURLToPath(new URL('../../python/diffrl_env.py', import.meta.url));
export const python = process.env.DIFFRL_PYTHON ?? 'python3';

/** Whether that Python has all of `modules`; says so if not. */
export function canImport(modules: string): boolean {
  if (spawnSync(python, ['-c', `import ${modules}`], { stdio: 'ignore' }).status === 0) return true;
  console.info(`${python} cannot import ${modules} here: what needs it is not tried.`);
  return false;
}

export interface PythonServer {
  process: ChildProcess;
  port: number;
  kill(): Promise<void>;
}

/** Starts a server, in network namespace `inside` if given, and waits until it listens. */
export async function startServer(
  name: string,
  { port = 0, num = 1, args = [], inside }: { port?: number; num?: number; args?: string[]; inside?: string } = {},
): Promise<PythonServer> {
  const command = [python, serverFile, '--env', `${environments}:${name}`, '--port', `${port}`, '--num', `${num}`];
  const [first, ...rest] = [...(inside ? ['ip', 'netns', 'exec', inside] : []), ...command, ...args];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'ignore'] });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout!.setEncoding('utf8').once('data', resolve);
    child.once('exit', (code) => reject(new Error(`the server ended with code ${code}`)));
  });
  return {
    process: child,
    port: Number(/:(\d+)\s*$/.exec(line)![1]),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
