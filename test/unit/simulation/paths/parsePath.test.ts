import { expect } from "chai";
import { BadInputError } from "../../../../src/simulation/errors.ts";
import { loadMarket, loadScenario } from "../../../../src/simulation/loadScenario.ts";
import { isSyntheticPath, parsePath } from "../../../../src/simulation/paths/parsePath.ts";
import { pathOfScenario } from "../../../../src/simulation/paths/pricePath.ts";
import {
  gaps,
  geometricBrownianMotion,
  heston,
  mertonJumps,
} from "../../../../src/simulation/paths/processes.ts";
import { sliceScenario } from "../../../../src/simulation/scenario.ts";
import { parseCsvScenario } from "../../../../src/simulation/scenarioCsv.ts";
import { expectNear } from "../../../support/expectNear.ts";
import { frame, prices, wad } from "./fixture.ts";

describe("paths by name", () => {
  it("are those of the process with the settings given", () => {
    const shape = frame({ steps: 48, stepSeconds: 1_800, open: wad("150.25"), seed: 9 });
    const common = "open=150.25,days=1,step=1800,sigma=1.2,drift=-0.5";
    const diffusion = { sigma: 1.2, drift: -0.5 };
    const cases = [
      [`gbm:${common}`, geometricBrownianMotion(shape, diffusion)],
      [
        `merton:${common},intensity=500,jumpMean=0.1,jumpDeviation=0.2`,
        mertonJumps(shape, { ...diffusion, intensity: 500, jumpMean: 0.1, jumpDeviation: 0.2 }),
      ],
      [
        `heston:reversion=5,volOfVol=1.5,correlation=-1,${common}`,
        heston(shape, { ...diffusion, reversion: 5, volOfVol: 1.5, correlation: -1 }),
      ],
      [
        `gap:size=-0.35/0.2,at=47/0,${common}`,
        gaps(shape, {
          ...diffusion,
          gaps: new Map([
            [47, -0.35],
            [0, 0.2],
          ]),
        }),
      ],
    ] as const;
    for (const [text, path] of cases) {
      const parsed = parsePath(text, 9);
      expect(parsed.name).to.equal(text);
      expect(parsed.startsAt).to.equal(shape.startsAt);
      expect(prices(parsed), text).to.deep.equal(prices(path));
    }
  });

  it("have defaults: two days of five minutes from 2,000 at a volatility of 80 %", () => {
    const path = parsePath("gbm", 1);
    const { open, steps, stepSeconds } = path;
    expect([open, steps, stepSeconds]).to.deep.equal([wad("2000"), 576, 300]);
    expect(prices(path)).to.deep.equal(prices(parsePath("gbm:sigma=0.8,drift=0", 1)));
    for (const text of ["merton", "heston"]) expect(parsePath(text, 1).steps).to.equal(576);
  });

  it("spread gaps evenly when not told where", () => {
    const fall = prices(parsePath("gap:sigma=0,size=-0.5/-0.2", 1));
    expect(fall[192]).to.equal(2_000);
    expectNear(fall[193] ?? 0, 1_000, 1e-7);
    expectNear(fall[384] ?? 0, 1_000, 1e-7);
    expectNear(fall[385] ?? 0, 800, 1e-7);
  });

  it("go down to blocks of 12 seconds and up to bars of an hour", () => {
    expect(parsePath("gbm:step=12,days=1", 1).steps).to.equal(7_200);
    expect(parsePath("gbm:step=3600,days=0.5", 1).steps).to.equal(12);
  });

  it("are told from scenarios and files", () => {
    for (const text of ["gbm", "gbm:", "gap:size=1", "heston:x"]) {
      expect(isSyntheticPath(text)).to.equal(true);
    }
    for (const text of ["black-thursday-2020-03", "gbm.csv", "./gbm", ""]) {
      expect(isSyntheticPath(text)).to.equal(false);
    }
    expect(loadMarket("gbm:days=1", 3).path.steps).to.equal(288);
    expect(loadMarket("black-thursday-2020-03", 3).path.steps).to.equal(576);
    expect(() => loadMarket("gbn:days=1", 3)).to.throw(BadInputError, "unknown scenario");
  });

  const faults: [string, string][] = [
    ["", 'the process "" is unknown; available: gbm, merton, heston, gap'],
    ["toString:x=1", 'the process "toString" is unknown; available: gbm, merton, heston, gap'],
    ["GBM", 'the process "GBM" is unknown'],
    ["gbm:sigma", 'settings: "sigma" is not of the form name=value'],
    ["gbm:sigma=1=2", 'settings: "sigma=1=2" is not of the form name=value'],
    ["gbm:sigma=1,", 'settings: "" is not of the form name=value'],
    ["gbm:=1", 'settings: "=1" is not of the form name=value'],
    ["gbm:sigma=1,sigma=1", "sigma: is given twice"],
    ["gbm:sgima=1", '"sgima": is unknown; available: sigma, drift, open, days, step'],
    ["gbm:intensity=1", '"intensity": is unknown'],
    ["gbm:sigma=", 'sigma: "" is not a number from 0 to 5 with at most 8 decimals'],
    ["gbm:sigma=-0.1", 'sigma: "-0.1" is not a number from 0 to 5'],
    ["gbm:sigma=5.00000001", "sigma: "],
    ["gbm:sigma=1e-1", 'sigma: "1e-1" is not a number'],
    ["gbm:sigma=Infinity", "sigma: "],
    ["gbm:sigma=0x1", "sigma: "],
    ["gbm:drift=11", 'drift: "11" is not a number from -10 to 10'],
    ["gbm:open=0", 'open: "0" is not a number from 0.01 to 10000000'],
    ["gbm:open=1.123456789", "open: "],
    ["gbm:step=11", 'step: "11" is not a number from 12 to 3600'],
    ["gbm:step=60.5", "step: 60.5 is not a whole number of seconds"],
    ["gbm:step=7200", "step: "],
    ["gbm:days=0", "days: "],
    ["gbm:step=700", "days: 2 days are not a whole number of steps of 700 s"],
    ["gbm:days=0.001,step=3600", "days: 0.001 days are not a whole number of steps of 3600 s"],
    ["merton:intensity=-1", 'intensity: "-1" is not a number from 0 to 10000'],
    ["merton:jumpMean=-2", 'jumpMean: "-2" is not a number from -1 to 1'],
    ["merton:jumpDeviation=1", 'jumpDeviation: "1" is not a number from 0 to 0.5'],
    ["heston:sigma=0", 'sigma: "0" is not a number from 0.01 to 5'],
    ["heston:reversion=0", 'reversion: "0" is not a number from 0.1 to 1000'],
    ["heston:volOfVol=0", 'volOfVol: "0" is not a number from 0.01 to 20'],
    ["heston:correlation=1.5", 'correlation: "1.5" is not a number from -1 to 1'],
    ["gap", "size: is missing; such as size=-0.35"],
    ["gap:size=-1", 'size: "-1" is not a number from -0.9 to 9'],
    ["gap:size=-0.1/x", 'size: "x" is not a number'],
    ["gap:size=-0.1,at=576", 'at: "576" is not a step from 0 to 575'],
    ["gap:size=-0.1,at=-1", 'at: "-1" is not a step'],
    ["gap:size=-0.1,at=1/2", "at: 2 steps for 1 sizes"],
    ["gap:size=-0.1/0.1,at=3/3", "at: two gaps in one step"],
  ];
  for (const [text, message] of faults) {
    it(`say what is wrong with ${JSON.stringify(text)}`, () => {
      const start = `path ${JSON.stringify(text)}: `;
      expect(() => parsePath(text, 1)).to.throw(BadInputError, `${start}${message}`);
      expect(() => parsePath(text, 1)).to.throw(/^[^\n]*$/);
    });
  }
});

describe("paths of scenarios", () => {
  const scenario = loadScenario("black-thursday-2020-03");

  it("have every figure of the file", () => {
    const path = pathOfScenario(scenario);
    const bars = [...path.bars()];
    expect(path.steps).to.equal(576);
    expect(path.open).to.equal(scenario.open);
    expect(bars.map(({ close }) => close)).to.deep.equal(scenario.close);
    expect(bars.map(({ high }) => high)).to.deep.equal(scenario.high);
    expect(bars.map(({ low }) => low)).to.deep.equal(scenario.low);
  });

  it("keep a CSV file's gas prices, and have no figures the file has not", () => {
    const csv = "time,close,gas_gwei\n1583971200,2,30\n1583971260,3,31.5\n";
    expect([...pathOfScenario(parseCsvScenario(csv, "a.csv", "a")).bars()]).to.deep.equal([
      { close: wad("2"), gasPriceGwei: 30 },
      { close: wad("3"), gasPriceGwei: 31.5 },
    ]);
    const plain = "time,close\n1583971200,2\n1583971260,3\n";
    expect([...pathOfScenario(parseCsvScenario(plain, "a.csv", "a")).bars()]).to.deep.equal([
      { close: wad("2") },
      { close: wad("3") },
    ]);
  });

  it("keep highs, lows and gas prices when cut", () => {
    const whole = [...pathOfScenario(scenario).bars()];
    for (const [from, to] of [
      [131, 140],
      [280, 300],
      [400, 410],
    ] as const) {
      const cut = [...pathOfScenario(sliceScenario(scenario, from, to)).bars()];
      expect(cut).to.deep.equal(whole.slice(from, to));
    }
    expect(sliceScenario(scenario, 400, 410)).not.to.have.property("gasPriceGwei");
  });
});
