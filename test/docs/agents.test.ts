import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withAgentOptions } from '../../scripts/agentOptions.js';
import { loggedAs } from '../../src/training/loggers/metricNames.js';

const guide = (name: string) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

it("the guide lists the agents' options as they are (else run scripts/agentOptions.ts)", () => {
  const page = guide('agents');
  expect(withAgentOptions(page)).toBe(page);
});

it('the guide to experiments says what every logged metric is', () => {
  const page = guide('experiments');
  expect(Object.values(loggedAs).filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});
