import { CircleCheck, CircleX, X } from "lucide-react";
import { useSyncExternalStore } from "react";
import { IconButton } from "./button";

interface Toast {
  id: number;
  text: string;
  failed: boolean;
}

const SHOWN_MS = 5000;
let toasts: readonly Toast[] = [];
let last = 0;
const listeners = new Set<() => void>();

function set(next: readonly Toast[]): void {
  toasts = next;
  for (const listener of listeners) listener();
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

/** Says in a corner what was done. */
export function tell(text: string): void {
  show(text, false);
}

/** Says in a corner what went wrong; it stays until it is closed. */
export function tellError(error: Error): void {
  show(error.message, true);
}

function show(text: string, failed: boolean): void {
  const id = ++last;
  set([...toasts.slice(-2), { id, text, failed }]);
  if (!failed) setTimeout(() => dismiss(id), SHOWN_MS);
}

/** The corner where it is said. */
export function Toasts() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <div aria-live="polite" className="pointer-events-none fixed right-3 bottom-3 z-50 flex w-80 max-w-[calc(100vw-1.5rem)] flex-col gap-2">
      {shown.map(({ id, text, failed }) => (
        <div key={id} className="pointer-events-auto flex items-start gap-2 rounded-md border border-line bg-raised py-1.5 pr-1.5 pl-3 shadow-lg">
          {failed ? (
            <CircleX size={15} aria-label="Failed" className="mt-1 shrink-0 text-bad" />
          ) : (
            <CircleCheck size={15} aria-label="Done" className="mt-1 shrink-0 text-good" />
          )}
          <p className="min-w-0 flex-1 py-0.5 break-words">{text}</p>
          <IconButton icon={X} label="Dismiss" className="size-6" onClick={() => dismiss(id)} />
        </div>
      ))}
    </div>
  );
}
