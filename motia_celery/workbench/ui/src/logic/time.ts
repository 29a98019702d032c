/** Times and sizes in the fewest characters that still say what matters. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `0.4 ms`, `12 ms`, `1.24 s`, `2 m 5 s`, `3 h 20 m`, `2 d 4 h`. */
export function duration(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return "–";
  if (milliseconds < 0) return `−${duration(-milliseconds)}`;
  if (milliseconds < 1) return milliseconds === 0 ? "0 ms" : `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < SECOND) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 10 * SECOND) return `${(milliseconds / SECOND).toFixed(2)} s`;
  if (milliseconds < MINUTE) return `${(milliseconds / SECOND).toFixed(1)} s`;
  if (milliseconds < HOUR) return pair(milliseconds, MINUTE, "m", SECOND, "s");
  if (milliseconds < DAY) return pair(milliseconds, HOUR, "h", MINUTE, "m");
  return pair(milliseconds, DAY, "d", HOUR, "h");
}

function pair(milliseconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const first = Math.floor(milliseconds / large);
  const second = Math.floor((milliseconds - first * large) / small);
  return second ? `${first} ${largeName} ${second} ${smallName}` : `${first} ${largeName}`;
}

/** `now`, `12 s ago`, `in 3 m`; one unit is enough for a glance. */
export function distance(moment: number, now: number): string {
  const away = Math.abs(now - moment);
  if (away < SECOND) return "now";
  const [size, name] =
    away < MINUTE ? [SECOND, "s"] as const : away < HOUR ? [MINUTE, "m"] as const : away < DAY ? [HOUR, "h"] as const : [DAY, "d"] as const;
  const count = `${Math.floor(away / size)} ${name}`;
  return moment > now ? `in ${count}` : `${count} ago`;
}

/** `14:03:27.042` of today, `Nov 23 14:03:27` of another day. */
export function clock(moment: number, now: number): string {
  const date = new Date(moment);
  const time = date.toLocaleTimeString("en-GB", { hour12: false });
  if (date.toDateString() === new Date(now).toDateString()) {
    return `${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
  }
  return `${date.toLocaleDateString("en-US", { month: "short", day: "numeric" })} ${time}`;
}

/** `512 B`, `4.1 kB`, `2.0 MB`. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1000).toFixed(1)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

/** `1,204`, and past a hundred thousand `120k`, `3.4M`. */
export function count(value: number): string {
  if (value < 100_000) return value.toLocaleString("en-US");
  if (value < 1_000_000) return `${Math.round(value / 1000)}k`;
  return `${(value / 1_000_000).toFixed(1)}M`;
}

/** `Mon, Nov 23, 06:00:00` as clocks of the zone show it. */
export function zoned(moment: number, timezone: string): string {
  const form: Intl.DateTimeFormatOptions = {
    weekday: "short",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  };
  try {
    return new Date(moment).toLocaleString("en-US", { ...form, timeZone: timezone });
  } catch {
    return new Date(moment).toLocaleString("en-US", { ...form, timeZone: "UTC" });
  }
}
