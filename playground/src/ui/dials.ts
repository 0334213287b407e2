import { type AgentId, DIALS, type Dial, type Knobs } from '../settings.js';
import { create } from './elements.js';

/** The knobs as sliders; `onTurn` hears of one that has come to rest. */
export class Dials {
  private readonly rows: { dial: Dial; input: HTMLInputElement; output: HTMLOutputElement }[];

  constructor(container: HTMLElement, onTurn: (change: Partial<Knobs>) => void) {
    this.rows = DIALS.map((dial) => {
      const input = create('input', { type: 'range', min: '0', max: `${dial.values.length - 1}`, step: '1' });
      const output = create('output');
      const text = create('span', {}, `${dial.label} `, create('small', {}, dial.hint));
      input.addEventListener('input', () => show(output, dial.values[Number(input.value)]!));
      input.addEventListener('change', () => onTurn({ [dial.name]: dial.values[Number(input.value)] }));
      container.append(create('label', { className: 'dial' }, text, output, input));
      return { dial, input, output };
    });
  }

  /** Shows these values, and the knobs that this agent has. */
  set(knobs: Knobs, agent: AgentId): void {
    for (const { dial, input, output } of this.rows) {
      input.parentElement!.hidden = dial.agents !== undefined && !dial.agents.includes(agent);
      const value = knobs[dial.name];
      const distances = dial.values.map((candidate) => Math.abs(candidate - value));
      input.value = `${distances.indexOf(Math.min(...distances))}`;
      show(output, value);
    }
  }
}

function show(output: HTMLOutputElement, value: number): void {
  output.value = `${value}`;
}
