import { MAX_UINT256, WALLET } from "./conditions.ts";
import { call, compiled, type Deployed, type GasChain } from "./gasChain.ts";

/** Three tokens by rising address. Pools are of the first and the second, and of the second and the third. */
export type Tokens = readonly [Deployed, Deployed, Deployed];

const TOKEN_DECIMALS = 18;

/** Deploys three OpenZeppelin tokens and gives the user plenty of each. */
export async function deployTokens(chain: GasChain): Promise<Tokens> {
  const code = await compiled("MockERC20");
  const deploy = async (name: string): Promise<Deployed> => {
    const token = await chain.deploy(code, `Token ${name}`, name, TOKEN_DECIMALS);
    await chain.send(call(token, "mint", [chain.user, WALLET]));
    return token;
  };
  const tokens: [Deployed, Deployed, Deployed] = [
    await deploy("A"),
    await deploy("B"),
    await deploy("C"),
  ];
  tokens.sort((a, b) => (BigInt(a.address) < BigInt(b.address) ? -1 : 1));
  return tokens;
}

/** Lets a contract take any amount of the tokens from the user. */
export async function approve(
  chain: GasChain,
  spender: Deployed,
  ...tokens: readonly Deployed[]
): Promise<void> {
  await chain.send(
    ...tokens.map((token) => call(token, "approve", [spender.address, MAX_UINT256])),
  );
}
