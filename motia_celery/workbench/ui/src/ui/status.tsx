import { clsx } from "clsx";
import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleHelp,
  CirclePause,
  CircleX,
  Clock,
  LoaderCircle,
  type LucideIcon,
  RotateCw,
  Skull,
  TriangleAlert,
} from "lucide-react";

interface Look {
  word: string;
  icon: LucideIcon;
  tone: Tone;
  spin?: boolean;
}

export type Tone = "good" | "bad" | "warn" | "accent" | "soft";

export const TONES: Record<Tone, string> = {
  good: "text-good",
  bad: "text-bad",
  warn: "text-warn",
  accent: "text-accent",
  soft: "text-soft",
};

const LOOKS: Record<string, Look> = {
  queued: { word: "Queued", icon: CircleDashed, tone: "soft" },
  waiting: { word: "Waiting", icon: Clock, tone: "soft" },
  delayed: { word: "Delayed", icon: Clock, tone: "soft" },
  running: { word: "Running", icon: LoaderCircle, tone: "accent", spin: true },
  retrying: { word: "Retrying", icon: RotateCw, tone: "warn" },
  succeeded: { word: "Succeeded", icon: CircleCheck, tone: "good" },
  completed: { word: "Succeeded", icon: CircleCheck, tone: "good" },
  failed: { word: "Failed", icon: CircleX, tone: "bad" },
  dead: { word: "Dead letter", icon: Skull, tone: "bad" },
  cancelled: { word: "Cancelled", icon: Ban, tone: "soft" },
  skipped: { word: "Skipped", icon: Ban, tone: "soft" },
  paused: { word: "Paused", icon: CirclePause, tone: "warn" },
  missed: { word: "Missed", icon: TriangleAlert, tone: "warn" },
  error: { word: "Error", icon: CircleX, tone: "bad" },
  warning: { word: "Warning", icon: TriangleAlert, tone: "warn" },
};

/** How a status looks: a word, an icon and a colour, so that none of them stands alone. */
export function lookOf(status: string): Look {
  const word = status.charAt(0).toUpperCase() + status.slice(1);
  return LOOKS[status] ?? { word, icon: CircleHelp, tone: "soft" };
}

interface StatusProps {
  status: string;
  className?: string;
  iconOnly?: boolean;
}

/** A status, as icon, word and colour. */
export function Status({ status, className, iconOnly = false }: StatusProps) {
  const { word, icon: Icon, tone, spin } = lookOf(status);
  return (
    <span className={clsx("flex w-fit items-center gap-1.5 whitespace-nowrap", TONES[tone], className)}>
      <Icon size={14} aria-hidden className={clsx("shrink-0", spin && "animate-spin [animation-duration:2s]")} />
      <span className={iconOnly ? "sr-only" : undefined}>{word}</span>
    </span>
  );
}
