import {
  Activity,
  Database,
  FileWarning,
  Layers,
  type LucideIcon,
  Radio,
  ScrollText,
  Send,
  Skull,
  Workflow,
} from "lucide-react";

export type PlacePath =
  | "/flows"
  | "/runs"
  | "/try"
  | "/dead-letters"
  | "/state"
  | "/streams"
  | "/queues"
  | "/logs"
  | "/problems";

export interface Place {
  path: PlacePath;
  name: string;
  icon: LucideIcon;
  keys: string;
  about: string;
}

/** The pages, in the order in which the side shows them. */
export const PLACES: readonly Place[] = [
  { path: "/flows", name: "Flows", icon: Workflow, keys: "g f", about: "The app as a diagram" },
  { path: "/runs", name: "Runs", icon: Activity, keys: "g r", about: "What ran, runs and failed" },
  { path: "/try", name: "Try", icon: Send, keys: "g t", about: "Call a route, emit an event, run a cron" },
  { path: "/dead-letters", name: "Dead letters", icon: Skull, keys: "g d", about: "Replay or drop what failed for good" },
  { path: "/logs", name: "Logs", icon: ScrollText, keys: "g l", about: "Everything that is logged, live" },
  { path: "/queues", name: "Queues", icon: Layers, keys: "g q", about: "Queues, workers and schedules" },
  { path: "/state", name: "State", icon: Database, keys: "g s", about: "Values by group and key" },
  { path: "/streams", name: "Streams", icon: Radio, keys: "g m", about: "Items that clients follow live" },
  { path: "/problems", name: "Problems", icon: FileWarning, keys: "g p", about: "What to mend in the project" },
];

/** What the keys do, beside going to a page. */
export const ACTION_KEYS: readonly (readonly [string, string, string])[] = [
  ["mod+k", "palette", "Search for a page, Step, flow or trace"],
  ["/", "search", "Go to the search field of the page"],
  ["?", "help", "Show the keys"],
];

export const BINDINGS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(PLACES.map(({ keys, path }) => [keys, `go:${path}`])),
  ...Object.fromEntries(ACTION_KEYS.map(([keys, action]) => [keys, action])),
};

const isMac = /mac|iphone|ipad/i.test(globalThis.navigator?.userAgent ?? "");

/** A sequence of keys, as the user's keyboard names them. */
export function keyNames(keys: string): string[] {
  return keys.split(" ").map((key) => key.replace("mod+k", isMac ? "⌘K" : "Ctrl K"));
}
