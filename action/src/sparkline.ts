/** A curve as one line of text: the one picture that a check can carry for a private repository. */

const bars = "▁▂▃▄▅▆▇█";

/** At most `width` bars, each the mean of its part of the values, scaled between the least and the greatest mean. */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length);
  const means = Array.from({ length: count }, (_, index) => {
    const part = values.slice(
      Math.floor((index * values.length) / count),
      Math.floor(((index + 1) * values.length) / count),
    );
    return part.reduce((sum, value) => sum + value / part.length, 0);
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const level = (mean: number) => (high > low ? Math.round(((mean - low) / (high - low)) * (bars.length - 1)) : 0);
  return means.map((mean) => bars[Number.isFinite(level(mean)) ? level(mean) : 0]).join("");
}
