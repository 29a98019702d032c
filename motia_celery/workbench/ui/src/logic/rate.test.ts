import { describe, expect, it } from "vitest";
import { perSecond } from "./rate";

describe("perSecond", () => {
  it("is as exact as matters", () => {
    expect([null, undefined, 0, 0.1, 9.96, 12.3, 1234.5].map(perSecond)).toEqual(["–", "–", "0", "0.1", "10.0", "12", "1,235"]);
  });
});
