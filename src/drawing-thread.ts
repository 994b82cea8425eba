/** The thread that draws: one order after the other; an order that fails is answered with null. */
import { parentPort } from "node:worker_threads";
import type { PlotRow } from "./domain/plot.ts";
import { drawProgress } from "./picture.ts";

export type Order = {
  readonly id: number;
  readonly rows: readonly PlotRow[];
  readonly options: Parameters<typeof drawProgress>[1];
};
export type Drawn = { readonly id: number; readonly svg: string | null };

parentPort?.on("message", ({ id, rows, options }: Order) => {
  const drawn: Drawn = { id, svg: pictureOf(rows, options) };
  parentPort!.postMessage(drawn);
});

function pictureOf(rows: readonly PlotRow[], options: Order["options"]): string | null {
  try {
    return drawProgress(rows, options);
  } catch {
    return null;
  }
}
