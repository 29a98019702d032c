import { clsx } from "clsx";
import type { ReactNode } from "react";

interface PageProps {
  title: string;
  count?: ReactNode;
  actions?: ReactNode;
  toolbar?: ReactNode;
  children: ReactNode;
}

/** A page of the Workbench: its name, what can be done, what is chosen, and the rest. */
export function Page({ title, count, actions, toolbar, children }: PageProps) {
  return (
    <div className="flex h-full min-h-0 min-w-0 flex-col">
      <header className="flex min-h-12 flex-wrap items-center gap-x-3 gap-y-1.5 border-b border-line px-4 py-2">
        <h1 className="text-base font-semibold">{title}</h1>
        {count !== undefined && <span className="text-soft tabular-nums">{count}</span>}
        <div className="ml-auto flex flex-wrap items-center gap-2">{actions}</div>
      </header>
      {toolbar && (
        <div className="flex items-center gap-2 overflow-x-auto border-b border-line px-4 py-2 sm:flex-wrap">{toolbar}</div>
      )}
      <div className="relative flex min-h-0 min-w-0 flex-1 flex-col">{children}</div>
    </div>
  );
}

/** A part of a page with a small heading. */
export function Section({ title, aside, children, className }: SectionProps) {
  return (
    <section className={clsx("min-w-0", className)}>
      <div className="mb-1.5 flex min-h-6 items-center justify-between gap-2">
        <h2 className="text-xs font-semibold text-soft">{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface SectionProps {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
}

/** Names and values, one pair a line. */
export function Facts({ facts }: { facts: readonly (readonly [string, ReactNode])[] }) {
  return (
    <dl className="grid grid-cols-[minmax(6rem,max-content)_minmax(0,1fr)] gap-x-4 gap-y-1">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-soft">{name}</dt>
          <dd className="min-w-0 break-words">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
