// Calls the service with the client of openapi-generator, typescript-fetch.
import { Configuration, ContactsApi, ContactsListStatusEnum, OperatorsApi, SourcesApi } from "./typescript-fetch/index.js";

const key = process.env.ROUTER_KEY;
const basePath = process.env.ROUTER ?? "http://localhost:8000";
const router = new Configuration(key ? { basePath, accessToken: key } : { basePath });
const contacts = new ContactsApi(router);
const sources = new SourcesApi(router);

const unique = Date.now().toString();
const operatorRequest = { name: `Anna ${unique}`, maxLoad: 10 };
const operator = await new OperatorsApi(router).operatorsCreate({ operatorRequest });
const source = await sources.sourcesCreate({ sourceRequest: { name: `typescript-fetch ${unique}` } });
await sources.rosterSet({ sourceId: source.id, weightRequest: { operatorId: operator.id } });
const message = { sourceId: source.id, leadExternalId: unique, message: "Hello" };
const contact = await contacts.contactsCreate({ newContactRequest: message, idempotencyKey: `message ${unique}` });
if (contact.operatorId !== operator.id || !(contact.createdAt instanceof Date)) throw new Error("The contact is with nobody");
const items = [{ sourceId: source.id, leadExternalId: unique }, { sourceId: source.id }];
const batch = await contacts.contactsBatch({ batchShapeRequest: { contacts: items } });
if (batch.results[0]?.status !== 201 || batch.results[1]?.error?.code !== "invalid") throw new Error("The batch is wrong");
const page = await contacts.contactsList({ sourceId: source.id, status: ContactsListStatusEnum.Assigned });
if (page.results.length !== 2 || page.next !== null) throw new Error("The list is wrong");
const resolved = await contacts.contactsResolveCreate({ id: contact.id });
if (!resolved.isResolved) throw new Error("The contact is still open");
console.log("typescript-fetch works:", contact.id);
