import type { Action, Address } from "../../../src/model/calls.ts";
import type { ProtocolState } from "../../../src/model/state.ts";
import { apply } from "../../../src/model/step.ts";
import { World } from "../../../src/model/world.ts";
import type { ChainTwin, Outcome } from "./chain.ts";
import { compareOutcomes, compareStates, type Difference, told } from "./compare.ts";

/** The model, or something that is to be shown to differ from the contracts. */
export interface ModelTwin {
  apply(action: Action): Outcome;
  state(): ProtocolState;
}

export type ModelFactory = (state: ProtocolState) => ModelTwin;

/** The model as it is. */
export const theModel: ModelFactory = (state) => {
  const world = new World(state);
  return { apply: (action) => apply(world, action) as Outcome, state: () => world.state() };
};

/** Where contracts and model parted. */
export interface Finding extends Difference {
  /** Number of the action, from 0. */
  readonly index: number;
  readonly action: Action;
}

/** Past rounds are read again so often. */
const SWEEP = 100;

/** The contracts and the model side by side, from the state that the contracts are in. */
export class Pair {
  readonly #chain: ChainTwin;
  readonly #model: ModelTwin;
  readonly #names: ReadonlyMap<Address, string>;
  #count = 0;
  /** What the contracts did last and what they keep. */
  outcome: Outcome | undefined;
  state: ProtocolState;

  private constructor(chain: ChainTwin, model: ModelTwin, state: ProtocolState) {
    this.#chain = chain;
    this.#model = model;
    this.state = state;
    this.#names = new Map([...chain.deployment.names].map(([name, address]) => [address, name]));
  }

  /** Puts the chain back to its beginning and the model beside it. */
  static async begin(chain: ChainTwin, model: ModelFactory): Promise<Pair> {
    await chain.reset();
    const state = await chain.state();
    return new Pair(chain, model(state), state);
  }

  /** Runs an action on both and compares what it did and all that it left behind. */
  async check(action: Action): Promise<Finding | undefined> {
    const index = this.#count;
    this.#count += 1;
    try {
      this.outcome = await this.#chain.apply(action);
    } catch (thrown) {
      throw new Error(`action ${index}, ${told(action, this.#names)}: ${String(thrown)}`);
    }
    this.state = await (this.#count % SWEEP === 0 ? this.#chain.sweep() : this.#chain.state());
    const difference = this.#compare(action, this.outcome);
    return difference && { ...difference, index, action };
  }

  #compare(action: Action, outcome: Outcome): Difference | undefined {
    let answer: Outcome;
    try {
      answer = this.#model.apply(action);
    } catch (thrown) {
      const model = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      return { path: "model throws", chain: outcome.ok ? "ok" : outcome.error.name, model };
    }
    return (
      compareOutcomes(outcome, answer, this.#names) ??
      compareStates(this.state, this.#model.state(), this.#names)
    );
  }
}

/** Runs actions from the chain's beginning until contracts and model differ. */
export async function replay(
  chain: ChainTwin,
  actions: readonly Action[],
  model: ModelFactory,
): Promise<Finding | undefined> {
  const pair = await Pair.begin(chain, model);
  for (const action of actions) {
    const finding = await pair.check(action);
    if (finding !== undefined) return finding;
  }
  return undefined;
}
