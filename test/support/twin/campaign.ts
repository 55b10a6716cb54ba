import type { Action } from "../../../src/model/calls.ts";
import { createRandom } from "../../../src/simulation/random.ts";
import type { ChainTwin } from "./chain.ts";
import type { Biography } from "./chapters.ts";
import type { Counts } from "./counts.ts";
import { life } from "./life.ts";
import { type Finding, type ModelFactory, Pair, theModel } from "./pair.ts";
import { Scene } from "./scene.ts";

/** A run: chance by seed, with a biography or without. */
export interface Run {
  readonly seed: number;
  readonly biography?: Biography;
  /** Actions at most. */
  readonly most: number;
  readonly model?: ModelFactory;
}

export interface Played {
  readonly actions: readonly Action[];
  readonly finding: Finding | undefined;
}

/** A settled pool whose end has been played is left after so many actions. */
const AFTERLIFE = 60;

/** Plays a run from the chain's beginning until it is over, or contracts and model differ. */
export async function play(chain: ChainTwin, run: Run, counts: Counts): Promise<Played> {
  const { seed, biography, most, model = theModel } = run;
  const pair = await Pair.begin(chain, model);
  const { names, senders } = chain.deployment;
  const scene = new Scene(createRandom(seed, "parity"), { names, senders }, pair.state);
  const actions: Action[] = [];
  let dead = 0;
  for (const action of life(scene, biography)) {
    actions.push(action);
    const finding = await pair.check(action);
    const { outcome } = pair;
    if (outcome !== undefined) counts.add(action, outcome);
    if (finding !== undefined) return { actions, finding };
    scene.see(pair.state, outcome && { action, outcome });
    if (pair.state.cold.settlement.finalizedAt !== 0n) dead += 1;
    if (actions.length >= most || dead >= AFTERLIFE) break;
  }
  return { actions, finding: undefined };
}
