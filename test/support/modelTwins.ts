// The contracts on a chain and their model, one action after the other, compared after each.
import { expect } from "chai";
import { Revert } from "../../src/math/revert.ts";
import type { Action, Address, Calls, ContractName } from "../../src/model/calls.ts";
import { apply } from "../../src/model/step.ts";
import { World } from "../../src/model/world.ts";
import { revertDataOf } from "../../src/simulation/evmChain.ts";
import { createRandom, type Random } from "../../src/simulation/random.ts";
import { type Callable, decodeError, decodeResult } from "./twin/abi.ts";
import { ChainTwin, type Outcome } from "./twin/chain.ts";
import { compareOutcomes, compareStates, differenceOf, told } from "./twin/compare.ts";
import { type Deployment, deployTwin, START, type TwinSettings } from "./twin/deployment.ts";

/** A view of the contracts beside the model's function of the same name. */
export interface View {
  readonly of: Callable;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly inModel: (world: World) => unknown;
}

/** An action without its time. */
export type Call = {
  [C in ContractName]: {
    [M in keyof Calls[C]]: {
      readonly from: Address;
      readonly to: C;
      readonly method: M;
      readonly args: Calls[C][M];
    };
  }[keyof Calls[C]];
}[ContractName];

/** One deployment and its model. */
export class ModelTwins {
  readonly world: World;
  readonly deployment: Deployment;
  readonly random: Random;
  /** How often each call ended each way, and each event: "pool.burn ok", "pool.burn MulDivFailed", "pool: Burn". */
  readonly counts: Map<string, number>;
  /** Time of the last block, unix seconds. */
  now = START;
  readonly #chain: ChainTwin;
  readonly #addressNames: ReadonlyMap<string, string>;
  readonly #told: string[] = [];

  private constructor(
    deployment: Deployment,
    chain: ChainTwin,
    world: World,
    random: Random,
    counts: Map<string, number>,
  ) {
    this.deployment = deployment;
    this.#chain = chain;
    this.world = world;
    this.random = random;
    this.counts = counts;
    this.#addressNames = new Map([...deployment.names].map(([name, address]) => [address, name]));
  }

  /** Deploys, and copies what the chain says into the model. What happens is added to `counts`. */
  static async deploy(
    settings: TwinSettings,
    seed: number,
    counts: Map<string, number>,
  ): Promise<ModelTwins> {
    const deployment = await deployTwin(settings);
    const chain = await ChainTwin.take(deployment);
    const world = new World(await chain.state());
    return new ModelTwins(deployment, chain, world, createRandom(seed, settings.name), counts);
  }

  /** Address of somebody or of a contract. */
  address(name: string): Address {
    const address = this.deployment.names.get(name);
    if (address === undefined) throw new RangeError(`nobody is called ${name}`);
    return address;
  }

  /** Runs a call on both and compares what it did and what it left. */
  async run(call: Call, later = 0n): Promise<Outcome> {
    this.now += later;
    const action = { at: this.now, ...call } as Action;
    this.#told.push(told(action, this.#addressNames));
    const onChain = await this.#chain.apply(action);
    const inModel = apply(this.world, action) as Outcome;
    this.#count(`${call.to}.${call.method} ${onChain.ok ? "ok" : onChain.error.name}`);
    for (const { from, name } of onChain.events) this.#count(`${from}: ${name}`);
    this.#same(
      compareOutcomes(onChain, inModel, this.#addressNames) ??
        compareStates(await this.#chain.state(), this.world.state(), this.#addressNames),
    );
    return inModel;
  }

  /** Compares views at the time of the last block. */
  async look(views: readonly View[]): Promise<void> {
    for (const view of views) {
      const [onChain, inModel] = [await this.#viewed(view), this.#modeled(view)];
      const path = `${view.name}(${told(view.args, this.#addressNames)})`;
      this.#same(differenceOf(onChain, inModel, path, this.#addressNames));
    }
  }

  /** Whether something with this chance, in percent, happens. */
  chance(percent: number): boolean {
    return this.random.integer(100) < percent;
  }

  /** One of the options, each as likely as the others. */
  oneOf<T>(...options: readonly [T, ...T[]]): T {
    return options[this.random.integer(options.length)] as T;
  }

  close(): Promise<void> {
    return this.deployment.connection.close();
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  async #viewed({ of, name, args }: View): Promise<unknown> {
    const data = of.interface.encodeFunctionData(name, args);
    try {
      const answer = await this.deployment.connection.provider.request({
        method: "eth_call",
        params: [{ to: of.address, data }, "latest"],
      });
      return decodeResult(of, name, String(answer));
    } catch (thrown) {
      return decodeError(this.deployment.contracts, revertDataOf(thrown));
    }
  }

  #modeled({ inModel }: View): unknown {
    try {
      return this.world.transaction(this.now, () => inModel(this.world));
    } catch (thrown) {
      if (thrown instanceof Revert) return thrown.error;
      throw thrown;
    }
  }

  #same(difference: ReturnType<typeof differenceOf>): void {
    if (difference === undefined) return;
    const last = this.#told.slice(-6).join("\n  ");
    expect.fail(
      `${difference.path}: chain ${difference.chain}, model ${difference.model}, after ${this.#told.length} actions:\n  ${last}`,
    );
  }
}
