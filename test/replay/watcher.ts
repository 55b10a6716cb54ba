import { expect } from "chai";
import type { NetworkConnection } from "hardhat/types/network";
import type { DeploymentSettings, Protocol } from "../../deploy/deployProtocol.ts";
import { EventReplay } from "../support/eventReplay.ts";
import { compareWithViews } from "./compare.ts";
import { fetchLogs } from "./logs.ts";

/** How many differences a failure shows. */
const SHOWN = 12;

/** Replays a deployment's log as it grows. */
export class Watcher {
  readonly replay: EventReplay;
  /** Logs seen so far. */
  seen = 0;
  readonly #protocol: Protocol;
  readonly #connection: NetworkConnection;
  #next = 0;

  private constructor(protocol: Protocol, connection: NetworkConnection, replay: EventReplay) {
    this.#protocol = protocol;
    this.#connection = connection;
    this.replay = replay;
  }

  /** From the deployment on. The settings are what it was deployed with. */
  static async start(
    protocol: Protocol,
    connection: NetworkConnection,
    settings: DeploymentSettings,
  ): Promise<Watcher> {
    const { priceBand, deviationThreshold } = settings;
    const plain = {
      baseDecimals: settings.baseDecimals,
      quoteDecimals: settings.quoteDecimals,
      targetBaseWeightWad: settings.targetBaseWeight,
      priceBandWad: priceBand,
      lpPriceBandWad: priceBand > deviationThreshold ? priceBand : deviationThreshold,
      initialVolatilityWad: settings.initialVolatility,
      initialTargetVolatilityWad: settings.initialTargetVolatility,
      baseIsToken0: (await protocol.pool.token0()) === (await protocol.base.getAddress()),
    };
    const replay = new EventReplay(plain, await protocol.marginPool.getAddress());
    return new Watcher(protocol, connection, replay);
  }

  /** Replays what is new and compares everything with the contract's views. */
  async check(when: string): Promise<void> {
    const { provider } = this.#connection;
    const { logs, blocks } = await fetchLogs(provider, this.#protocol, this.#next);
    this.#next = blocks + 1;
    this.seen += logs.length;
    this.replay.apply(logs);
    const differences = await compareWithViews(this.replay, this.#protocol, provider);
    const shown = [...differences.slice(0, SHOWN), `${differences.length} in all`].join("\n  ");
    expect(differences.length, `${when}:\n  ${shown}\n`).to.equal(0);
  }
}
