/**
 * Drawing apart: the progress picture is drawn by a thread of its own, because a chart takes tens of milliseconds in which
 * no webhook would be answered, and more seldom as a session grows, so that the hundredth experiment costs no more than
 * the tenth.
 *
 * Always: a picture is never what a session waits for or ends by. Where the thread dies, what it was asked for comes to
 * null (the last picture stays), and the next request starts another one. The thread keeps no process alive.
 */
import { Worker } from "node:worker_threads";
import type { PlotRow } from "./domain/plot.ts";
import type { Outcome } from "./domain/verdict.ts";
import type { Drawn, Order } from "./drawing-thread.ts";

/** Up to so many rows every one is drawn at once; beyond, the picture is behind by one part in so many. */
const drawnAtOnce = 50;

/** Whether the picture is to be drawn anew with the last of `rows`: always for what was kept, else now and then. */
export function isDrawn(rows: readonly PlotRow[], outcome: Outcome): boolean {
  return outcome === "keep" || rows.length % Math.ceil(rows.length / drawnAtOnce) === 0;
}

let thread: Worker | null = null;
let asked = 0;
const waiting = new Map<number, (svg: string | null) => void>();

/** The SVG of the rows; null where it could not be drawn. */
export async function draw(rows: readonly PlotRow[], options: Order["options"]): Promise<string | null> {
  const worker = (thread ??= startThread());
  const id = (asked += 1);
  const order: Order = { id, rows, options };
  // While something is being drawn the process stays: what is half done would be done again.
  worker.ref();
  return new Promise((resolve) => {
    waiting.set(id, resolve);
    worker.postMessage(order);
  });
}

function startThread(): Worker {
  const worker = new Worker(new URL("./drawing-thread.ts", import.meta.url));
  worker.on("message", ({ id, svg }: Drawn) => {
    waiting.get(id)?.(svg);
    waiting.delete(id);
    if (waiting.size === 0) worker.unref();
  });
  const giveUp = () => {
    if (thread !== worker) return;
    thread = null;
    for (const resolve of waiting.values()) resolve(null);
    waiting.clear();
  };
  worker.once("error", giveUp);
  worker.once("exit", giveUp);
  worker.unref();
  return worker;
}
