import { useQuery } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { Menu } from "lucide-react";
import { useState } from "react";
import { appQuery, problemsQuery, queuesQuery } from "@/api/queries";
import { useFeed } from "@/api/use-feed";
import { IconButton } from "@/ui/button";
import { useModal } from "@/ui/dialog";
import { Toasts } from "@/ui/toast";
import { Help } from "./help";
import { Palette } from "./palette";
import { BINDINGS, type PlacePath } from "./places";
import { FeedStatus, Side } from "./side";
import { useCommands } from "./use-commands";
import { useKeys } from "./use-keys";

type Open = "palette" | "help" | "menu" | null;

/** What is around every page: the side, the keys, the palette, and the live feed. */
export function Shell() {
  useFeed();
  const [open, setOpen] = useState<Open>(null);
  const navigate = useNavigate();
  const { data: app } = useQuery(appQuery);
  const { data: problems } = useQuery(problemsQuery);
  const { data: queues } = useQuery(queuesQuery);
  const { commands, made } = useCommands();
  const close = () => setOpen(null);

  useKeys(BINDINGS, (action) => {
    if (action === "palette" || action === "help") setOpen(open === action ? null : action);
    else if (action === "search") document.querySelector<HTMLInputElement>("main input[type=search]")?.focus();
    else if (!open) void navigate({ to: action.slice("go:".length) as PlacePath });
  });

  const side = {
    app,
    badges: { "/problems": problems?.length ?? 0, "/dead-letters": queues?.dead_letters ?? 0 },
    onPalette: () => setOpen("palette"),
    onHelp: () => setOpen("help"),
  };
  return (
    <div className="flex h-full flex-col md:flex-row">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-raised focus:p-2">
        Skip to the page
      </a>
      <aside className="hidden w-52 shrink-0 border-r border-line md:block" aria-label="Workbench">
        <Side {...side} />
      </aside>
      <TopBar name={app?.name} onMenu={() => setOpen("menu")} />
      <main id="main" tabIndex={-1} className="min-h-0 min-w-0 flex-1 bg-panel outline-none">
        <Outlet />
      </main>
      {open === "menu" && <Drawer side={side} onClose={close} />}
      {open === "palette" && <Palette commands={commands} made={made} onClose={close} />}
      {open === "help" && <Help onClose={close} />}
      <Toasts />
    </div>
  );
}

/** On a narrow screen: which app it is, and the way to everything else. */
function TopBar({ name, onMenu }: { name: string | undefined; onMenu: () => void }) {
  return (
    <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line pr-4 pl-2 md:hidden">
      <IconButton icon={Menu} label="Menu" onClick={onMenu} />
      <img src="/__workbench/favicon.svg" alt="" width={16} height={16} />
      <span className="min-w-0 flex-1 truncate font-medium">{name ?? "Workbench"}</span>
      <FeedStatus />
    </header>
  );
}

interface DrawerProps {
  side: Parameters<typeof Side>[0];
  onClose: () => void;
}

function Drawer({ side, onClose }: DrawerProps) {
  const dialog = useModal();
  return (
    <dialog
      ref={dialog}
      aria-label="Menu"
      onClose={onClose}
      onMouseDown={(event) => event.target === event.currentTarget && onClose()}
      className="m-0 h-dvh max-h-none w-64 max-w-[85vw] border-r border-line bg-canvas"
    >
      <Side {...side} onGo={onClose} />
    </dialog>
  );
}
