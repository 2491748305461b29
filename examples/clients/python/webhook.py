"""Receives webhooks and verifies them with the official library: pip install standardwebhooks"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook(os.environ["WEBHOOK_SECRET"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        # The signature is over the body exactly as it came: it must not be parsed and written again.
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = webhook.verify(body, headers)
            print("received:", headers["webhook-id"], event.get("type", ""), flush=True)
            # A repeated webhook-id is the same event: work on each id once. Answer first, then work.
            self.send_response(204)
        except WebhookVerificationError as error:
            print("refused:", error, flush=True)
            self.send_response(400)
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("WEBHOOK_PORT", 3000))), Handler)
print("listening on", server.server_port, flush=True)
server.serve_forever()
