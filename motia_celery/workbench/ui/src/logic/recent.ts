/** What was sent lately to one target, newest first. */
export interface Recent {
  at: number;
  outcome: string;
  input: unknown;
}

const KEPT = 10;
const LARGEST_CHARACTERS = 50_000;

/** The list with one more; the same input is not kept twice, nor one too large to keep. */
export function withRecent(known: readonly Recent[], next: Recent): Recent[] {
  const text = JSON.stringify(next.input);
  if (text.length > LARGEST_CHARACTERS) return [...known];
  return [next, ...known.filter((each) => JSON.stringify(each.input) !== text)].slice(0, KEPT);
}

/** What a stored text holds; nothing where it is none of ours. */
export function readRecent(text: string | null): Recent[] {
  try {
    const value: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(value) ? value.filter(isRecent) : [];
  } catch {
    return [];
  }
}

function isRecent(value: unknown): value is Recent {
  return typeof value === "object" && value !== null && typeof (value as Recent).at === "number" && "input" in value;
}
