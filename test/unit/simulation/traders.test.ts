import { expect } from "chai";
import type { ActionResult, ProtocolBackend } from "../../../src/simulation/backend.ts";
import { Traders } from "../../../src/simulation/traders.ts";

const backend = {
  account: async () => ({ size: 0n, entryNotional: 0n, collateral: 0n }),
} as unknown as ProtocolBackend;

function refusal(trader: number, error: string): ActionResult {
  const order = { sizeDelta: 1n, acceptablePrice: 1n, expiresAt: 1 };
  return { action: { kind: "requestOrder", trader, ...order }, ok: false, error, events: [] };
}

describe("order counts", () => {
  it("give reasons for failed orders, not for declined ones", async () => {
    const traders = new Traders(backend);
    await traders.observe([
      refusal(1, "MarginPool_PriceNotAcceptable"),
      refusal(2, "MarginPool_MarginTooLow"),
      refusal(3, "MarginPool_MarginTooLow"),
    ]);
    expect(traders.counts).to.include({ declined: 1, failed: 2 });
    expect([...traders.counts.reasons]).to.deep.equal([["MarginPool_MarginTooLow", 2]]);
  });
});
