import { type AbiValue, type ContractError, Revert } from "../math/revert.ts";
import type { Action, Address, Calls, ContractName } from "./calls.ts";
import * as pool from "./constantProductPool.ts";
import type { ModelEvent } from "./events.ts";
import { feedEntryPoints } from "./feed.ts";
import * as liquidityToken from "./liquidityToken.ts";
import * as marginPool from "./marginPool.ts";
import * as factory from "./poolFactory.ts";
import * as rebalancer from "./rebalancer.ts";
import type { ProtocolState } from "./state.ts";
import { tokenEntryPoints } from "./token.ts";
import * as volatilityOracle from "./volatilityOracle.ts";
import { World } from "./world.ts";

/** What an action came to: what the function returned and the logs, or the custom error it reverted with. */
export type Outcome =
  | {
      readonly ok: true;
      readonly value: AbiValue | undefined;
      readonly events: readonly ModelEvent[];
    }
  | { readonly ok: false; readonly error: ContractError; readonly events: readonly [] };

type EntryPoints = {
  readonly [C in ContractName]: {
    readonly [M in keyof Calls[C]]: (world: World, caller: Address, args: Calls[C][M]) => unknown;
  };
};

const NOTHING = [] as const;

/** Plain objects: a lookup in a module takes several times as long. */
const CONTRACTS: EntryPoints = {
  feed: feedEntryPoints("feed"),
  sequencerFeed: feedEntryPoints("sequencerFeed"),
  base: tokenEntryPoints("base"),
  quote: tokenEntryPoints("quote"),
  factory: { ...factory },
  pool: {
    swapExactInput: pool.swapExactInput,
    swapExactOutput: pool.swapExactOutput,
    swapPrefunded: pool.swapPrefunded,
    addLiquidity: pool.addLiquidity,
    removeLiquidity: pool.removeLiquidity,
    swap: pool.swap,
    mint: pool.mint,
    burn: pool.burn,
    skim: pool.skim,
    sync: pool.sync,
    transfer: liquidityToken.transfer,
    approve: liquidityToken.approve,
    transferFrom: liquidityToken.transferFrom,
  },
  volatilityOracle: { ...volatilityOracle },
  marginPool: { ...marginPool },
  rebalancer: { ...rebalancer },
};

/**
 * Applies one action to a state, which stays as it is. Pure: the same state and action always give the same answer.
 *
 * @returns the state afterwards, the very same where the action failed but for its time, and what the action came to
 * @throws RangeError for an action in the past
 */
export function step(state: ProtocolState, action: Action): readonly [ProtocolState, Outcome] {
  const world = new World(state);
  const outcome = apply(world, action);
  return [world.state(), outcome];
}

/**
 * Applies one action in place: `step` without the copies, for long runs.
 *
 * @throws RangeError for an action in the past
 */
export function apply(world: World, action: Action): Outcome {
  if (action.at < world.now) {
    throw new RangeError(`an action at ${action.at} comes after the block at ${world.now}`);
  }
  world.begin(action.at);
  try {
    const value = call(world, action);
    world.commit();
    return { ok: true, value: value ?? undefined, events: world.events };
  } catch (thrown) {
    world.rollBack();
    if (!(thrown instanceof Revert)) throw thrown;
    return { ok: false, error: thrown.error, events: NOTHING };
  }
}

function call(world: World, { from, to, method, args }: Action): AbiValue | undefined {
  // The types of `Action` tie the arguments to the method; TypeScript cannot follow that through two lookups.
  const methods = CONTRACTS[to] as Readonly<
    Record<string, (world: World, caller: Address, args: unknown) => AbiValue | undefined>
  >;
  const entryPoint = methods[method];
  if (entryPoint === undefined) throw new RangeError(`the model has no ${to}.${method}`);
  return entryPoint(world, from, args);
}
