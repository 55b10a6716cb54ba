import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { ZeroAddress } from "ethers";
import { network } from "hardhat";
import { deployProtocol } from "../../deploy/deployProtocol.ts";
import { atFixedTimes } from "../../deploy/fixedTimes.ts";
import * as model from "../../src/model/index.ts";
import { ChainTwin } from "../support/twin/chain.ts";
import { differenceOf, told } from "../support/twin/compare.ts";
import { callables } from "../support/twin/deployment.ts";

/** When the example's deployment begins, unix seconds. */
const DEPLOYED_AT = 1_700_000_000;
const STRICT = {
  module: "NodeNext",
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  noEmit: true,
};

const run = promisify(execFile);

/** The example of the README's section and what it is said to print. */
function example(): { readonly code: string; readonly output: string } {
  const section = readFileSync("README.md", "utf8").split("\n## As a library\n")[1] ?? "";
  const [, code, output] = /```js\n([\s\S]*?)```[\s\S]*?```text\n([\s\S]*?)```/.exec(section) ?? [];
  assert.ok(code && output, "README.md shows no example of the library");
  return { code, output };
}

describe("The package", () => {
  const { code, output } = example();
  let project = "";

  before(async function () {
    this.timeout(120_000);
    project = mkdtempSync(join(tmpdir(), "ballast-library-"));
    const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project]);
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf("[\n")));
    writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    const options = ["--offline", "--no-audit", "--no-fund", "--no-package-lock"];
    await run("npm", ["install", ...options, join(project, filename)], { cwd: project });
  });

  after(() => rmSync(project, { recursive: true, force: true }));

  it("does in plain JavaScript what the README says", async () => {
    writeFileSync(join(project, "example.js"), code);
    const { stdout } = await run(process.execPath, ["example.js"], { cwd: project });
    assert.equal(stdout, output);
  });

  it("has types for all it exports, and refuses calls that are none", async () => {
    const wrong =
      'apply(world, { at, from, to: "feed", method: "setPrice", args: { price: 1n } });';
    const source = [
      code,
      'import { mulWad } from "ballast/math/fixedPoint";',
      'import { parseDecimal } from "ballast/units";',
      "export const product: bigint = mulWad(parseDecimal('1.5', 18), 2n);",
      `// @ts-expect-error\n${wrong}`,
    ].join("\n");
    writeFileSync(join(project, "example.ts"), source);
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: STRICT, files: ["example.ts"] }),
    );
    const tsc = resolve("node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", project]).catch((error) => error);
    assert.equal(stdout, "");
  });

  it("pays on the real contracts what the example pays", async () => {
    const connection = await network.create({
      override: {
        initialDate: new Date((DEPLOYED_AT - 60) * 1000),
        initialBaseFeePerGas: 0,
        allowBlocksWithSameTimestamp: true,
      },
    });
    const { result: protocol } = await atFixedTimes(
      connection,
      { firstAt: DEPLOYED_AT, spacing: 1 },
      () => deployProtocol(connection),
    );
    const contracts = await callables(protocol, ZeroAddress);
    const signers = await connection.ethers.getSigners();
    const people = ["deployer", "trader", "publisher", "keeper"].map(
      (name, i): [string, string] => [name, signers[i]!.address],
    );
    const names = new Map([
      ...people,
      ...Object.entries(contracts).map(([name, { address }]): [string, string] => [name, address]),
      ["timelock", await protocol.timelock.getAddress()],
      ["zero", ZeroAddress],
    ]);
    const settings = { name: "", overrides: {}, baseIsToken0: false, hasSequencer: false };
    const senders = people.map(([, address]) => address);
    const chain = await ChainTwin.take({
      ...{ settings, connection, protocol, contracts, names, senders },
    });

    const address = (who: unknown): unknown =>
      typeof who === "string" ? (names.get(who) ?? who) : who;
    const { actions, world, lines } = play(code);
    for (const { from, args, ...rest } of actions) {
      const all = Object.entries(args).map(([key, who]) => [key, address(who)]);
      const action = { ...rest, from: address(from), args: Object.fromEntries(all) };
      const outcome = await chain.apply(action as model.Action);
      assert.ok(outcome.ok, told(outcome, names));
      const executed = outcome.events.find(({ name }) => name === "OrderExecuted");
      if (executed !== undefined) {
        assert.equal(differenceOf(executed.args.filled, lines[0], "filled", names), undefined);
      }
    }
    assert.equal(actions.at(-1)?.method, "executeOrder");
    await connection.provider.request({
      method: "evm_setNextBlockTimestamp",
      params: [Number(world.now)],
    });
    const plan = await protocol.rebalancer.previewRebalance({ blockTag: "pending" });
    const { netExposureBase, innerBand, outerBand } = plan;
    assert.deepEqual(lines[1], { netExposureBase, innerBand, outerBand });
  });
});

/** Runs the example in this process: its actions, the world it leaves, and what it prints. */
function play(code: string): {
  readonly actions: readonly model.Action[];
  readonly world: model.World;
  readonly lines: readonly unknown[];
} {
  const actions: model.Action[] = [];
  const lines: unknown[] = [];
  const apply = (world: model.World, action: model.Action): model.Outcome => {
    actions.push(action);
    return model.apply(world, action);
  };
  const body = code.replace(/^import (\{[^}]*\}) from .*;$/m, "const $1 = model;");
  const world = new Function("model", "console", `${body}\nreturn world;`)(
    { ...model, apply },
    { log: (line: unknown) => lines.push(line) },
  );
  return { actions, world, lines };
}
