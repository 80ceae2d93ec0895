import { createHmac } from "node:crypto";
import { createServer } from "node:http";

const key = process.env.LEAF7_API_KEY; // what the calls to the vendor use: read once, at the start

createServer((request, response) => {
  const [consumer, challenge] = ["consumer", "challenge"].map((name) => request.headers[`keyrelay-${name}`]);
  const text = `keyrelay-proof-v1\n${consumer}\n${challenge}`;
  const proof = createHmac("sha256", key).update(text).digest("hex");
  response.end(JSON.stringify({ proof }));
}).listen(Number(process.env.PORT), "127.0.0.1");
