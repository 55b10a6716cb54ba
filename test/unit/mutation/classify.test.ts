import { expect } from "chai";
import fc from "fast-check";
import {
  baselineFault,
  type Failure,
  failureKind,
  type RunResult,
  solidityFailureKind,
  verdictOf,
} from "../../../src/mutation/classify.ts";
import type { Outcome, Trial, Verdict } from "../../../src/mutation/mutant.ts";
import {
  countsLine,
  countsOf,
  killRate,
  trialsJson,
  trialTable,
} from "../../../src/mutation/report.ts";
import { expectNear } from "../../support/expectNear.ts";

const thrownBy = (action: () => void): unknown => {
  try {
    action();
  } catch (thrown) {
    return thrown;
  }
  return undefined;
};
const ran = (passed: number, ...failures: Failure[]): RunResult => ({
  kind: "ran",
  run: { passed, failures },
});
const failure = (kind: Failure["kind"], test = "a test"): Failure => ({
  kind,
  test,
  message: "because",
});

describe("A failed test", () => {
  it("failed by an assertion when chai, or a property around it, says so", () => {
    expect(failureKind(thrownBy(() => expect(1).to.equal(2)))).to.equal("assertion");
    const property = fc.property(fc.nat(), (n) => {
      expect(n).to.equal(-1);
    });
    expect(failureKind(thrownBy(() => fc.assert(property)))).to.equal("assertion");
  });

  it("failed by a revert when the chain says so", () => {
    const message = "VM Exception while processing transaction: reverted with panic code 0x11";
    expect(failureKind(new Error(message))).to.equal("revert");
    expect(failureKind(new Error("property", { cause: new Error(message) }))).to.equal("revert");
    expect(failureKind(Object.assign(new Error("?"), { code: "CALL_EXCEPTION" }))).to.equal(
      "revert",
    );
  });

  it("otherwise crashed, or ran out of time", () => {
    expect(failureKind(new TypeError("undefined is not a function"))).to.equal("crash");
    expect(failureKind("text")).to.equal("crash");
    const timeout = Object.assign(new Error("Timeout"), { code: "ERR_MOCHA_TIMEOUT" });
    expect(failureKind(timeout)).to.equal("timeout");
  });

  it("in Solidity asserts by require's sentences and by assert", () => {
    expect(solidityFailureKind("test_a()", "the fee keeps its bounds")).to.equal("assertion");
    expect(solidityFailureKind("test_a()", "panic: assertion failed (0x01)")).to.equal("assertion");
    expect(solidityFailureKind("test_a()", "panic: arithmetic underflow (0x11)")).to.equal(
      "revert",
    );
    expect(solidityFailureKind("test_a()", "EvmError: Revert")).to.equal("revert");
    expect(solidityFailureKind("test_a()", undefined)).to.equal("revert");
    expect(solidityFailureKind("setUp()", "the fee keeps its bounds")).to.equal("crash");
  });
});

describe("A mutant", () => {
  it("is killed by the first assertion, whatever else failed", () => {
    const result = ran(3, failure("crash"), failure("revert"), failure("assertion", "the killer"));
    expect(verdictOf(result)).to.deep.equal({ verdict: "killed", by: "the killer" });
  });

  it("is told apart from a killed one when tests met an unexpected revert only", () => {
    expect(verdictOf(ran(0, failure("crash"), failure("revert"))).verdict).to.equal("reverted");
  });

  it("survives when tests ran and all passed", () => {
    expect(verdictOf(ran(1))).to.deep.equal({ verdict: "survived", by: "" });
  });

  it("is invalid when nothing was learned", () => {
    for (const result of [
      ran(0),
      ran(5, failure("crash")),
      ran(5, failure("timeout")),
      { kind: "not built", message: "ParserError" },
      { kind: "stopped", message: "gave up after 9 s" },
    ] satisfies RunResult[])
      expect(verdictOf(result).verdict, JSON.stringify(result)).to.equal("invalid");
    expect(verdictOf({ kind: "not built", message: "ParserError" }).by).to.equal(
      "does not compile: ParserError",
    );
  });

  it("can only be judged by tests that run and pass without it", () => {
    expect(baselineFault(ran(1))).to.equal(undefined);
    expect(baselineFault(ran(0))).to.equal("no test runs");
    expect(baselineFault(ran(1, failure("crash")))).to.match(/"a test" fails without any mutant/);
    expect(baselineFault({ kind: "not built", message: "?" })).to.match(/do not compile/);
    expect(baselineFault({ kind: "stopped", message: "died" })).to.equal("died");
  });
});

describe("A report on mutants", () => {
  const trial = (verdict: Verdict, by = ""): Trial => ({
    mutant: {
      id: `id-${verdict}`,
      title: "A fault.",
      tests: { files: ["test/unit/A.test.ts"], grep: "x" },
      files: new Map(),
    },
    outcome: { verdict, by, seconds: 1.26 } satisfies Outcome,
  });
  const trials = [trial("killed", "a test"), trial("reverted"), trial("survived")];

  it("counts, and leaves the invalid out of the rate", () => {
    const all = [...trials, trial("invalid")];
    expect(countsLine(all)).to.equal("4 mutants: 1 killed, 1 reverted, 1 survived, 1 invalid");
    expectNear(killRate(countsOf(all)) ?? 0, 66.67, 0.01);
    expect(killRate(countsOf([trial("invalid")]))).to.equal(undefined);
  });

  it("shows a row and keeps a record of each", () => {
    const table = trialTable(trials);
    for (const text of ["id-killed: A fault.", "A.test.ts (x)", "a test", "1.3"])
      expect(table).to.include(text);
    const [first] = JSON.parse(trialsJson(trials)).mutants;
    expect(first).to.deep.equal({
      id: "id-killed",
      title: "A fault.",
      tests: ["test/unit/A.test.ts"],
      grep: "x",
      result: "killed",
      by: "a test",
      seconds: 1.3,
    });
  });
});
