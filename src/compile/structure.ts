/** Rebuilds nested arrays and plain objects with everything that is neither, or is a leaf by `isLeaf`, replaced. */
export function mapLeaves(
  structure: unknown,
  isLeaf: (value: unknown) => boolean,
  replace: (leaf: unknown) => unknown,
): unknown {
  if (isLeaf(structure)) return replace(structure);
  if (Array.isArray(structure)) return structure.map((entry) => mapLeaves(entry, isLeaf, replace));
  if (!isRecord(structure)) return replace(structure);
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(structure)) result[key] = mapLeaves(structure[key], isLeaf, replace);
  return result;
}

/** Whether `value` is an object of no class. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
