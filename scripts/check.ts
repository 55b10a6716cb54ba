// `npm run check`: every rule of the repository that a machine can hold.
import { spawnSync } from "node:child_process";
import { type Rule, repositoryRules } from "./repositoryRules.ts";

const SOLIDITY = ["contracts/**/*.sol", "test/**/*.sol"];

/** Runs a tool from node_modules/.bin, where npm's PATH finds it. */
function tool(command: string, ...args: string[]): Rule {
  return () => {
    const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
    if (status === 0) return [];
    const output = `${stdout ?? ""}\n${stderr ?? ""}`
      .split("\n")
      .filter((line) => line.trim() !== "");
    return [error?.message ?? `${command} exited with ${status}`, ...output];
  };
}

const steps: Record<string, Rule> = {
  "TypeScript format and lint": tool("biome", "check", "--error-on-warnings"),
  "Solidity format": tool("prettier", "--check", "--no-error-on-unmatched-pattern", ...SOLIDITY),
  "Solidity lint": tool(
    "solhint",
    "--max-warnings",
    "0",
    "--disc",
    "--noPoster",
    "contracts/**/*.sol",
  ),
  // Before the types: it writes typechain-types.
  build: tool("hardhat", "build", "--quiet"),
  types: tool("tsc"),
  lockfile: tool("node", "scripts/lockfile.cjs", "--check"),
  ...repositoryRules,
};

const failed: string[] = [];
for (const [name, run] of Object.entries(steps)) {
  const start = performance.now();
  const problems = run();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? "ok    " : "failed"} ${seconds.padStart(6)} s  ${name}`);
  if (problems.length > 0) {
    failed.push(name);
    console.log(problems.map((line) => `    ${line}`).join("\n"));
  }
}

if (failed.length > 0) {
  console.error(
    `\n${failed.length} of ${Object.keys(steps).length} checks failed: ${failed.join(", ")}`,
  );
  process.exitCode = 1;
}
