import { clsx } from "clsx";
import { lazy, Suspense } from "react";
import type { CodeProps } from "./code";

const Code = lazy(async () => ({ default: (await import("./code")).Code }));

/** The editor in a frame; its code is loaded when one is first shown. */
export function Editor({ className, ...props }: CodeProps) {
  return (
    <div
      className={clsx(
        "min-h-0 overflow-hidden rounded-md border border-line bg-panel focus-within:border-accent",
        className,
      )}
    >
      <Suspense fallback={<pre tabIndex={0} className="h-full overflow-auto p-2 font-mono text-xs">{props.value}</pre>}>
        <Code {...props} className="h-full" />
      </Suspense>
    </div>
  );
}
