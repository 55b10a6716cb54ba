import type { Biography } from "./chapters.ts";
import * as feeds from "./feeds.ts";
import * as governors from "./governors.ts";
import * as lps from "./lps.ts";
import * as poolUsers from "./poolUsers.ts";
import type { Scene, Script } from "./scene.ts";
import * as traders from "./traders.ts";

type Habit = (scene: Scene) => Script;

const FEED_HABITS = { jump: feeds.jump, fault: feeds.fault, sequencer: feeds.sequencer };

/** What people do, by how often. */
const HABITS: readonly (readonly [number, Habit])[] = [
  [10, feeds.tick],
  [2, feeds.jump],
  [1, feeds.burst],
  [5, feeds.onTheSecond],
  [3, feeds.fault],
  [2, feeds.sequencer],
  [3, traders.addMargin],
  [4, traders.takeMargin],
  [12, traders.open],
  [8, traders.close],
  [3, traders.oddRequest],
  [5, traders.executeAny],
  [4, traders.cancel],
  [6, traders.squeeze],
  [2, traders.liquidateAny],
  [1, traders.sameBlock],
  [1, traders.tooEarly],
  [2, traders.overtaken],
  [5, traders.claim],
  [7, lps.enter],
  [7, lps.leave],
  [1, lps.comeAndGo],
  [4, lps.passShares],
  [1, lps.bootstrap],
  [2, lps.donate],
  [6, lps.keep],
  [5, lps.rebalance],
  [8, poolUsers.swap],
  [4, poolUsers.arbitrage],
  [5, poolUsers.prefunded],
  [3, poolUsers.addLiquidity],
  [3, poolUsers.removeLiquidity],
  [4, poolUsers.poolHousekeeping],
  [4, poolUsers.tokens],
  [1, poolUsers.flood],
  [1, lps.overflow],
  [2, governors.parameters],
  [2, governors.pauses],
  [1, governors.roles],
  [2, governors.protocolFee],
  [2, governors.asRebalancer],
];

/** Who may come between others: nobody who leaves a feed in a bad state. */
const PASSERS_BY = HABITS.filter(([, begin]) => !Object.values<Habit>(FEED_HABITS).includes(begin));
/** Chance that somebody else comes between two actions of one intention. */
const INTERRUPTION = 0.07;
const RETRY = 0.6;
/** Chance that somebody mends the feeds after an action that a bad price stopped. */
const REPAIR = 0.4;

function habit(scene: Scene, habits: typeof HABITS): Script {
  let left = scene.random.uniform() * habits.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, begin] of habits) {
    left -= weight;
    if (left < 0) return begin(scene);
  }
  return feeds.tick(scene);
}

const isBadPrice = ({ last }: Scene): boolean =>
  last?.outcome.ok === false && /^PriceOracle_|RoundRegressed/.test(last.outcome.error.name);

/** An intention with everything that comes between, and second tries where an error told the limit. */
function* among(scene: Scene, script: Script): Script {
  for (const action of script) {
    yield action;
    if (scene.chance(RETRY)) {
      const again = traders.retry(scene);
      if (again !== undefined) yield again;
    }
    // only the first step of what somebody else is up to
    if (isBadPrice(scene) && scene.chance(REPAIR)) yield* feeds.repair(scene);
    while (scene.chance(INTERRUPTION)) {
      const { value } = habit(scene, PASSERS_BY).next();
      if (value !== undefined) yield value;
    }
  }
}

/** What happens in one run: a biography if there is one, then chance, without end. */
export function* life(scene: Scene, biography: Biography | undefined): Script {
  if (biography !== undefined) yield* among(scene, biography(scene));
  for (;;) yield* among(scene, habit(scene, HABITS));
}
