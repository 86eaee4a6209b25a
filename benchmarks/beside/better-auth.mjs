import http from "node:http";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { apiKey } from "@better-auth/api-key";

const db = { user: [], session: [], account: [], verification: [], apikey: [] };
const auth = betterAuth({
  database: memoryAdapter(db),
  secret: "a secret of this measurement alone",
  baseURL: "http://127.0.0.1",
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: false } })],
});
const signedUp = await auth.api.signUpEmail({
  body: { email: "bench@example.com", password: "correct horse battery", name: "bench" },
});
const made = await auth.api.createApiKey({ body: { userId: signedUp.user.id, name: "bench" } });
const server = http.createServer(async (request, response) => {
  const verdict = await auth.api.verifyApiKey({ body: { key: request.headers["x-api-key"] ?? "" } });
  response.writeHead(verdict.valid ? 204 : 401);
  response.end();
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(made.key));
