/** Numbers as people read them, the same in a check, on a pull request and on the dashboard. */

/** An amount of the metric: four decimals, two significant digits where those say next to nothing. */
export function formatAmount(amount: number): string {
  if (amount !== 0 && Math.abs(amount) < 0.001) return Number(amount.toPrecision(2)).toString();
  return Math.abs(amount) >= 1000 ? amount.toPrecision(6) : amount.toFixed(4);
}

/** `−0.0012` or `+0.0008`, with a true minus sign. */
export function formatDelta(delta: number): string {
  return `${delta > 0 ? "+" : delta < 0 ? "−" : "±"}${formatAmount(Math.abs(delta))}`;
}

/** `−1.86 %`: the change from `from` to `to`. */
export function formatPercent(from: number, to: number): string {
  if (from === 0) return formatDelta(to);
  const percent = ((to - from) / Math.abs(from)) * 100;
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent).toFixed(2)} %`;
}

/** How long something took: `3.2 s` below a minute, then `5:26`, `1:00:05`. */
export function formatClock(seconds: number): string {
  const tenths = Math.round(seconds * 10) / 10;
  if (tenths < 60) return `${tenths} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
