// Receives webhooks and verifies them with the official library: npm install standardwebhooks
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  // The signature is over the body exactly as it came: it must not be parsed and written again.
  const body = Buffer.concat(parts).toString();
  try {
    const event = webhook.verify(body, request.headers);
    console.log("received:", request.headers["webhook-id"], event.type ?? "");
    // A repeated webhook-id is the same event: work on each id once. Answer first, then work.
    response.writeHead(204).end();
  } catch (error) {
    console.log("refused:", error.message);
    response.writeHead(400).end();
  }
});
server.listen(Number(process.env.WEBHOOK_PORT ?? 3000), "127.0.0.1", () => console.log("listening on", server.address().port));
