// A webhook receiver that believes nothing but the reference library for JavaScript.
//
// usage: NODE_PATH=<place of node_modules> node sink.cjs <port> <secret>        port 0 takes a free one
//
// Prints one JSON line {"listening": <port>}, then one for each delivery: {"id", "ok"} or {"id", "ok", "error"}.
// Answers 204 to what verifies and 401 to what does not. GET /stats answers the counts as JSON.
"use strict";

const http = require("node:http");
const { Webhook } = require("standardwebhooks");
const { version } = require("standardwebhooks/package.json");

const webhook = new Webhook(process.argv[3]);
const stats = { language: "javascript", library: `standardwebhooks ${version}`, ok: 0, bad: 0 };
const ids = new Set();

function print(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function judge(headers, body) {
  const line = { id: headers["webhook-id"] ?? null, ok: true };
  try {
    webhook.verify(body, headers);
    stats.ok += 1;
    ids.add(line.id);
  } catch (error) {
    stats.bad += 1;
    line.ok = false;
    line.error = String(error.message);
  }
  return line;
}

const server = http.createServer((request, response) => {
  if (request.method === "GET") {
    const known = request.url === "/stats";
    response.writeHead(known ? 200 : 404).end(known ? JSON.stringify({ ...stats, distinct: ids.size }) : "");
    return;
  }
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const line = judge(request.headers, Buffer.concat(chunks));
    print(line);
    response.writeHead(line.ok ? 204 : 401).end(line.error);
  });
});

server.listen(Number(process.argv[2]), "127.0.0.1", () => print({ listening: server.address().port }));
