import type { Parameters } from "../../../src/model/calls.ts";
import type { Scene, Script } from "./scene.ts";

const DAY = 86_400n;
/** In the order of their numbers in errors. */
const NAMES = [
  "takerFeePpm",
  "openInterestLimitBps",
  "initialMarginFloorBps",
  "insuranceShareBps",
] as const satisfies readonly (keyof Parameters)[];

/** New parameters, within what is allowed or not; twice in a row, or after a part of the ramp. */
export function* parameters(scene: Scene): Script {
  scene.pause();
  const { changedAt } = scene.state.cold.parameters;
  if (changedAt !== 0n && scene.chance(0.5)) {
    const moment = changedAt + scene.pick([DAY - 1n, DAY, DAY / 2n]);
    if (moment > scene.at) {
      scene.at = moment;
      yield scene.publish(scene.price);
    }
  }
  const from = scene.chance(0.85) ? scene.owner() : scene.anyone();
  yield scene.margin(from, "setParameters", { next: wish(scene) });
  const { last } = scene;
  if (last?.outcome.ok === false && last.outcome.error.name === "MarginPool_ParameterOutOfBounds") {
    const [which, , least, most] = last.outcome.error.args as bigint[];
    const name = NAMES[Number(which)] ?? NAMES[0];
    const next = { ...wish(scene), [name]: scene.pick([least!, most!, most! + 1n]) };
    yield scene.margin(from, "setParameters", { next });
  }
}

/** Each parameter a little higher or lower than it will be. */
function wish(scene: Scene): Parameters {
  const [fee, openInterest, floor, insurance] = scene.state.cold.parameters.next;
  const near = (value: bigint) =>
    (value * BigInt(scene.pick([900, 950, 1_000, 1_000, 1_000, 1_050, 1_100, 1_200]))) / 1_000n;
  const share = (value: bigint, most: bigint) => (value > most ? most : value);
  return {
    takerFeePpm: near(fee),
    openInterestLimitBps: share(near(openInterest), scene.chance(0.9) ? 6_000n : 7_000n),
    initialMarginFloorBps: near(floor) < 400n && scene.chance(0.9) ? 400n : near(floor),
    insuranceShareBps: near(insurance) < 1_000n && scene.chance(0.9) ? 1_000n : near(insurance),
  };
}

/** The guardian's pause and its end; by those who may and those who may not. */
export function* pauses(scene: Scene): Script {
  scene.pause();
  const guardian = scene.able(scene.state.roles.guardian);
  const from = scene.chance(0.5) ? guardian : scene.chance(0.5) ? scene.owner() : scene.anyone();
  if (scene.chance(0.5)) {
    yield scene.margin(from, "pauseNewRisk", {});
    if (scene.chance(0.3)) return;
    const who = scene.someone("lps");
    yield scene.margin(who, "deposit", { assets: scene.quote(100), receiver: who });
  }
  yield scene.margin(from, "unpauseNewRisk", {});
}

/** Roles change hands. */
export function* roles(scene: Scene): Script {
  scene.pause();
  const from = scene.chance(0.6) ? scene.owner() : scene.anyone();
  const kind = scene.integer(10);
  if (kind < 3) {
    const next = scene.pick([scene.who("deployer"), scene.anyone(), scene.who("zero")]);
    yield scene.margin(from, "setGuardian", { next });
  } else if (kind < 8) {
    const newOwner = scene.pick([scene.who("timelock"), scene.anyone(), scene.who("zero")]);
    yield scene.margin(from, "transferOwnership", { newOwner });
    const heir = scene.chance(0.7) ? scene.able(scene.state.roles.pendingOwner) : scene.anyone();
    yield scene.margin(heir, "acceptOwnership", {});
  } else if (kind === 8 || scene.chance(0.9)) {
    yield scene.margin(scene.anyone(), "renounceOwnership", {});
  } else yield scene.margin(scene.owner(), "renounceOwnership", {});
}

/** The protocol's share of the constant-product pool's fees, on and off. */
export function* protocolFee(scene: Scene): Script {
  scene.pause();
  const { feeTo, feeToSetter } = scene.state.factory;
  const from = scene.chance(0.65) ? scene.able(feeToSetter) : scene.anyone();
  const zero = scene.who("zero");
  if (scene.chance(0.8)) {
    const newFeeTo = feeTo === zero || scene.chance(0.4) ? scene.anyone() : zero;
    yield scene.call(from, "factory", "setFeeTo", { newFeeTo });
  } else {
    const newFeeToSetter = scene.pick([scene.who("deployer"), scene.anyone()]);
    yield scene.call(from, "factory", "setFeeToSetter", { newFeeToSetter });
  }
}

/** What only the rebalancer may do, by it and by others. */
export function* asRebalancer(scene: Scene): Script {
  scene.pause();
  const from = scene.chance(0.75) ? scene.who("rebalancer") : scene.anyone();
  const { inventoryBase, inventoryQuote } = scene.state.hot.ledgers;
  if (scene.chance(0.1)) {
    // more than LPs have, out of what traders have
    const amountBase = (scene.baseFor(inventoryQuote) * 9n) / 10n;
    const quoteLimit = 4n * inventoryQuote;
    yield scene.margin(from, "tradeWithPool", { sellBase: false, amountBase, quoteLimit });
    return;
  }
  if (scene.chance(0.7)) {
    const sellBase = scene.chance(0.5);
    const amountBase = scene.amount(inventoryBase / 50n);
    const value = scene.worth(amountBase);
    const quoteLimit = scene.chance(0.7) ? (sellBase ? 0n : 2n * value) : value;
    yield scene.margin(from, "tradeWithPool", { sellBase, amountBase, quoteLimit });
    return;
  }
  const { outerBandWad, depthBaseWad, unwindCostPpm } = scene.state.hot;
  const near = (value: bigint) =>
    scene.chance(0.9) ? (value * BigInt(800 + scene.integer(400))) / 1_000n : scene.amount(value);
  yield scene.margin(from, "cacheBand", {
    outerBandWad: near(outerBandWad),
    depthBaseWad: near(depthBaseWad),
    unwindCostPpm: scene.chance(0.9) ? unwindCostPpm : near(unwindCostPpm),
  });
}
