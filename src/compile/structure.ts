/** Nested arrays and plain objects of leaves. */
export type Structure<Leaf> = Leaf | readonly Structure<Leaf>[] | { readonly [key: string]: Structure<Leaf> };

/** Rebuilds `structure` with every leaf replaced; `path` says where a leaf is, such as `args[0].loss`. */
export function mapLeaves(
  structure: unknown,
  isLeaf: (value: unknown) => boolean,
  replace: (leaf: unknown, path: string) => unknown,
  path = '',
): unknown {
  if (isLeaf(structure) || !isContainer(structure)) return replace(structure, path);
  if (Array.isArray(structure)) {
    return structure.map((entry, i) => mapLeaves(entry, isLeaf, replace, `${path}[${i}]`));
  }
  const entries = Object.entries(structure);
  return Object.fromEntries(
    entries.map(([key, entry]) => [key, mapLeaves(entry, isLeaf, replace, path ? `${path}.${key}` : key)]),
  );
}

function isContainer(value: unknown): value is unknown[] | Record<string, unknown> {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
