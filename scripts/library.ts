// `npm run library`: what `npm pack` ships beside the contracts, plain JavaScript and declarations in dist/.
import { spawnSync } from "node:child_process";
import { globSync, readFileSync, rmSync, writeFileSync } from "node:fs";

/** What a declaration imports, up to the extension. */
const IMPORT = /((?:from |import\()"\.[^"]*)\.ts"/g;

rmSync("dist", { recursive: true, force: true });
const { status } = spawnSync("tsc", ["-p", "tsconfig.library.json"], { stdio: "inherit" });
process.exitCode = status ?? 1;
// The compiler renames the imports of the code, not those of the declarations.
for (const file of globSync("dist/**/*.d.ts")) {
  writeFileSync(file, readFileSync(file, "utf8").replace(IMPORT, '$1.js"'));
}
