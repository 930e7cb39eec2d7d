// Talks to a Graph API with a client library that other people wrote: @kapso/whatsapp-cloud-api for JavaScript.
//
// Reads GRAPH_BASE_URL, GRAPH_TOKEN, GRAPH_PHONE_NUMBER_ID, GRAPH_RECIPIENT, and if set GRAPH_VERSION (v23.0),
// GRAPH_TEMPLATE (order_ready) and GRAPH_TEMPLATE_LANGUAGE (en_US); the template takes two body parameters.
// NODE_PATH says where the library is installed.
//
// Prints one JSON line for each case with what the library parsed. Exits 1 unless both messages were given an id and
// both wrong requests were refused with an error code that the library could read.
"use strict";

const { WhatsAppClient, GraphApiError } = require("@kapso/whatsapp-cloud-api");

// The library does not export its package.json, so its version comes from the place where it was found.
const { version } = JSON.parse(
  require("node:fs").readFileSync(
    require("node:path").join(require.resolve("@kapso/whatsapp-cloud-api"), "..", "..", "package.json"),
  ),
);

const graph = new WhatsAppClient({
  accessToken: process.env.GRAPH_TOKEN,
  baseUrl: process.env.GRAPH_BASE_URL,
  graphVersion: process.env.GRAPH_VERSION ?? "v23.0",
});

const text = (phoneNumberId, to) =>
  graph.messages.sendText({ phoneNumberId, to, body: "Your order 1042 is ready ✅" });

const template = (phoneNumberId, to) =>
  graph.messages.sendTemplate({
    phoneNumberId,
    to,
    template: {
      name: process.env.GRAPH_TEMPLATE ?? "order_ready",
      language: { code: process.env.GRAPH_TEMPLATE_LANGUAGE ?? "en_US" },
      components: [{ type: "body", parameters: ["Ada", "1042"].map((value) => ({ type: "text", text: value })) }],
    },
  });

async function run(name, send, phoneNumberId, to, mustBeRefused) {
  const line = { client: `@kapso/whatsapp-cloud-api ${version}`, language: "javascript", case: name };
  try {
    const answer = await send(phoneNumberId, to);
    line.message_id = answer?.messages?.[0]?.id ?? null;
    line.wa_id = answer?.contacts?.[0]?.waId ?? null;
    line.ok = !mustBeRefused && Boolean(line.message_id);
  } catch (error) {
    // Only what came from the server counts as refused: the library also throws for what it never sent.
    const refused = error instanceof GraphApiError;
    line.status = error.httpStatus;
    line.code = error.code;
    line.subcode = error.errorSubcode;
    line.type = error.type ?? error.name;
    line.category = error.category;
    line.retry = error.retry?.action;
    line.fbtrace_id = error.fbtraceId;
    line.message = error.message;
    // Where the server sends no code of its own, the library puts the HTTP status there; that does not count.
    line.ok = mustBeRefused && refused && typeof error.raw?.error?.code === "number";
  }
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return line.ok;
}

async function main() {
  const { GRAPH_PHONE_NUMBER_ID: sender, GRAPH_RECIPIENT: to } = process.env;
  const good = [
    await run("text", text, sender, to, false),
    await run("template", template, sender, to, false),
    await run("unknown_sender", text, "1", to, true),
    await run("invalid_recipient", text, sender, "not-a-number", true),
  ];
  process.exitCode = good.every(Boolean) ? 0 : 1;
}

main();
