/** JSON as a person reads it. */

export type TokenKind = "key" | "text" | "value" | "mark";

export interface Token {
  kind: TokenKind;
  text: string;
}

const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d[\d.eE+-]*|true|false|null)|[^"\d\-tfn]+|./g;

/** The value in lines, cut at a number of characters. */
export function pretty(value: unknown, limit = 100_000): string {
  const text = JSON.stringify(value, null, 2) ?? "undefined";
  return text.length > limit ? `${text.slice(0, limit)}\n… ${text.length - limit} characters more` : text;
}

/** The parts of a JSON text, to colour each. */
export function tokens(text: string): Token[] {
  const found: Token[] = [];
  for (const [whole, string, colon, value] of text.matchAll(TOKEN)) {
    if (string) found.push({ kind: colon ? "key" : "text", text: string });
    if (colon) found.push({ kind: "mark", text: colon });
    else if (value) found.push({ kind: "value", text: value });
    else if (!string) found.push({ kind: "mark", text: whole });
  }
  return found;
}

/** What a JSON text means; what is wrong with it otherwise. An empty text is undefined. */
export function parsed(text: string): { value: unknown } | { fault: string } {
  if (!text.trim()) return { value: undefined };
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return { fault: (error as Error).message };
  }
}

/** A value that fits the schema as a beginning: its defaults, examples and required fields. */
export function sample(schema: unknown, depth = 0): unknown {
  if (!isObject(schema) || depth > 6) return null;
  if ("default" in schema) return schema["default"];
  if ("const" in schema) return schema["const"];
  for (const name of ["examples", "enum"]) {
    const values = schema[name];
    if (Array.isArray(values) && values.length) return values[0];
  }
  const { anyOf, oneOf, allOf } = schema;
  for (const choices of [anyOf, oneOf, allOf]) {
    if (Array.isArray(choices) && choices.length) return sample(choices[0], depth + 1);
  }
  const type = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
  if (type === "object" || isObject(schema["properties"])) return sampleObject(schema, depth);
  if (type === "array") return [];
  return { string: "", number: 0, integer: 0, boolean: false }[String(type)] ?? null;
}

function sampleObject(schema: Record<string, unknown>, depth: number): Record<string, unknown> {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  const entries = Object.entries(properties).map(([name, each]) => [name, sample(each, depth + 1)] as const);
  return Object.fromEntries(entries);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
