import { Clock, Database, Globe, type LucideIcon, Radio, SquareDashed, Zap } from "lucide-react";
import type { GraphNode } from "@/api/shapes";

type Kind = GraphNode["kind"];

/** How a Step's kind looks: an icon, a colour and a word. */
export const KINDS: Record<Kind, { icon: LucideIcon; color: string; word: string }> = {
  http: { icon: Globe, color: "text-http", word: "Route" },
  event: { icon: Zap, color: "text-event", word: "Event" },
  cron: { icon: Clock, color: "text-cron", word: "Cron" },
  state: { icon: Database, color: "text-event", word: "State" },
  stream: { icon: Radio, color: "text-event", word: "Stream" },
  noop: { icon: SquareDashed, color: "text-noop", word: "Noop" },
};

/** The languages in two or three letters. */
export const TAGS: Record<GraphNode["language"], string> = { python: "PY", typescript: "TS", javascript: "JS", ruby: "RB" };

/** What starts a Step, in one line. */
export function subtitle(node: GraphNode): string {
  const starts = [...node.routes, ...node.subscribes, ...node.crons, ...node.changes];
  return starts.length ? starts.join(", ") : node.description || "Only in the diagram";
}
