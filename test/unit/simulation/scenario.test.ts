import { expect } from "chai";
import { BadInputError } from "../../../src/simulation/errors.ts";
import { loadScenario, scenarioNames } from "../../../src/simulation/loadScenario.ts";
import { sliceScenario } from "../../../src/simulation/scenario.ts";
import { parseCsvScenario } from "../../../src/simulation/scenarioCsv.ts";
import { parseJsonScenario } from "../../../src/simulation/scenarioJson.ts";
import { parseDecimal } from "../../../src/units.ts";

const wad = (text: string) => parseDecimal(text, 18);
const csv = (...lines: string[]) => parseCsvScenario(`${lines.join("\n")}\n`, "path.csv", "path");

function json(changes: Record<string, unknown>) {
  const valid = {
    name: "tiny",
    title: "Tiny",
    source: "made up",
    startsAt: "2020-03-12T00:00:00Z",
    stepSeconds: 300,
    priceUnit: "USD cents per ETH",
    open: 19461,
    close: [19523, 19412],
  };
  return parseJsonScenario(JSON.stringify({ ...valid, ...changes }), "tiny.json");
}

describe("scenarios that come with the project", () => {
  it("load under the name of their file", () => {
    expect(scenarioNames()).to.include("black-thursday-2020-03");
    for (const name of scenarioNames()) expect(loadScenario(name).name).to.equal(name);
  });

  it("carry the crash of March 2020 bar by bar", () => {
    const scenario = loadScenario("black-thursday-2020-03");
    expect(scenario.close).to.have.length(576);
    expect(scenario.stepSeconds).to.equal(300);
    expect(scenario.startsAt).to.equal(Date.UTC(2020, 2, 12) / 1000);
    expect(scenario.open).to.equal(wad("194.61"));
    expect(scenario.close.reduce((low, price) => (price < low ? price : low))).to.equal(
      wad("88.35"),
    );
    expect(scenario.source).to.contain("Binance");
  });

  it("can be cut, opening at the close before", () => {
    const scenario = loadScenario("black-thursday-2020-03");
    const slice = sliceScenario(scenario, 130, 140);
    expect(slice.open).to.equal(scenario.close[129]);
    expect(slice.close).to.deep.equal(scenario.close.slice(130, 140));
    expect(slice.startsAt).to.equal(scenario.startsAt + 130 * 300);
    expect(() => sliceScenario(scenario, 10, 577)).to.throw(RangeError);
    expect(() => sliceScenario(scenario, 10, 10)).to.throw(RangeError);
  });

  it("are named when an unknown one is asked for", () => {
    expect(() => loadScenario("black-friday")).to.throw(BadInputError, "black-thursday-2020-03");
  });
});

describe("JSON scenarios", () => {
  it("convert prices exactly", () => {
    expect(json({}).close).to.deep.equal([wad("195.23"), wad("194.12")]);
    expect(json({ priceUnit: "USD per ETH", open: 0.1, close: [0.1, 0.3] }).close[1]).to.equal(
      wad("0.3"),
    );
  });

  const faults: [string, Record<string, unknown>, string][] = [
    ["a missing close", { close: undefined }, "close"],
    ["a price of zero", { close: [19523, 0] }, "close[1]"],
    ["a negative price", { close: [-1, 19523] }, "close[0]"],
    ["a price that is text", { close: [19523, "19412"] }, "close[1]"],
    ["an absurd price", { open: 1e15 }, "open"],
    ["an absurd move", { close: [19523, 195230000] }, "close[1]"],
    ["an empty path", { close: [] }, "close"],
    ["a bar of a second", { stepSeconds: 1 }, "stepSeconds"],
    ["a bar of a day", { stepSeconds: 86_400 }, "stepSeconds"],
    ["an unknown price unit", { priceUnit: "EUR" }, "priceUnit"],
    ["an impossible date", { startsAt: "2020-02-31T00:00:00Z" }, "startsAt"],
    ["a date before the chain's time", { startsAt: "1970-01-01T00:00:00Z" }, "startsAt"],
    ["fewer highs than closes", { high: [20000] }, "high"],
    ["a high below the close", { high: [19523, 19000] }, "high[1]"],
    ["a low above the close", { low: [19524, 19000] }, "low[0]"],
    ["a name that is a path", { name: "../escape" }, "name"],
    ["too many decimals", { priceUnit: "USD per ETH", open: 0.123456789, close: [0.5] }, "open"],
  ];
  for (const [fault, changes, field] of faults) {
    it(`name the field at ${fault}`, () => {
      expect(() => json(changes)).to.throw(BadInputError, `scenario tiny.json: ${field}`);
    });
  }

  const allowed: [string, Record<string, unknown>, string][] = [
    ["a price of zero", { close: [19523, 0] }, "close[1]: must be a positive decimal number"],
    ["a price that is text", { open: "1" }, "open: must be a positive decimal number such as"],
    ["a path that is no list", { close: 5 }, "close: must be a list of 1 to 100000 prices"],
    ["a title that is a number", { title: 5 }, "title: must be text of 1 to 200 characters"],
    ["a fractional bar", { stepSeconds: 60.5 }, "stepSeconds: must be a whole number from 12 to"],
    ["a missing unit", { priceUnit: undefined }, "priceUnit: must be one of: USD cents per ETH"],
    ["a time that is a number", { startsAt: 5 }, "startsAt: must be an ISO 8601 time such as"],
    ["gas that is a number", { gasPriceGwei: 5 }, "gasPriceGwei: must be an object with"],
  ];
  for (const [fault, changes, message] of allowed) {
    it(`say what is allowed at ${fault}`, () => {
      expect(() => json(changes)).to.throw(BadInputError, `scenario tiny.json: ${message}`);
    });
  }

  it("say so when the text is no scenario", () => {
    expect(() => parseJsonScenario("[]", "x.json")).to.throw(
      BadInputError,
      "scenario x.json: the file: must be an object",
    );
  });

  it("say so when the text is no JSON", () => {
    expect(() => parseJsonScenario("{", "x.json")).to.throw(
      BadInputError,
      "scenario x.json is not JSON",
    );
  });
});

describe("CSV scenarios", () => {
  it("read seconds, milliseconds and ISO times alike", () => {
    const seconds = csv(
      "time,close",
      "1583971200,194.61",
      "1583971500,195.23",
      "1583971800,194.12",
    );
    const milliseconds = csv(
      "time,close",
      "1583971200000,194.61",
      "1583971500000,195.23",
      "1583971800000,194.12",
    );
    const iso = csv(
      "time,close",
      "2020-03-12T00:00:00Z,194.61",
      "2020-03-12T00:05:00Z,195.23",
      "2020-03-12 00:10:00,194.12",
    );
    expect(milliseconds).to.deep.equal(seconds);
    expect(iso).to.deep.equal(seconds);
    expect(seconds.stepSeconds).to.equal(300);
    expect(seconds.open).to.equal(wad("194.61"));
    expect(seconds.close).to.deep.equal([wad("194.61"), wad("195.23"), wad("194.12")]);
  });

  it("read every optional column, in any order, and ignore others", () => {
    const scenario = csv(
      "volume,close,low,high,open,time,gas_gwei",
      "9,2,1,4,3,1583971200,30",
      "9,3,2,5,2,1583971260,31.5",
    );
    expect(scenario.open).to.equal(wad("3"));
    expect(scenario.high).to.deep.equal([wad("4"), wad("5")]);
    expect(scenario.low).to.deep.equal([wad("1"), wad("2")]);
    expect(scenario.gasPriceGwei?.values).to.deep.equal([30, 31.5]);
  });

  it("tolerate a byte order mark, Windows line ends, blank lines and quotes", () => {
    const scenario = parseCsvScenario(
      '\uFEFFTime,Close\r\n\r\n"1583971200","2"\r\n1583971500, 3\r\n',
      "w.csv",
      "w",
    );
    expect(scenario.close).to.deep.equal([wad("2"), wad("3")]);
  });

  const good = ["1583971200,194.61", "1583971500,195.23"];
  const faults: [string, string[], string][] = [
    ["text for a price", ["time,close", ...good, "1583971800,abc"], 'row 4, column close: "abc"'],
    ["an empty price", ["time,close", ...good, "1583971800,"], "row 4, column close"],
    ["a negative price", ["time,close", ...good, "1583971800,-5"], "row 4, column close: -5"],
    ["a price of zero", ["time,close", "1583971200,0", "1583971500,1"], "row 2, column close"],
    ["an absurd move", ["time,close", ...good, "1583971800,99999"], "row 4, column close"],
    ["a bad high", ["time,close,high", "1583971200,2,3", "1583971500,2,1"], "row 3, column high"],
    [
      "an unreadable time",
      ["time,close", ...good, "yesterday,194"],
      'row 4, column time: "yesterday"',
    ],
    [
      "an impossible date",
      ["time,close", ...good, "2020-13-01T00:00:00Z,194"],
      "row 4, column time",
    ],
    ["30 February", ["time,close", ...good, "2024-02-30T00:00:00Z,194"], "row 4, column time"],
    ["30 February in a zone", ["time,close", "2024-02-30T23:00+02:00,1", "x,1"], "row 2, column"],
    ["a gap between rows", ["time,close", ...good, "1583972400,194"], "row 4, column time: 900 s"],
    [
      "rows in the wrong order",
      ["time,close", "1583971500,1", "1583971200,1"],
      "row 3, column time",
    ],
    ["a row with a missing field", ["time,close", ...good, "1583971800"], "row 4, column close"],
    ["a row with a field too many", ["time,close", ...good, "1583971800,1,2"], "row 4"],
    ["a header without close", ["time,price", ...good], "row 1, column close"],
    [
      "a column twice",
      ["time,close,close", "1583971200,1,1", "1583971500,1,1"],
      "row 1, column close",
    ],
    [
      "a negative gas price",
      ["time,close,gas_gwei", "1583971200,1,1", "1583971500,1,-1"],
      "row 3, column gas_gwei",
    ],
    ["an unfinished quote", ["time,close", ...good, '1583971800,"194'], "row "],
  ];
  for (const [fault, lines, message] of faults) {
    it(`name row and column at ${fault}`, () => {
      expect(() => csv(...lines)).to.throw(BadInputError, `scenario path.csv: ${message}`);
    });
  }

  it("say which numbers and moves are allowed", () => {
    const throws = (value: string, message: string) =>
      expect(() => csv("time,close", ...good, `1583971800,${value}`)).to.throw(message);
    throws("1e2", '"1e2" is not a positive decimal number such as 194.61');
    throws("99999", "195.23 to 99999; at most a factor of 10 from one bar to the next");
  });

  it("escape and cut what they cannot read", () => {
    const value = `\u001b[31m\u009b${"x".repeat(1000)}`;
    expect(() => csv("time,close", ...good, `1583971800,${value}`)).to.throw(
      `"\\u001b[31m\\u{9b}${"x".repeat(34)}..." is not`,
    );
  });

  it("read the last day of February", () => {
    const scenario = csv("time,close", "2024-02-29T23:30:00-05:00,1", "2024-03-01T04:35:00Z,1");
    expect(scenario.startsAt).to.equal(Date.UTC(2024, 2, 1, 4, 30) / 1000);
  });

  it("count rows as an editor does, blank lines included", () => {
    expect(() => csv("time,close", "1583971200,1", "", "1583971500,x")).to.throw(
      BadInputError,
      "row 4, column close",
    );
  });

  it("refuse an empty file and a single row", () => {
    expect(() => parseCsvScenario("", "e.csv", "e")).to.throw(BadInputError, "is empty");
    expect(() => csv("time,close", "1583971200,1")).to.throw(BadInputError, "at least 2");
  });
});
