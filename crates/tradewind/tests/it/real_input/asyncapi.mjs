// Judges an AsyncAPI document with the official parser: node asyncapi.mjs <directory with node_modules> <document>
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [directory, file] = process.argv.slice(2);
const { Parser } = createRequire(join(directory, "x.js"))("@asyncapi/parser");
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"));
const errors = diagnostics.filter((one) => one.severity === 0);
for (const error of errors) console.error(error.path.join("/"), error.message);
if (errors.length > 0 || document === undefined) process.exit(1);
console.log(document.operations().filterBySend().length, document.messages().length);
