import { expect } from "chai";
import { network } from "hardhat";
import { type DeploymentSettings, deployProtocol } from "../../../deploy/deployProtocol.ts";
import { deployFeed } from "../../support/oracleFixture.ts";

const connection = await network.create();
const { ethers } = connection;

describe("The protocol's oracles as deployed", () => {
  it("know no sequencer and average the pool over half an hour by default", async () => {
    const { priceOracle, volatilityOracle, pool } = await deployProtocol(connection);
    expect(await priceOracle.sequencerFeed()).to.equal(ethers.ZeroAddress);
    expect(await volatilityOracle.twapWindowSeconds()).to.equal(1_800n);
    expect(await volatilityOracle.pool()).to.equal(await pool.getAddress());
  });

  it("watch the sequencer and average over the window they are told to", async () => {
    const sequencer = await deployFeed(connection, 0n, 0n);
    const sequencerFeed = await sequencer.getAddress();
    await connection.networkHelpers.time.increase(3_671n);
    const { priceOracle, volatilityOracle } = await deployProtocol(connection, {
      sequencerFeed,
      sequencerGraceSeconds: 3_671n,
      twapWindowSeconds: 1_807n,
    });
    expect(await priceOracle.sequencerFeed()).to.equal(sequencerFeed);
    expect((await priceOracle.guard()).sequencerGraceSeconds).to.equal(3_671n);
    expect(await volatilityOracle.twapWindowSeconds()).to.equal(1_807n);
  });

  for (const [name, least, most] of [
    ["heartbeatSeconds", 60n, 90_000n],
    ["sequencerGraceSeconds", 60n, 90_000n],
    ["twapWindowSeconds", 600n, 86_400n],
  ] as const) {
    for (const seconds of [least - 1n, most + 1n]) {
      it(`are not deployed with ${name} of ${seconds}`, async () => {
        const settings: Partial<DeploymentSettings> = { [name]: seconds };
        const message = await deployProtocol(connection, settings).then(
          () => "deployed",
          (error: unknown) => String(error),
        );
        expect(message).to.equal(`RangeError: ${name} is ${seconds}; allowed: ${least} to ${most}`);
      });
    }
  }
});
