import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { expect } from "chai";

const EXAMPLE = "reports/readme-example.ts"; // git-ignored, one folder deep like scripts/

describe("README", () => {
  it("shows a script that runs as it stands", async () => {
    const readme = readFileSync("README.md", "utf8");
    const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
    expect(example, "a ts block in README.md").to.be.a("string");
    mkdirSync("reports", { recursive: true });
    writeFileSync(EXAMPLE, example as string);
    try {
      const { stdout } = await promisify(execFile)("npx", [
        "hardhat",
        "run",
        "--no-compile",
        EXAMPLE,
      ]);
      expect(stdout).to.match(/equity of the trader {2}19\d{3}\.\d+ quote/);
      expect(stdout).to.match(/net exposure {10}-\d{3}\.\d+ base/);
    } finally {
      rmSync(EXAMPLE);
    }
  });
});
