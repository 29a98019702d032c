import type { LucideIcon } from "lucide-react";
import { CircleX, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button";

interface EmptyProps {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  code?: string;
}

/** What a page says while there is nothing on it, with the code that would fill it. */
export function Empty({ icon: Icon, title, children, code }: EmptyProps) {
  return (
    <div className="m-auto flex w-full max-w-3xl flex-col items-center gap-2 p-6 text-center">
      <Icon size={22} aria-hidden className="text-faint" />
      <p className="font-medium">{title}</p>
      {children && <p className="max-w-md text-soft">{children}</p>}
      {code && (
        <pre
          tabIndex={0}
          className="mt-1 max-w-full overflow-x-auto rounded-md border border-line bg-panel p-3 text-left font-mono text-xs"
        >
          {code}
        </pre>
      )}
    </div>
  );
}

/** What a page shows until its data is there. */
export function Loading() {
  return (
    <div role="status" className="m-auto flex items-center gap-2 p-6 text-soft">
      <LoaderCircle size={15} aria-hidden className="animate-spin" /> Loading
    </div>
  );
}

/** Why there is nothing to show, and a way to try again. */
export function Failed({ error, retry }: { error: Error; retry?: () => void }) {
  return (
    <div role="alert" className="m-auto flex max-w-md flex-col items-center gap-2 p-6 text-center">
      <CircleX size={22} aria-hidden className="text-bad" />
      <p className="font-medium">The app did not answer this</p>
      <p className="break-words text-soft">{error.message}</p>
      {retry && <Button onClick={retry}>Try again</Button>}
    </div>
  );
}
