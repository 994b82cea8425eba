/** The app's log of webhook deliveries, and sending one again. */
import { ApiError, notFound, ok, validationFailed } from "../answer.ts";
import type { Delivery } from "../entities.ts";
import { accountRoute, type Call, choiceOf, numberOf } from "../route.ts";
import { headersOf } from "../webhook-rules.ts";
import { appOf } from "./apps.ts";

/** GitHub keeps three days of them. */
const keptMs = 3 * 24 * 3_600_000;

export const hookRoutes = [
  accountRoute("GET /app/hook/deliveries", (call) => {
    const app = appOf(call);
    const perPage = Math.min(Math.max(Number(call.query.get("per_page") ?? 30) || 30, 1), 100);
    const status = choiceOf(call, "status", ["success", "failure", "any"], "any");
    const cursor = call.query.get("cursor");
    if (cursor !== null && !/^v1_\d+$/.test(cursor)) {
      throw validationFailed({ resource: "Delivery", field: "cursor", code: "invalid" });
    }
    const before = cursor === null ? Number.POSITIVE_INFINITY : Number(cursor.slice(3));
    const all = kept(call, app.id).filter(
      (one) => one.id < before && (status === "any" || (status === "success") === succeeded(one)),
    );
    const items = all.slice(0, perPage);
    const last = items.at(-1);
    const url = new URL(call.url);
    if (last !== undefined) url.searchParams.set("cursor", `v1_${last.id}`);
    const more = all.length > items.length;
    return ok(items.map(shapeItem), more ? { link: `<${url.href}>; rel="next"` } : {});
  }),

  accountRoute("GET /app/hook/deliveries/{delivery_id}", (call) => {
    const app = appOf(call);
    const delivery = deliveryOf(call, app.id);
    const body = call.core.store.get("payload", delivery.guid)?.body ?? "{}";
    const responded = delivery.statusCode > 0 && delivery.status !== "failed to connect to host";
    return ok({
      ...shapeItem(delivery),
      url: delivery.url,
      request: { headers: headersOf(app, delivery, body), payload: JSON.parse(body) as unknown },
      response: { headers: responded ? {} : null, payload: responded ? "" : null },
    });
  }),

  accountRoute("POST /app/hook/deliveries/{delivery_id}/attempts", (call) => {
    const app = appOf(call);
    call.core.webhooks.redeliver(deliveryOf(call, app.id));
    return { status: 202, body: {} };
  }),
];

function kept(call: Call, appId: number): Delivery[] {
  const oldestMs = call.core.now().getTime() - keptMs;
  return call.core.webhooks
    .deliveries(appId)
    .filter((one) => one.status !== "pending" && Date.parse(one.deliveredAt) >= oldestMs);
}

function succeeded(delivery: Delivery): boolean {
  return delivery.statusCode >= 200 && delivery.statusCode < 400;
}

function deliveryOf(call: Call, appId: number): Delivery {
  const delivery = call.core.store.get("delivery", numberOf(call, "delivery_id"));
  if (delivery === undefined || delivery.appId !== appId) throw notFound();
  if (delivery.status === "pending") throw new ApiError(400, "The delivery is under way");
  return delivery;
}

function shapeItem(delivery: Delivery): Record<string, unknown> {
  return {
    id: delivery.id,
    guid: delivery.guid,
    delivered_at: delivery.deliveredAt,
    redelivery: delivery.redelivery,
    duration: delivery.durationSeconds,
    status: delivery.status,
    status_code: delivery.statusCode,
    event: delivery.event,
    action: delivery.action,
    installation_id: delivery.installationId,
    repository_id: delivery.repoId,
    throttled_at: null,
  };
}
