// Opens pages in a headless Chromium through the DevTools protocol, and runs code in each.
//   node browser.mjs CHROMIUM < tasks     tasks: [{"url": ..., "code": an expression}, ...]
// Prints a line of JSON: for each, the value of the code, what the page asked for, and what the browser
// logged about it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const profile = mkdtempSync(join(tmpdir(), "aish_history_browser."));
const browser = spawn(process.argv[2], ["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
  "--disable-background-networking", "--user-data-dir=" + profile, "--remote-debugging-pipe", "about:blank"],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const clear = () => rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
const fail = message => {
  browser.kill("SIGKILL");
  clear();
  console.error(message);
  process.exit(1);
};
setTimeout(fail, 60000, "the browser does not answer").unref();
browser.on("error", fail);

const waiting = new Map();
const events = [];
const listeners = new Map();
let last = 0;
let text = "";
browser.stdio[4].setEncoding("utf8").on("data", data => {
  const messages = (text + data).split("\0");
  text = messages.pop();
  for (const message of messages.map(JSON.parse)) {
    if (message.id) waiting.get(message.id)(message);
    else events.push(message);
    if (message.method === "Page.loadEventFired") listeners.get(message.sessionId)?.();
  }
});

const send = (method, params = {}, sessionId = undefined) => new Promise(resolve => {
  waiting.set(++last, resolve);
  browser.stdio[3].write(JSON.stringify({ id: last, method, params, sessionId }) + "\0");
}).then(answer => answer.error ? fail(method + ": " + answer.error.message) : answer.result);

const run = async ({ url, code }) => {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => send(method, params, sessionId);
  for (const domain of ["Page", "Network", "Runtime", "Log"]) await call(domain + ".enable");
  const loaded = new Promise(resolve => listeners.set(sessionId, resolve));
  await call("Page.navigate", { url });
  await loaded;
  const answer = await call("Runtime.evaluate", { returnByValue: true, expression: code });
  const seen = name => events.filter(event => event.sessionId === sessionId && event.method === name)
    .map(event => event.params);
  return {
    value: answer.result.value,
    error: answer.exceptionDetails && JSON.stringify(answer.exceptionDetails),
    requests: seen("Network.requestWillBeSent").map(event => event.request.url),
    log: [...seen("Log.entryAdded").map(event => event.entry.text),
      ...seen("Runtime.exceptionThrown").map(event => event.exceptionDetails.text)],
  };
};

const results = [];
for (const task of JSON.parse(readFileSync(0, "utf8"))) results.push(await run(task));
console.log(JSON.stringify(results));
browser.on("exit", () => {
  clear();
  process.exit(0);
});
await send("Browser.close");
