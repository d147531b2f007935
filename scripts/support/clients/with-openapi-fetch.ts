// Calls the service with openapi-fetch and the types of openapi-typescript.
import createClient from "openapi-fetch";
import type { paths } from "./router.js";
import { register } from "./bot.js";

const headers: Record<string, string> = process.env.ROUTER_KEY ? { Authorization: `Bearer ${process.env.ROUTER_KEY}` } : {};
const router = createClient<paths>({ baseUrl: process.env.ROUTER ?? "http://localhost:8000", headers });

function answered<T>(result: { data?: T; error?: unknown }): T {
  if (result.data === undefined) throw new Error(JSON.stringify(result.error));
  return result.data;
}

const unique = Date.now().toString();
const operator = answered(await router.POST("/api/v1/operators", { body: { name: `Anna ${unique}`, max_load: 10 } }));
const source = answered(await router.POST("/api/v1/sources", { body: { name: `openapi-fetch ${unique}` } }));
answered(
  await router.POST("/api/v1/sources/{source_id}/operators", {
    params: { path: { source_id: source.id } },
    body: { operator_id: operator.id },
  }),
);
const contact = answered(
  await router.POST("/api/v1/contacts", {
    params: { header: { "Idempotency-Key": `message ${unique}` } },
    body: { source_id: source.id, lead_external_id: unique, message: "Hello" },
  }),
);
if (contact.operator_id !== operator.id) throw new Error("The contact is with nobody");
const reason: "no_operators" | "all_full" | string | null = contact.assignment.reason;
const batch = answered(
  await router.POST("/api/v1/contacts/batch", {
    body: { contacts: [{ source_id: source.id, lead_external_id: unique }, { source_id: source.id }] },
  }),
);
if (batch.results[0]?.status !== 201 || batch.results[1]?.error?.code !== "invalid") throw new Error("The batch is wrong");
const query = { source_id: source.id, status: "assigned" as const };
const page = answered(await router.GET("/api/v1/contacts", { params: { query } }));
if (page.results.length !== 2 || page.next !== null) throw new Error("The list is wrong");
const resolved = answered(
  await router.POST("/api/v1/contacts/{id}/resolve", { params: { path: { id: contact.id } } }),
);
if (!resolved.is_resolved) throw new Error("The contact is still open");
const again = await register(source.id, unique, "1", "From the bot of docs/api.md");
console.log("openapi-fetch works:", contact.id, reason, again.id);
