import assert from "node:assert/strict";
import type { Action } from "../../../src/model/calls.ts";
import { World } from "../../../src/model/world.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import type { ChainTwin } from "./chain.ts";
import { type Difference, told } from "./compare.ts";
import type { Counts } from "./counts.ts";
import { type ModelFactory, Pair, theModel } from "./pair.ts";
import { EDGES, Scene, type Script } from "./scene.ts";
import { compareViews } from "./views.ts";

/** A script on the contracts and on the model. */
export interface Play {
  readonly script: (scene: Scene) => Script;
  readonly seed: number;
  /** Actions at most. */
  readonly most: number;
  /** Views are compared after so many actions. */
  readonly lookEvery: number;
  readonly model?: ModelFactory;
}

/** What plays have seen so far. */
export interface Seen {
  readonly counts: Counts;
  /** Views that answered, as `contract.method`. */
  readonly answered: Set<string>;
}

/**
 * Plays a script from the chain's beginning, comparing outcome and state after every action and all views now and then, at once and
 * later.
 *
 * @throws AssertionError that names seed, action and the first difference
 */
export async function playWithViews(
  twin: ChainTwin,
  { script, seed, most, lookEvery, model = theModel }: Play,
  { counts, answered }: Seen,
): Promise<void> {
  const pair = await Pair.begin(twin, model);
  const { deployment } = twin;
  const names = new Map([...deployment.names].map(([name, address]) => [address, name]));
  const scene = new Scene(createRandom(seed, "vault"), deployment, pair.state);
  let number = 0;
  const require = (difference: Difference | undefined, action: Action, where = ""): void => {
    if (difference === undefined) return;
    const { path, chain, model: own } = difference;
    assert.fail(
      [
        `seed ${seed}, after action ${number}${where}: ${told(action, names)}`,
        path,
        `contracts: ${chain}`,
        `model: ${own}`,
      ].join("\n"),
    );
  };
  for (const action of script(scene)) {
    require(await pair.check(action), action);
    const { outcome } = pair;
    if (outcome !== undefined) counts.add(action, outcome);
    scene.see(pair.state, outcome && { action, outcome });
    number += 1;
    if (number % lookEvery === 0) {
      const at = pair.state.now + BigInt(scene.pick([0, 1, 600, 3_700]));
      const question = {
        account: scene.someone("traders", "lps"),
        amount: scene.chance(0.3) ? scene.pick(EDGES) : scene.part(scene.quote(100_000)),
      };
      const world = new World(pair.state);
      const looked = await compareViews(deployment, world, at, question, names);
      for (const view of looked.answered) answered.add(view);
      require(looked.difference, action, `, looking at ${told(question, names)} at ${at}`);
      assert.equal(String(world.now), String(pair.state.now), "a view moved the clock");
    }
    if (number >= most) return;
  }
}
