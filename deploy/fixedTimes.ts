import { hooks } from "hardhat";
import type { NetworkHooks } from "hardhat/types/hooks";
import type { NetworkConnection } from "hardhat/types/network";

/** When transactions are mined: the first one at `firstAt`, each other one `spacing` seconds after the last. */
export interface FixedTimes {
  /** Unix seconds, later than the network's genesis. */
  readonly firstAt: number;
  /** Seconds, at least 1. */
  readonly spacing: number;
}

/**
 * Runs code that sends transactions one by one, each in a block of its own at a time known in advance: the wall clock,
 * by which a network otherwise goes, leaves no trace.
 *
 * @param connection a network that has mined nothing yet
 * @returns what the code returned and the time of the last block
 */
export async function atFixedTimes<T>(
  connection: NetworkConnection,
  times: FixedTimes,
  run: () => Promise<T>,
): Promise<{ result: T; timestamp: number }> {
  let timestamp = times.firstAt - times.spacing;
  let last: Promise<unknown> = Promise.resolve();
  const handlers: Partial<NetworkHooks> = {
    onRequest: (context, from, request, next) => {
      if (from.id !== connection.id || request.method !== "eth_sendTransaction")
        return next(context, from, request);
      // One after the other, also where the code does not wait in between.
      const sent = last.then(async () => {
        timestamp += times.spacing;
        await connection.provider.request({
          method: "evm_setNextBlockTimestamp",
          params: [timestamp],
        });
        return next(context, from, request);
      });
      last = sent.catch(() => {});
      return sent;
    },
  };
  hooks.registerHandlers("network", handlers);
  try {
    return { result: await run(), timestamp };
  } finally {
    hooks.unregisterHandlers("network", handlers);
  }
}
