// Sends what standard input asks for, with Inngest's own SDK, and prints what became of it.
// {"options": of the client, "sends": [an event or an array of events, ...]} -> [{"ids": [...]} or {"error": "..."}]
import { Inngest } from "inngest";

let text = "";
for await (const part of process.stdin) text += part;
const { options, sends } = JSON.parse(text);
const quiet = { info() {}, warn() {}, error() {}, debug() {} };
const client = new Inngest({ id: "ayida-portal", logger: quiet, ...options });
const told = [];
for (const events of sends) {
  told.push(await client.send(events).catch((error) => ({ error: String(error.message ?? error) })));
}
process.stdout.write(JSON.stringify(told));
