import { expect } from "chai";
import { BadInputError } from "../../../../src/simulation/errors.ts";
import { EVERY_STEP } from "../../../../src/simulation/paths/oracleFeed.ts";
import { feedText, parseFeed } from "../../../../src/simulation/paths/parseFeed.ts";
import { wad } from "./fixture.ts";

describe("a price feed as users write it", () => {
  it("has heartbeat, deviation, lag and outages", () => {
    const text = "heartbeat=1800,deviation=0.005,lag=24,outage=3600/7200/9000/9600";
    const settings = parseFeed(text);
    expect(settings).to.deep.equal({
      heartbeatSeconds: 1_800,
      deviation: wad("0.005"),
      lagSeconds: 24,
      outages: [
        { from: 3_600, to: 7_200 },
        { from: 9_000, to: 9_600 },
      ],
    });
    expect(feedText(settings)).to.equal(text);
  });

  it("has a round at every step, or beside a deviation at least each hour", () => {
    expect(parseFeed("lag=0")).to.deep.equal(EVERY_STEP);
    expect(parseFeed("deviation=0.01").heartbeatSeconds).to.equal(3_600);
    expect(parseFeed("deviation=0.01,heartbeat=0").heartbeatSeconds).to.equal(0);
  });

  for (const [text, message] of [
    ["heartbeat", 'settings: "heartbeat" is not of the form name=value'],
    ["heartbeat=-1", 'heartbeat: "-1" is not a whole number from 0 to 31536000'],
    ["deviation=0", 'deviation: "0" is not a number from 0.00001 to 1 with at most 8 decimals'],
    ["deviation=2", 'deviation: "2" is not a number'],
    ["lag=86401", 'lag: "86401" is not a whole number from 0 to 86400'],
    ["outage=5", "outage: has a beginning without an end; such as outage=3600/7200"],
    ["outage=7/7", "outage: 7 is not before 7"],
    ["outage=a/b", 'outage: "a" is not a whole number'],
    ["latency=3", '"latency": is unknown; available: heartbeat, deviation, lag, outage'],
    ["lag=1,lag=2", "lag: is given twice"],
  ] as const)
    it(`is refused as ${text}`, () => {
      expect(() => parseFeed(text)).to.throw(BadInputError, message);
    });
});
