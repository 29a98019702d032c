import { expect, it } from "vitest";
import { type Recent, readRecent, withRecent } from "./recent";

it("keeps each input once, the newest first, and ten at most", () => {
  let known: Recent[] = Array.from({ length: 10 }, (_, at) => ({ at, outcome: "200", input: { at } }));
  known = withRecent(known, { at: 99, outcome: "500", input: { at: 3 } });
  expect(known).toHaveLength(10);
  expect(known[0]).toEqual({ at: 99, outcome: "500", input: { at: 3 } });
  expect(withRecent(known, { at: 100, outcome: "200", input: "new" })).toHaveLength(10);
});

it("keeps nothing that is too large", () => {
  expect(withRecent([], { at: 1, outcome: "200", input: "x".repeat(60_000) })).toEqual([]);
});

it("reads what it wrote, and nothing else", () => {
  expect(readRecent('[{"at":1,"outcome":"200","input":null},7]')).toHaveLength(1);
  expect(readRecent("{")).toEqual([]);
  expect(readRecent(null)).toEqual([]);
});
