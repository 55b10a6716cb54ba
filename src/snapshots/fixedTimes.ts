import { hooks } from "hardhat";
import type { NetworkHooks } from "hardhat/types/hooks";
import type { NetworkConnection } from "hardhat/types/network";
import { GENESIS, SECONDS_PER_BLOCK } from "../bench/conditions.ts";

/**
 * Runs code that sends transactions one by one, each in the block that follows twelve seconds after the last: the wall
 * clock, by which a network otherwise goes, leaves no trace.
 *
 * @param connection a network that has mined nothing yet
 * @returns what the code returned and the time of the last block
 */
export async function atFixedTimes<T>(
  connection: NetworkConnection,
  run: () => Promise<T>,
): Promise<{ result: T; timestamp: number }> {
  let timestamp = GENESIS;
  let last: Promise<unknown> = Promise.resolve();
  const handlers: Partial<NetworkHooks> = {
    onRequest: (context, from, request, next) => {
      if (from.id !== connection.id || request.method !== "eth_sendTransaction")
        return next(context, from, request);
      // One after the other, also where the code does not wait in between.
      const sent = last.then(async () => {
        timestamp += SECONDS_PER_BLOCK;
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
