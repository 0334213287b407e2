import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why no Slurm can be started here, if none can. */
export function whyNoSlurm(): string | undefined {
  if (process.getuid?.() !== 0) return 'it needs root';
  const missing = ['slurmctld', 'slurmd', 'sbatch', 'munged'].find((program) => !isInstalled(program));
  return missing && `${missing} is not installed (apt-get install slurm-wlm munge)`;
}

/** A Slurm of one node on the loopback interface, in `folder`; its commands find it by SLURM_CONF. */
export async function startSlurm(folder: string): Promise<{ stop(): Promise<void> }> {
  for (const name of ['spool', 'state', 'log']) mkdirSync(join(folder, name), { recursive: true });
  process.env.SLURM_CONF = join(folder, 'slurm.conf');
  writeFileSync(process.env.SLURM_CONF, configuration(folder));
  const startedMunge = await startMunge();
  daemon('slurmctld', []);
  await until(() => answers('scontrol', ['ping'], 'UP'), 'slurmctld');
  daemon('slurmd', []);
  await until(() => answers('sinfo', ['-h', '-o', '%T'], 'idle'), 'slurmd');
  return {
    async stop() {
      for (const name of ['slurmd', 'slurmctld']) kill(join(folder, `${name}.pid`));
      if (startedMunge) kill('/run/munge/munged.pid');
      delete process.env.SLURM_CONF;
      await sleep(300);
    },
  };
}

/** Output of one of Slurm's commands. */
export function slurm(program: string, ...args: string[]): string {
  return execFileSync(program, args, { encoding: 'utf8' }).trim();
}

/** Waits until `holds`, for half a minute at most. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 150; i++) {
    if (await holds()) return;
    await sleep(200);
  }
  throw new Error(`${what}: not within half a minute.`);
}

async function startMunge(): Promise<boolean> {
  if (answers('munge', ['-n'], 'MUNGE')) return false;
  mkdirSync('/run/munge', { recursive: true });
  execFileSync('chown', ['munge:munge', '/run/munge']);
  daemon('runuser', ['-u', 'munge', '--', 'munged', '--force']);
  await until(() => answers('munge', ['-n'], 'MUNGE'), 'munged');
  return true;
}

function daemon(program: string, args: string[]): void {
  spawn(program, args, { detached: true, stdio: 'ignore' }).unref();
}

function answers(program: string, args: string[], word: string): boolean {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).includes(word);
  } catch {
    return false;
  }
}

function isInstalled(program: string): boolean {
  return ['/usr/sbin', '/usr/bin', '/sbin', '/bin'].some((folder) => existsSync(join(folder, program)));
}

function kill(pidFile: string): void {
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8')));
  } catch {}
}

function configuration(folder: string): string {
  const host = hostname();
  return `
ClusterName=one
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/pgid
TaskPlugin=task/none
ReturnToService=2
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd.pid
SlurmdSpoolDir=${folder}/spool
StateSaveLocation=${folder}/state
SlurmctldLogFile=${folder}/log/slurmctld.log
SlurmdLogFile=${folder}/log/slurmd.log
SlurmctldPort=16817
SlurmdPort=16818
SchedulerType=sched/backfill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
KillWait=5
NodeName=${host} NodeAddr=127.0.0.1 CPUs=${availableParallelism()} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=${host} Default=YES MaxTime=INFINITE State=UP
`;
}
