import { describe, expect, it } from "vitest";
import { advance } from "./keys";
import { curlOf, urlOf, type Draft } from "./curl";
import { find, isTraceId } from "./search";
import { bytes, clock, count, distance, duration, zoned } from "./time";
import { knows, parseSearch, stringifySearch } from "./url";

const draft: Draft = { method: "POST", path: "/orders/{id}", params: { id: "a/b c" }, query: [], headers: [], body: "" };
const key = (name: string, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, ...more });

describe("time", () => {
  it.each([[0, "0 ms"], [0.4, "0.4 ms"], [12.4, "12 ms"], [1240, "1.24 s"], [42_000, "42.0 s"], [125_000, "2 m 5 s"], [7_200_000, "2 h"], [187_200_000, "2 d 4 h"], [-5, "−5 ms"]])("%d ms is %s", (value, text) => {
    expect(duration(value)).toBe(text);
  });

  it("says how far away a moment is", () => {
    expect(distance(1000, 1500)).toBe("now");
    expect(distance(0, 12_000)).toBe("12 s ago");
    expect(distance(200_000, 20_000)).toBe("in 3 m");
  });

  it("says the day only of another day", () => {
    const now = new Date(2026, 4, 3, 14, 0, 0).getTime();
    expect(clock(now + 42, now)).toBe("14:00:00.042");
    expect(clock(now - 86_400_000, now)).toBe("May 2 14:00:00");
  });

  it("says a moment as clocks in a time zone do", () => {
    const midnight = Date.UTC(2026, 4, 3, 22, 0, 0);
    expect(zoned(midnight, "Europe/Rome")).toBe("Mon, May 4, 00:00:00");
    expect(zoned(midnight, "America/New_York")).toBe("Sun, May 3, 18:00:00");
  });

  it("shortens sizes and counts", () => {
    expect([bytes(512), bytes(4100), bytes(2_000_000)]).toEqual(["512 B", "4.1 kB", "2.0 MB"]);
    expect([count(1204), count(120_000), count(3_400_000)]).toEqual(["1,204", "120k", "3.4M"]);
  });
});

describe("urls", () => {
  it("keeps selections as plain words, and drops what is empty", () => {
    expect(stringifySearch({ step: "charge card", trace: "", run: undefined })).toBe("?step=charge+card");
    expect(stringifySearch({})).toBe("");
  });

  it("keeps a trace id of digits alone as text", () => {
    expect(parseSearch("?trace=12345678901234567890123456789012")).toEqual({ trace: "12345678901234567890123456789012" });
  });

  it("keeps those names that a page knows", () => {
    expect(knows("step", "flow")({ step: "a", other: "b", flow: "" })).toEqual({ step: "a" });
  });
});

describe("curl", () => {
  it("puts parameters in the path, escaped", () => {
    expect(urlOf(draft)).toBe("/orders/a%2Fb%20c");
    expect(urlOf({ ...draft, query: [["q", "a&b"], ["", "x"]] })).toBe("/orders/a%2Fb%20c?q=a%26b");
  });

  it("keeps the slashes of a rest", () => {
    expect(urlOf({ ...draft, path: "/files/{rest:path}", params: { rest: "a/b c" } })).toBe("/files/a/b%20c");
  });

  it("quotes for a shell, and says that a body is JSON", () => {
    expect(curlOf({ ...draft, body: `{"name":"O'Hara"}` }, "http://x")).toBe(
      ["curl -X POST 'http://x/orders/a%2Fb%20c'", "-H 'Content-Type: application/json'", `--data-raw '{"name":"O'\\''Hara"}'`].join(" \\\n  "),
    );
  });

  it("sends no body with GET", () => {
    expect(curlOf({ ...draft, method: "GET", body: "{}" }, "")).not.toContain("data");
  });
});

describe("keys", () => {
  const bindings = { "g r": "runs", "g f": "flows", "mod+k": "palette", "?": "help" };

  it("waits for the second key of a sequence", () => {
    const first = advance(bindings, "", key("g"));
    expect(first).toEqual({ pending: "g", action: null });
    expect(advance(bindings, first.pending, key("r"))).toEqual({ pending: "", action: "runs" });
  });

  it("takes Command and Control alike, and no plain key with them", () => {
    expect(advance(bindings, "", key("K", { metaKey: true })).action).toBe("palette");
    expect(advance(bindings, "g", key("r", { ctrlKey: true }))).toEqual({ pending: "", action: null });
  });

  it("forgets a sequence that leads nowhere, but not the key after it", () => {
    expect(advance(bindings, "g", key("x"))).toEqual({ pending: "", action: null });
    expect(advance(bindings, "g", key("?")).action).toBe("help");
    expect(advance(bindings, "g", key("Shift")).action).toBe(null);
  });
});

describe("search", () => {
  const entries = ["Create order", "orders", "Reserve stock"].map((name) => ({ id: name, name, group: "Steps" }));

  it("finds beginnings before middles, and letters in order last", () => {
    expect(find(entries, "order", 9).map((each) => each.name)).toEqual(["orders", "Create order"]);
    expect(find(entries, "rsk", 9).map((each) => each.name)).toEqual(["Reserve stock"]);
    expect(find(entries, "", 2)).toHaveLength(2);
    expect(find(entries, "zzz", 9)).toEqual([]);
  });

  it("knows a trace id", () => {
    expect(isTraceId("4bf92f3577b34da6a3ce929d0e0e4736")).toBe(true);
    expect(isTraceId("order")).toBe(false);
  });
});
