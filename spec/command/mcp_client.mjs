// Speaks to the server with the client of the official SDK, in the way that an agent does.
//   node mcp_client.mjs SDK COMMAND...     SDK: the folder that npm installed it into
// Prints a line of JSON: what came back.
import { pathToFileURL } from "node:url";

const [sdk, command, ...args] = process.argv.slice(2);
const load = name => import(pathToFileURL(`${sdk}/node_modules/@modelcontextprotocol/sdk/dist/esm/client/${name}.js`));
const { Client } = await load("index");
const { StdioClientTransport } = await load("stdio");

const client = new Client({ name: "sdk", version: "1" });
const said = [];
const transport = new StdioClientTransport({ command, args, stderr: "pipe" });
transport.stderr.on("data", data => said.push(String(data)));
await client.connect(transport);

const failure = promise => promise.then(() => null, error => ({ code: error.code, message: error.message }));
const call = (name, values) => client.callTool({ name, arguments: values });

const result = { server: client.getServerVersion(), capabilities: client.getServerCapabilities() };
result.tools = (await client.listTools()).tools.map(tool => tool.name);
result.ping = await client.ping();
result.remembered = await call("remember", { kind: "fact", content: "The NAS is called Bertha", tags: ["nas"] });
result.again = await call("remember", { kind: "fact", content: "The NAS is called Bertha" });
[result.recalled, result.together] = await Promise.all([
  call("recall", { text: "what is my NAS called?" }), call("recall", { text: "disk", limit: 1, budget: 100 })]);
result.forgotten = await call("forget", { id: result.remembered.structuredContent.id });
result.gone = await call("forget", { id: result.remembered.structuredContent.id });
result.invalid = await failure(call("remember", { kind: "poem", content: "x" }));

let cursor;
result.resources = [];
result.pages = 0;
do {
  const page = await client.listResources({ cursor });
  result.resources.push(...page.resources.map(resource => resource.uri));
  result.pages += 1;
  cursor = page.nextCursor;
} while (cursor);
result.read = await client.readResource({ uri: result.resources[0] });
result.missing = await failure(client.readResource({ uri: "aish-history://sessions/none.jsonl" }));
result.templates = await client.listResourceTemplates();
await client.close();
result.stderr = said.join("");
console.log(JSON.stringify(result));
