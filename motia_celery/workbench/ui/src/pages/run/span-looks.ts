import { ArrowUpRight, Box, CircleDot, Database, Globe, Hourglass, type LucideIcon, Radio, RotateCw } from "lucide-react";
import type { Span } from "@/api/shapes";

interface Look {
  icon: LucideIcon;
  word: string;
  text: string;
  bar: string;
  strong?: boolean;
}

/** How each kind of span looks. */
export const SPAN_LOOKS: Record<Span["kind"], Look> = {
  request: { icon: Globe, word: "Request", text: "text-http", bar: "bg-http", strong: true },
  run: { icon: Box, word: "Run", text: "text-accent", bar: "bg-accent", strong: true },
  attempt: { icon: RotateCw, word: "Attempt", text: "text-soft", bar: "bg-accent opacity-60" },
  wait: { icon: Hourglass, word: "Wait", text: "text-faint", bar: "bg-line-strong" },
  emit: { icon: ArrowUpRight, word: "Emit", text: "text-soft", bar: "bg-soft" },
  state: { icon: Database, word: "State", text: "text-soft", bar: "bg-soft" },
  stream: { icon: Radio, word: "Stream", text: "text-soft", bar: "bg-soft" },
  other: { icon: CircleDot, word: "Other", text: "text-soft", bar: "bg-soft" },
};
