/** Finding an entry by a few of its letters. */

export interface Entry {
  id: string;
  name: string;
  group: string;
  hint?: string;
}

/** How well a text fits what was typed: higher is better, 0 is not at all. */
export function score(text: string, typed: string): number {
  const where = text.toLowerCase();
  const what = typed.toLowerCase().trim();
  if (!what) return 1;
  const at = where.indexOf(what);
  if (at === 0) return 100 - where.length / 100;
  if (at > 0) return (isWordStart(where, at) ? 80 : 60) - where.length / 100;
  return inOrder(where, what) ? 20 - where.length / 100 : 0;
}

function isWordStart(text: string, at: number): boolean {
  return !/[a-z0-9]/.test(text[at - 1] ?? " ");
}

function inOrder(text: string, letters: string): boolean {
  let from = 0;
  for (const letter of letters) {
    const at = text.indexOf(letter, from);
    if (at < 0) return false;
    from = at + 1;
  }
  return true;
}

/** The entries that fit, best first; all of them, in their own order, while nothing is typed. */
export function find<Each extends Entry>(entries: readonly Each[], typed: string, limit: number): Each[] {
  if (!typed.trim()) return entries.slice(0, limit);
  return entries
    .map((entry) => ({ entry, fit: Math.max(score(entry.name, typed), score(entry.hint ?? "", typed) - 10) }))
    .filter(({ fit, entry }) => fit > 0 && (entry.hint !== undefined || score(entry.name, typed) > 0))
    .sort((one, other) => other.fit - one.fit)
    .slice(0, limit)
    .map(({ entry }) => entry);
}

/** Whether the text can be a trace id, or the beginning of one. */
export function isTraceId(text: string): boolean {
  return /^[0-9a-f]{32}$/i.test(text.trim());
}
