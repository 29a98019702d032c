import { useEffect, useRef } from "react";
import { advance, isStale } from "@/logic/keys";

/** Calls `act` with the action whose keys are pressed, unless somebody is typing. */
export function useKeys(bindings: Readonly<Record<string, string>>, act: (action: string) => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    let pending = "";
    let began = 0;
    function onKey(event: KeyboardEvent) {
      const isChord = event.ctrlKey || event.metaKey;
      if (event.defaultPrevented || (isTyping(event) && !isChord)) return;
      if (isStale(began, event.timeStamp)) pending = "";
      const step = advance(bindings, pending, event);
      pending = step.pending;
      began = event.timeStamp;
      if (step.action === null) return;
      event.preventDefault();
      latest.current(step.action);
    }
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [bindings]);
}

function isTyping(event: KeyboardEvent): boolean {
  // The editor lives in a shadow root, so the event's path knows more than its target.
  return event
    .composedPath()
    .some(
      (each) =>
        each instanceof HTMLElement && (each.isContentEditable || /^(INPUT|TEXTAREA|SELECT|DIALOG)$/.test(each.tagName)),
    );
}
