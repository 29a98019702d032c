/** `12`, `0.4`, and `–` where it is not known. */
export function perSecond(rate: number | null | undefined): string {
  if (rate == null) return "–";
  return rate === 0 || rate >= 10 ? Math.round(rate).toLocaleString("en-US") : rate.toFixed(1);
}
