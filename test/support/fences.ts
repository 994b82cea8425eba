/** Lines of a text that stand in no fence; a fence that is never closed is one of them. */
export function unfenced(text: string): string[] {
  const outside: string[] = [];
  let fence: string | null = null;
  for (const line of text.split("\n")) {
    const ticks = /^(`{3,})/.exec(line)?.[1];
    if (fence === null && ticks !== undefined) fence = ticks;
    else if (fence === null) outside.push(line);
    else if (line === fence) fence = null;
  }
  return fence === null ? outside : [...outside, fence];
}
