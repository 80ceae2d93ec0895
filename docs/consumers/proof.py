import hashlib, hmac, json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = os.environ["LEAF7_API_KEY"]  # what the calls to the vendor use: read once, at the start

class Proof(BaseHTTPRequestHandler):
    def do_GET(self):
        consumer, challenge = (self.headers.get(f"Keyrelay-{name}", "") for name in ("Consumer", "Challenge"))
        text = f"keyrelay-proof-v1\n{consumer}\n{challenge}"
        proof = hmac.new(KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"proof": proof}).encode())

ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Proof).serve_forever()
