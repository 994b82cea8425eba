/**
 * Webhooks: signed, sent to every app that is installed on the repository, subscribed to the event and permitted to see
 * it. Each attempt is in the log; nothing is sent again by itself (GitHub doesn't either), only when the app asks.
 *
 * Always: `emit` returns at once, so no answer of the API waits for a receiver. An app gets its deliveries one after the
 * other, in the order of the events, unless the mode says otherwise. What was waiting when the process died is in the log
 * as failed.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { App, Delivery, Installation, Repository } from "./entities.ts";
import type { Signals } from "./signals.ts";
import { nodeId } from "./shapes/links.ts";
import type { Store } from "./store.ts";
import { headersOf, hears } from "./webhook-rules.ts";

/** How deliveries go; `shuffle` holds them back for `windowMs` and sends what has come in a random order. */
export type DeliveryMode =
  | { readonly kind: "deliver" }
  /** Each at once, whatever becomes of the others: as GitHub does when there is much. */
  | { readonly kind: "parallel" }
  | { readonly kind: "drop" }
  | { readonly kind: "double" }
  | { readonly kind: "shuffle"; readonly windowMs: number; readonly random?: () => number }
  | { readonly kind: "delay"; readonly ms: number };

export type WebhookEvent = {
  readonly event: string;
  readonly action: string | null;
  /** null: an event of the installation itself. */
  readonly repo: Repository | null;
  /** Built once, and only when somebody is subscribed; `installation` is added. */
  readonly payload: () => Record<string, unknown> | Promise<Record<string, unknown>>;
  /** Only this app hears of it. */
  readonly onlyApp?: number;
};

type Hearer = { readonly app: App; readonly installation: Installation };

const limitMs = 10_000;
/** How many payloads the log keeps. */
const keptDeliveries = 1_000;

export class Webhooks {
  mode: DeliveryMode = { kind: "deliver" };
  readonly #store: Store;
  readonly #signals: Signals;
  readonly #now: () => Date;
  readonly #queues = new Map<number, { waiting: number[]; running: Promise<void> | null }>();
  /** Payloads are built one after the other, so that deliveries leave in the order of the events. */
  #building: Promise<void> = Promise.resolve();
  #underWay = 0;
  #whenSettled: (() => void)[] = [];
  #stopped = false;

  constructor(store: Store, signals: Signals, now: () => Date) {
    this.#store = store;
    this.#signals = signals;
    this.#now = now;
    for (const delivery of store.all("delivery")) {
      if (delivery.status === "pending") store.put("delivery", { ...delivery, status: "process ended", statusCode: 0 });
    }
  }

  /** Tells the apps. */
  emit(event: WebhookEvent): void {
    const hearers = [...this.#hearersOf(event)];
    if (hearers.length === 0) return;
    const payload = Promise.resolve(event.payload());
    this.#underWay += 1;
    this.#building = this.#tellAll(event, hearers, payload, this.#building);
  }

  async #tellAll(
    event: WebhookEvent,
    hearers: readonly Hearer[],
    payload: Promise<Record<string, unknown>>,
    earlier: Promise<void>,
  ): Promise<void> {
    await earlier;
    try {
      const built = await payload;
      if (!this.#stopped) for (const hearer of hearers) this.#tell(event, built, hearer);
    } catch (error) {
      process.stderr.write(`local GitHub: webhook ${event.event}: ${String(error)}\n`);
    } finally {
      this.#done();
    }
  }

  #tell(event: WebhookEvent, payload: Record<string, unknown>, { app, installation }: Hearer): void {
    const guid = randomUUID();
    const whole = {
      installation: { id: installation.id, node_id: nodeId("IntegrationInstallation", installation.id) },
      ...payload,
    };
    this.#store.put("payload", { id: guid, body: JSON.stringify(whole) });
    this.#schedule(this.#log(app, guid, event, installation.id, false));
  }

  /** The log, newest first. */
  deliveries(appId?: number): Delivery[] {
    const all = this.#store.all("delivery").reverse();
    return appId === undefined ? all : all.filter((delivery) => delivery.appId === appId);
  }

  /** What a delivery is sent with; null where its payload is not kept any more. */
  requestOf(delivery: Delivery): { headers: Record<string, string>; body: string } | null {
    const app = this.#store.get("app", delivery.appId);
    const payload = this.#store.get("payload", delivery.guid);
    if (app === undefined || payload === undefined) return null;
    return { headers: headersOf(app, delivery, payload.body), body: payload.body };
  }

  /** Sends a delivery once more, with the guid it had. */
  redeliver(delivery: Delivery): Delivery {
    const app = this.#store.get("app", delivery.appId)!;
    const again = this.#log(app, delivery.guid, delivery, delivery.installationId, true, delivery.repoId);
    this.#enqueue(again.id, again.appId);
    return again;
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async settled(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenSettled.push(resolve));
  }

  stop(): void {
    this.#stopped = true;
  }

  *#hearersOf(event: WebhookEvent): Generator<Hearer> {
    for (const installation of this.#store.all("installation")) {
      // Who sleeps hears nothing but of being put to sleep and woken.
      if (installation.suspendedAt != null && event.event !== "installation") continue;
      if (event.onlyApp !== undefined && installation.appId !== event.onlyApp) continue;
      if (event.repo !== null && !installation.repositoryIds.includes(event.repo.id)) continue;
      const app = this.#store.get("app", installation.appId);
      if (app === undefined || app.webhookUrl === null || !hears(app, event.event)) continue;
      yield { app, installation };
    }
  }

  #log(
    app: App,
    guid: string,
    event: { readonly event: string; readonly action: string | null; readonly repo?: Repository | null },
    installationId: number | null,
    redelivery: boolean,
    repoId: number | null = event.repo?.id ?? null,
  ): Delivery {
    this.#forgetOldest();
    return this.#store.put("delivery", {
      id: this.#store.nextId(),
      guid,
      appId: app.id,
      installationId,
      repoId,
      event: event.event,
      action: event.action,
      deliveredAt: this.#now().toISOString(),
      redelivery,
      durationSeconds: 0,
      status: "pending",
      statusCode: 0,
      url: app.webhookUrl ?? "",
    });
  }

  #forgetOldest(): void {
    const deliveries = this.#store.all("delivery");
    if (deliveries.length < keptDeliveries) return;
    // What was not sent yet is nobody's past.
    const oldest = deliveries.find((one) => one.status !== "pending");
    if (oldest === undefined) return;
    this.#store.remove("delivery", oldest.id);
    // A redelivery has the guid of the first attempt, and shares its payload.
    if (!deliveries.some((one) => one.guid === oldest.guid && one.id !== oldest.id)) {
      this.#store.remove("payload", oldest.guid);
    }
  }

  #schedule(delivery: Delivery): void {
    const { mode } = this;
    switch (mode.kind) {
      case "deliver":
        return this.#enqueue(delivery.id, delivery.appId);
      case "parallel":
        this.#underWay += 1;
        return void this.#send(delivery.id).finally(() => this.#done());
      case "drop":
        return this.#end(delivery.id, "dropped", 0, 0);
      case "double":
        this.#enqueue(delivery.id, delivery.appId);
        return this.#enqueue(delivery.id, delivery.appId);
      case "shuffle": {
        const waitMs = (mode.random ?? Math.random)() * mode.windowMs;
        return void this.#later(waitMs, delivery);
      }
      case "delay":
        return void this.#later(mode.ms, delivery);
    }
  }

  async #later(waitMs: number, delivery: Delivery): Promise<void> {
    this.#underWay += 1;
    await sleep(waitMs, undefined, { ref: false });
    this.#enqueue(delivery.id, delivery.appId);
    this.#done();
  }

  #enqueue(deliveryId: number, appId: number): void {
    const queue = this.#queues.get(appId) ?? { waiting: [], running: null };
    this.#queues.set(appId, queue);
    queue.waiting.push(deliveryId);
    this.#underWay += 1;
    queue.running ??= (async () => {
      for (let id = queue.waiting.shift(); id !== undefined; id = queue.waiting.shift()) {
        if (!this.#stopped) await this.#send(id);
        this.#done();
      }
      queue.running = null;
    })();
  }

  #done(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) for (const resolve of this.#whenSettled.splice(0)) resolve();
  }

  async #send(deliveryId: number): Promise<void> {
    const delivery = this.#store.get("delivery", deliveryId);
    const url = delivery === undefined ? null : (this.#store.get("app", delivery.appId)?.webhookUrl ?? null);
    const request = delivery === undefined ? null : this.requestOf(delivery);
    if (delivery === undefined || url === null || request === null) return;
    const startedMs = performance.now();
    const seconds = (): number => Math.round(performance.now() - startedMs) / 1000;
    try {
      const response = await fetch(url, {
        method: "POST",
        ...request,
        signal: AbortSignal.timeout(limitMs),
      });
      await response.arrayBuffer();
      this.#end(
        delivery.id,
        response.ok ? "OK" : `Invalid HTTP Response: ${response.status}`,
        response.status,
        seconds(),
      );
    } catch (error) {
      const timedOut = error instanceof Error && error.name === "TimeoutError";
      this.#end(delivery.id, timedOut ? "timed out" : "failed to connect to host", timedOut ? 504 : 502, seconds());
    }
  }

  #end(deliveryId: number, status: string, statusCode: number, durationSeconds: number): void {
    const delivery = this.#store.get("delivery", deliveryId);
    if (delivery === undefined || this.#stopped) return;
    this.#signals.emit("webhook", this.#store.put("delivery", { ...delivery, status, statusCode, durationSeconds }));
  }
}
