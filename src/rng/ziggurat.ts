/**
 * Doornik's (2005) ziggurat for the standard normal: 128 strips of equal area, of which a word picks one and a point;
 * almost always that point is accepted at once.
 *
 * @param word returns 32 random bits as a signed integer
 */
export function ziggurat(word: () => number): number {
  const { edges, ratios } = strips();
  for (;;) {
    const bits = word();
    const strip = bits & 127;
    const point = ((bits >> 8) + 0.5) * 2 ** -23;
    const x = point * (edges[strip] as number);
    if (Math.abs(point) < (ratios[strip] as number)) return x;
    if (strip === 0) return tail(word, point < 0);
    const above = Math.exp(-0.5 * ((edges[strip] as number) ** 2 - x * x));
    const below = Math.exp(-0.5 * ((edges[strip + 1] as number) ** 2 - x * x));
    if (below + unit(word) * (above - below) < 1) return x;
  }
}

const TAIL_START = 3.442619855899;
const STRIP_AREA = 9.91256303526217e-3;

/** A draw beyond {@link TAIL_START} (Marsaglia 1964). */
function tail(word: () => number, negative: boolean): number {
  for (;;) {
    const x = -Math.log(unit(word)) / TAIL_START;
    if (-2 * Math.log(unit(word)) > x * x) return negative ? -TAIL_START - x : TAIL_START + x;
  }
}

function unit(word: () => number): number {
  return ((word() >>> 0) + 0.5) * 2 ** -32;
}

let tables: { edges: Float64Array; ratios: Float64Array } | undefined;

/** Right edges of the strips from the base up, and the share of each strip that lies under its upper neighbour. */
function strips() {
  if (tables) return tables;
  const density = (x: number) => Math.exp(-0.5 * x * x);
  const edges = new Float64Array(129);
  edges[0] = STRIP_AREA / density(TAIL_START);
  edges[1] = TAIL_START;
  for (let i = 2; i < 128; i++) {
    const below = edges[i - 1] as number;
    edges[i] = Math.sqrt(-2 * Math.log(STRIP_AREA / below + density(below)));
  }
  const ratios = Float64Array.from({ length: 128 }, (_, i) => (edges[i + 1] as number) / (edges[i] as number));
  tables = { edges, ratios };
  return tables;
}
