/** Selections in the URL: plain words, nothing quoted, nothing that is empty. */

export type Search = Readonly<Record<string, string | undefined>>;

/** What comes after the `?`, as words by name. */
export function parseSearch(text: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(text));
}

/** The `?` and what comes after it; an empty text where nothing is selected. */
export function stringifySearch(search: Readonly<Record<string, unknown>>): string {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined && value !== "" && value !== null);
  const text = new URLSearchParams(kept.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

/** A function that keeps those names of a search that a page knows. */
export function knows<Name extends string>(...names: Name[]) {
  return (search: Readonly<Record<string, unknown>>): { [Each in Name]?: string } => {
    const kept: { [Each in Name]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (typeof value === "string" && value) kept[name] = value;
    }
    return kept;
  };
}
