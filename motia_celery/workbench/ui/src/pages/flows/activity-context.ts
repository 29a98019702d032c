import { createContext, useContext } from "react";
import { type Activity, IDLE } from "@/logic/activity";

/** What each Step did in the last hour; kept apart from the diagram, so that counts redraw alone. */
export const ActivityContext = createContext<ReadonlyMap<string, Activity>>(new Map());

/** What a Step did in the last hour. */
export function useActivity(step: string): Activity {
  return useContext(ActivityContext).get(step) ?? IDLE;
}
