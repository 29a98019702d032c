/** Sequences of keys: a key alone, or `g` and then another. */

export interface Typed {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export interface Step {
  pending: string;
  action: string | null;
}

const PATIENCE_MS = 1200;

/**
 * What the next key means. `bindings` maps sequences such as `g r` to actions; `mod+k` means the
 * Command key of a Mac and Control elsewhere.
 */
export function advance(bindings: Readonly<Record<string, string>>, pending: string, typed: Typed): Step {
  if (typed.ctrlKey || typed.metaKey) {
    return { pending: "", action: bindings[`mod+${typed.key.toLowerCase()}`] ?? null };
  }
  if (typed.altKey || typed.key.length !== 1) return { pending: "", action: null };
  const sequence = pending ? `${pending} ${typed.key}` : typed.key;
  const action = bindings[sequence] ?? (pending ? bindings[typed.key] : undefined) ?? null;
  if (action) return { pending: "", action };
  const begins = Object.keys(bindings).some((each) => each.startsWith(`${typed.key} `));
  return { pending: begins ? typed.key : "", action: null };
}

/** Whether a sequence that began at one moment has been given up at another. */
export function isStale(began: number, now: number): boolean {
  return now - began > PATIENCE_MS;
}
