import type { CDPSession, Page } from 'playwright-core';

/** Lets a timer of 60 Hz run for some time: the share of its ticks that came, and the longest gap, ms. */
export function ticks(page: Page, duration: number): Promise<{ share: number; longest: number }> {
  return page.evaluate(async (duration) => {
    let count = 0;
    let [last, longest] = [performance.now(), 0];
    const timer = setInterval(() => {
      count += 1;
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1000 / 60);
    await new Promise((resolve) => setTimeout(resolve, duration));
    clearInterval(timer);
    return { share: count / (duration / (1000 / 60)), longest };
  }, duration);
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  /** Time on the processor, microseconds. */
  tdur?: number;
  args: { name?: string };
}

/** The longest task of the page's own thread while something goes on: its time on the processor, ms, which other programs do not lengthen. */
export async function longestTask(page: Page, during: () => Promise<void>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: {
      includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline'],
      recordMode: 'recordUntilFull',
    },
  });
  await during();
  const events = await collected(session);
  await session.detach();
  const pages = events
    .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid} ${tid}`);
  const tasks = events.filter(({ ph, pid, tid, tdur }) => ph === 'X' && tdur && pages.includes(`${pid} ${tid}`));
  return Math.max(0, ...tasks.map(({ tdur }) => tdur! / 1000));
}

function collected(session: CDPSession): Promise<TraceEvent[]> {
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  return new Promise((resolve) => {
    session.on('Tracing.tracingComplete', () => resolve(events));
    void session.send('Tracing.end');
  });
}
