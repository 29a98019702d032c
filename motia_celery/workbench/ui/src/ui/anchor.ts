import type { RefObject } from "react";

/**
 * For a list whose newest rows come first: at its top it shows what comes, and further down it stays
 * where it is read, however many rows come above.
 */
export function anchorOf(scroller: RefObject<HTMLElement | null>): "start" | "end" {
  return scroller.current && scroller.current.scrollTop > 0 ? "end" : "start";
}
