import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withAgentOptions } from '../../scripts/agentOptions.js';

it("the guide lists the agents' options as they are (else run scripts/agentOptions.ts)", () => {
  const page = readFileSync(new URL('../../docs/agents.md', import.meta.url), 'utf8');
  expect(withAgentOptions(page)).toBe(page);
});
