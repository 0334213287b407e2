import { expect, it } from 'vitest';
import { largestErrors, referenceAgent } from './dimeGolden.js';

it.each([false, true])('nine updates of the released code, compile: %s (1e-5 relative)', async (compile) => {
  const agent = await referenceAgent({ compile });
  const errors = await largestErrors(agent);
  console.log(errors);
  for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(1e-5);
  agent.dispose();
});
