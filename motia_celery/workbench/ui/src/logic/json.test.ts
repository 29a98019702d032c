import { describe, expect, it } from "vitest";
import { parsed, pretty, sample, tokens } from "./json";

describe("tokens", () => {
  it("lose nothing of the text", () => {
    const text = pretty({ a: "x: \"1\"", b: [1, -2.5e3, true, null], "ключ": { t: "true" } });
    expect(tokens(text).map((token) => token.text).join("")).toBe(text);
  });

  it("tell keys, texts and values apart", () => {
    const kinds = tokens('{"a": "b", "c": 12}').filter((token) => token.kind !== "mark").map(({ kind, text }) => [kind, text]);
    expect(kinds).toEqual([["key", '"a"'], ["text", '"b"'], ["key", '"c"'], ["value", "12"]]);
  });
});

describe("pretty", () => {
  it("cuts what is too long, and says so", () => {
    expect(pretty("x".repeat(50), 10)).toMatch(/… 42 characters more$/);
  });
});

describe("parsed", () => {
  it("gives the value, or the fault", () => {
    expect(parsed("[1]")).toEqual({ value: [1] });
    expect(parsed(" ")).toEqual({ value: undefined });
    expect(parsed("{")).toHaveProperty("fault");
  });
});

describe("sample", () => {
  it("begins with defaults, examples and empty fields", () => {
    const schema = {
      type: "object",
      properties: { id: { type: "string", examples: ["o1"] }, n: { type: "integer", default: 3 }, tags: { type: "array" }, to: { anyOf: [{ type: "boolean" }, { type: "null" }] } },
    };
    expect(sample(schema)).toEqual({ id: "o1", n: 3, tags: [], to: false });
    expect(sample(undefined)).toBe(null);
  });
});
