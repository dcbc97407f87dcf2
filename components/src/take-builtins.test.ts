import assert from 'node:assert/strict';
import { test } from 'node:test';
import { takeBuiltins } from './take-builtins.ts';

test("Node's own modules are taken by every form of import", () => {
  const code = `import { createHash, randomBytes as random } from "node:crypto";
import * as path from "node:path";
import fs, { readFileSync } from 'node:fs';
import https from "node:https";
import { readFile } from "node:fs/promises";
import { other } from "./other.mjs";
import { thing } from "thing";
console.log("import { x } from 'node:http';");
`;
  assert.equal(
    takeBuiltins(code),
    `const { createHash, randomBytes: random } = process.getBuiltinModule("node:crypto");
const path = process.getBuiltinModule("node:path");
const fs = process.getBuiltinModule('node:fs'), { readFileSync } = process.getBuiltinModule('node:fs');
const https = process.getBuiltinModule("node:https");
const { readFile } = process.getBuiltinModule("node:fs/promises");
import { other } from "./other.mjs";
import { thing } from "thing";
console.log("import { x } from 'node:http';");
`,
  );
});

test('what was taken is what an import gives', async () => {
  const code = takeBuiltins('import { request, Agent as HttpAgent } from "node:http";\nimport * as all from "node:os";\n');
  const run = new Function(`${code}; return [request, HttpAgent, all.hostname];`) as () => unknown[];
  const [http, os] = await Promise.all([import('node:http'), import('node:os')]);
  assert.deepEqual(run(), [http.request, http.Agent, os.hostname]);
});
