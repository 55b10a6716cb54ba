import { expect } from "chai";
import { ChainTwin } from "../support/twin/chain.ts";
import { deployTwin } from "../support/twin/deployment.ts";
import { replay, theModel } from "../support/twin/pair.ts";
import { loadReplay, replayNames, worldOfReplay } from "../support/twin/replayFiles.ts";
import { EMPTY_WORLDS, WORLDS } from "../support/twin/worlds.ts";

describe("Stored runs, each the fewest actions that once showed something", () => {
  const chains = new Map<string, ChainTwin>();
  const chainOf = async (world: string): Promise<ChainTwin> => {
    const settings = [...WORLDS, ...EMPTY_WORLDS].find(({ name }) => name === world);
    if (settings === undefined) throw new Error(`no deployment is called ${world}`);
    const chain = chains.get(world) ?? (await ChainTwin.take(await deployTwin(settings)));
    chains.set(world, chain);
    return chain;
  };

  for (const name of replayNames()) {
    it(`leave contracts and model the same: ${name}`, async () => {
      const chain = await chainOf(worldOfReplay(name));
      const { actions } = loadReplay(name, chain.deployment);
      const finding = await replay(chain, actions, theModel);
      const told = finding && `${finding.path}: ${finding.chain} against ${finding.model}`;
      expect(told, `action ${finding?.index}`).to.equal(undefined);
    });
  }
});
