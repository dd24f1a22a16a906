// Runs Perfetto's engine, a worker's script, outside a browser: sends it one request and prints its replies.
// Usage: node perfetto.js FOLDER REQUEST  (the folder holds engine_bundle.js and its .wasm)
"use strict";
const fs = require("fs");
const path = require("path");
const vm = require("vm");
const [folder, request] = process.argv.slice(2);

// The engine fetches its .wasm synchronously, as workers may.
class XMLHttpRequest {
  open(method, url) { this.url = url; }
  send() {
    this.status = 200;
    const bytes = fs.readFileSync(path.join(folder, path.basename(this.url)));
    this.response = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  }
}
const self = { location: { href: "file:///engine_bundle.js" }, name: "" };
const inside = vm.createContext({
  self, XMLHttpRequest, console, performance, setTimeout, clearTimeout, TextDecoder, TextEncoder, URL, crypto,
  location: self.location, WorkerGlobalScope: class {}, importScripts() {},
});
vm.runInContext(fs.readFileSync(path.join(folder, "engine_bundle.js"), "utf8"), inside);
const port = { postMessage: (reply) => fs.writeSync(1, Buffer.from(reply)) };
self.onmessage({ data: port });
const bytes = fs.readFileSync(request);
// Its own kind of array: it asks for an instance of the one it knows.
const data = vm.runInContext("(n) => new Uint8Array(n)", inside)(bytes.length);
data.set(bytes);
setTimeout(() => port.onmessage({ data }), 0);
