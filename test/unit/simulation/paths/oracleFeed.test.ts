import { expect } from "chai";
import fc from "fast-check";
import {
  EVERY_STEP,
  OracleFeed,
  type OracleSettings,
} from "../../../../src/simulation/paths/oracleFeed.ts";
import { wad } from "./fixture.ts";

const MINUTE = { open: wad("100"), stepSeconds: 60 };
const NEVER = { ...EVERY_STEP, heartbeatSeconds: 10 ** 9 };

/** What a feed that starts at 100 publishes at each of some steps of a minute; undefined for no round. */
function published(settings: OracleSettings, prices: readonly string[]): (string | undefined)[] {
  const feed = new OracleFeed(settings, MINUTE);
  return prices.map((price) => {
    const answer = feed.next(wad(price));
    return answer === undefined ? undefined : String(Number(answer) / 1e18);
  });
}

describe("an oracle feed", () => {
  it("publishes every step's price unless told otherwise", () => {
    expect(published(EVERY_STEP, ["100", "101", "99", "99"])).to.deep.equal([
      "100",
      "101",
      "99",
      "99",
    ]);
  });

  it("publishes when the heartbeat is over, counted from the last round", () => {
    const heartbeat = { ...EVERY_STEP, heartbeatSeconds: 180 };
    expect(published(heartbeat, ["101", "102", "103", "104", "105", "106", "107"])).to.deep.equal([
      undefined,
      undefined,
      "103",
      undefined,
      undefined,
      "106",
      undefined,
    ]);
  });

  it("rounds a heartbeat between two steps up to the next", () => {
    const heartbeat = { ...EVERY_STEP, heartbeatSeconds: 61 };
    expect(published(heartbeat, ["101", "102", "103"])).to.deep.equal([
      undefined,
      "102",
      undefined,
    ]);
  });

  it("publishes as soon as the price is the deviation away from the last round, up or down", () => {
    const deviation = { ...NEVER, deviation: wad("0.005") };
    expect(
      published(deviation, ["100.49", "100.5", "100.9", "100", "99.9974", "99.49"]),
    ).to.deep.equal([undefined, "100.5", undefined, undefined, "99.9974", "99.49"]);
  });

  it("measures the deviation from the last published price, so that slow moves add up", () => {
    const deviation = { ...NEVER, deviation: wad("0.005") };
    expect(published(deviation, ["100.2", "100.4", "100.6", "100.8"])).to.deep.equal([
      undefined,
      undefined,
      "100.6",
      undefined,
    ]);
  });

  it("starts the heartbeat anew after a deviation", () => {
    const both = { ...EVERY_STEP, heartbeatSeconds: 120, deviation: wad("0.01") };
    expect(published(both, ["102", "102", "102", "102"])).to.deep.equal([
      "102",
      undefined,
      "102",
      undefined,
    ]);
  });

  it("sees the market late by the lag, at first the opening price", () => {
    const late = { ...EVERY_STEP, lagSeconds: 120 };
    expect(published(late, ["101", "102", "103", "104", "105"])).to.deep.equal([
      "100",
      "100",
      "101",
      "102",
      "103",
    ]);
  });

  it("counts a part of a step of lag as a whole one", () => {
    expect(published({ ...EVERY_STEP, lagSeconds: 61 }, ["101", "102", "103"])).to.deep.equal([
      "100",
      "100",
      "101",
    ]);
  });

  it("measures the deviation on what it sees, not on what is true", () => {
    const late = { ...NEVER, deviation: wad("0.1"), lagSeconds: 60 };
    expect(published(late, ["150", "100", "100"])).to.deep.equal([undefined, "150", "100"]);
  });

  it("publishes nothing during an outage, which ends before its last second", () => {
    const out = { ...EVERY_STEP, outages: [{ from: 120, to: 240 }] };
    expect(published(out, ["101", "102", "103", "104"])).to.deep.equal([
      "101",
      undefined,
      undefined,
      "104",
    ]);
  });

  it("publishes what came due in an outage when it is over, at the price of then", () => {
    const out = {
      ...NEVER,
      deviation: wad("0.05"),
      outages: [
        { from: 0, to: 90 },
        { from: 170, to: 190 },
      ],
    };
    expect(published(out, ["110", "111", "90", "90", "90"])).to.deep.equal([
      undefined,
      "111",
      undefined,
      "90",
      undefined,
    ]);
  });

  it("keeps watching a late market during an outage", () => {
    const out = { ...EVERY_STEP, lagSeconds: 60, outages: [{ from: 60, to: 180 }] };
    expect(published(out, ["101", "102", "103", "104"])).to.deep.equal([
      undefined,
      undefined,
      "102",
      "103",
    ]);
  });

  it("decides on integers, to the last decimal", () => {
    const feed = () => new OracleFeed({ ...NEVER, deviation: wad("0.005") }, MINUTE);
    expect(feed().next(wad("100.5"))).to.equal(wad("100.5"));
    expect(feed().next(wad("100.5") - 1n)).to.equal(undefined);
    expect(feed().next(wad("99.5"))).to.equal(wad("99.5"));
    expect(feed().next(wad("99.5") + 1n)).to.equal(undefined);
  });

  it("publishes only prices that were true the lag ago, and never later than the heartbeat", () => {
    const steps = fc.array(fc.bigInt(wad("90"), wad("110")), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        steps,
        fc.nat(400),
        fc.nat(400),
        fc.bigInt(0n, wad("0.1")),
        (prices, heartbeatSeconds, lagSeconds, deviation) => {
          const feed = new OracleFeed(
            { heartbeatSeconds, lagSeconds, deviation, outages: [] },
            MINUTE,
          );
          const delay = Math.ceil(lagSeconds / 60);
          let silent = 0;
          let last = MINUTE.open;
          prices.forEach((price, step) => {
            const seen = prices[step - delay] ?? MINUTE.open;
            const answer = feed.next(price);
            silent += 60;
            const distance = seen > last ? seen - last : last - seen;
            const due = silent >= heartbeatSeconds || distance * 10n ** 18n >= deviation * last;
            expect(answer === (due ? seen : undefined)).to.equal(true);
            if (answer === undefined) return;
            silent = 0;
            last = answer;
          });
        },
      ),
      { seed: 0xfeed, numRuns: 500 },
    );
  });
});
