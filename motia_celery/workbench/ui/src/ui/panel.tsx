import { X } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { IconButton } from "./button";

interface PanelProps {
  title: ReactNode;
  label: string;
  actions?: ReactNode;
  onClose: () => void;
  children: ReactNode;
}

/** Details beside a list or a diagram; over them where the screen is narrow. Escape closes it. */
export function Panel({ title, label, actions, onClose, children }: PanelProps) {
  useEffect(() => {
    function onKey(event: KeyboardEvent) {
      if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) onClose();
    }
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [onClose]);
  return (
    <aside
      aria-label={label}
      className="absolute inset-0 z-20 flex min-h-0 flex-col border-line bg-panel lg:static lg:w-[30rem] lg:shrink-0 lg:border-l"
    >
      <header className="flex min-h-11 items-center gap-2 border-b border-line py-1.5 pr-2 pl-4">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{title}</h2>
        {actions}
        <IconButton icon={X} label="Close" onClick={onClose} />
      </header>
      <div className="min-h-0 flex-1 overflow-auto">{children}</div>
    </aside>
  );
}
