/** The agents that learn from replay, small. */
import { type Agent, agentClasses, type OffPolicyAgent } from 'diffrl';
import { createSmall, tableOf } from './small.js';

export type Learner = Agent & Pick<OffPolicyAgent<never, never>, 'learn' | 'updates' | 'replay'>;

/** Name, class and table of options of each. */
export const learners = Object.entries(agentClasses).flatMap(([name, Class]) => {
  const options = tableOf(name);
  return 'replay' in options ? [[name, Class, options] as const] : [];
});

/** One of them with few units, on the environment of the fixtures. */
export async function smallLearner([name, , table]: (typeof learners)[number], options: object): Promise<Learner> {
  const delay = 'policyDelay' in table ? { policyDelay: 1 } : {};
  return (await createSmall(name, { ...delay, seed: 1, compile: false, ...options })) as Learner;
}
