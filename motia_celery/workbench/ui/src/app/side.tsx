import { Link } from "@tanstack/react-router";
import { clsx } from "clsx";
import { CircleHelp, Monitor, Moon, Search, Sun, Unplug, Wifi } from "lucide-react";
import { useFeedStatus } from "@/api/feed-status";
import { IconButton } from "@/ui/button";
import { Keys } from "./help";
import { PLACES, type PlacePath } from "./places";
import { setTheme, type Theme, useTheme } from "./theme";

interface SideProps {
  app: { name: string; environment: string; version: string } | undefined;
  badges: Partial<Record<PlacePath, number>>;
  onPalette: () => void;
  onHelp: () => void;
  onGo?: () => void;
}

/** The app's name, the pages, and how the page is doing. */
export function Side({ app, badges, onPalette, onHelp, onGo }: SideProps) {
  return (
    <div className="flex h-full flex-col gap-3 p-2.5">
      <div className="flex items-center gap-2 px-1.5 pt-1">
        <img src="/__workbench/favicon.svg" alt="" width={18} height={18} />
        <span className="min-w-0 flex-1 truncate font-semibold" title={app?.name}>
          {app?.name ?? "Workbench"}
        </span>
      </div>
      <button
        type="button"
        onClick={onPalette}
        className="flex h-7 items-center gap-2 rounded-md border border-line bg-panel px-2 text-soft hover:border-line-strong"
      >
        <Search size={13} aria-hidden /> Search
        <span className="ml-auto">
          <Keys keys="mod+k" />
        </span>
      </button>
      <nav aria-label="Pages" className="flex-1 overflow-y-auto">
        <ul className="flex flex-col gap-px">
          {PLACES.map(({ path, name, icon: Icon }) => (
            <li key={path}>
              <Link
                to={path}
                onClick={onGo}
                className="flex h-7 items-center gap-2 rounded-md px-2 text-soft hover:bg-hover hover:text-ink"
                activeProps={{ className: "!text-ink bg-hover font-medium" }}
              >
                <Icon size={15} aria-hidden />
                {name}
                <Badge place={path} count={badges[path] ?? 0} />
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="flex flex-col gap-2 border-t border-line pt-2">
        <div className="flex items-center justify-between gap-1 pl-1.5">
          <FeedStatus />
          <span className="flex">
            <ThemeButton />
            <IconButton icon={CircleHelp} label="Keys" onClick={onHelp} />
          </span>
        </div>
        {app && (
          <p className="truncate px-1.5 text-xs text-faint">
            {app.environment} · {app.version}
          </p>
        )}
      </div>
    </div>
  );
}

function Badge({ place, count }: { place: PlacePath; count: number }) {
  if (!count) return null;
  return (
    <span
      className={clsx(
        "ml-auto min-w-5 rounded px-1 text-center text-xs font-medium tabular-nums",
        place === "/problems" ? "bg-warn-wash text-warn" : "bg-bad-wash text-bad",
      )}
    >
      {count}
    </span>
  );
}

const THEMES: Record<Theme, { next: Theme; icon: typeof Sun; label: string }> = {
  system: { next: "light", icon: Monitor, label: "Theme of the system; change to light" },
  light: { next: "dark", icon: Sun, label: "Light theme; change to dark" },
  dark: { next: "system", icon: Moon, label: "Dark theme; change to the system's" },
};

function ThemeButton() {
  const { next, icon, label } = THEMES[useTheme()];
  return <IconButton icon={icon} label={label} onClick={() => setTheme(next)} />;
}

/** Whether changes arrive now. */
export function FeedStatus() {
  const live = useFeedStatus() === "live";
  const Icon = live ? Wifi : Unplug;
  return (
    <span role="status" className={clsx("flex items-center gap-1.5 text-xs", live ? "text-good" : "text-warn")}>
      <Icon size={13} aria-hidden /> {live ? "Live" : "Connecting"}
    </span>
  );
}
