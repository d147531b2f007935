// Reads {"secret", "body", "headers"} from stdin; prints the event, or "refused".
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { readFileSync } from "node:fs";

const { secret, body, headers } = JSON.parse(readFileSync(0, "utf8"));
try {
  console.log(JSON.stringify(new Webhook(secret).verify(body, headers)));
} catch (error) {
  if (!(error instanceof WebhookVerificationError)) throw error;
  console.log("refused");
}
