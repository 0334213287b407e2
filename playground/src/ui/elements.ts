/** The element of the page with this id. @throws Error if there is none of that kind */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found) return found as T;
  throw new Error(`The page has no element '${id}'.`);
}

/** A new element with children. */
export function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Fills a list with options. */
export function fill(select: HTMLSelectElement, labels: Readonly<Record<string, string>>, chosen: string): void {
  select.replaceChildren(...Object.entries(labels).map(([value, text]) => create('option', { value, text })));
  select.value = chosen;
}
