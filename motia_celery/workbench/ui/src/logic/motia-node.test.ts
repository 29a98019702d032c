import { describe, expect, it } from "vitest";
import type { GraphNode } from "@/api/shapes";
import { motiaData } from "./motia-node";

const CHARGE = {
  id: "c0ffee",
  name: "charge",
  kind: "http",
  language: "typescript",
  file: "steps/charge.step.ts",
  description: "Takes the money",
  flows: ["orders"],
  routes: ["POST /charge/:id"],
  crons: [],
  changes: [],
  emits: [
    { topic: "paid", label: "", conditional: false },
    { topic: "failed", label: "no money", conditional: true },
  ],
  subscribes: [],
  virtual_emits: [],
  virtual_subscribes: ["started"],
  paused: false,
  component: "steps/charge.step.tsx",
} satisfies GraphNode;

describe("what draws a Step is given", () => {
  it("the Step as Motia's Workbench has it", () => {
    expect(motiaData(CHARGE, false, false)).toEqual({
      id: "c0ffee",
      name: "charge",
      type: "api",
      description: "Takes the money",
      language: "typescript",
      filePath: "steps/charge.step.ts",
      flows: ["orders"],
      emits: ["paid", { topic: "failed", label: "no money", conditional: true }],
      subscribes: [],
      virtualEmits: [],
      virtualSubscribes: ["started"],
      action: "webhook",
      method: "POST",
      path: "/charge/:id",
      webhookUrl: "POST /charge/:id",
      nodeConfig: { sourceHandlePosition: "right", targetHandlePosition: "left" },
    });
  });

  it("one of Motia's types, whatever starts the Step", () => {
    const typeOf = (kind: GraphNode["kind"]) => motiaData({ ...CHARGE, routes: [], kind }, true, true).type;
    expect((["event", "state", "stream", "cron", "noop"] as const).map(typeOf)).toEqual(["event", "event", "event", "cron", "noop"]);
  });

  it("its clock, and the sides of its arrows", () => {
    const data = motiaData({ ...CHARGE, routes: [], kind: "cron", crons: ["* * * * *"] }, true, true);
    expect(data.cronExpression).toBe("* * * * *");
    expect(data.nodeConfig).toEqual({ sourceHandlePosition: "bottom", targetHandlePosition: "top" });
    expect(data).not.toHaveProperty("webhookUrl");
  });
});
