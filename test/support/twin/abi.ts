import { type BytesLike, Interface, type LogDescription, type ParamType } from "ethers";
import type { AbiValue, ContractError } from "../../../src/math/revert.ts";
import type { Action, ContractName } from "../../../src/model/calls.ts";
import type { ChainLog } from "../../../src/simulation/evmChain.ts";

/** A contract of the deployment as calls and logs need it. */
export interface Callable {
  readonly address: string;
  readonly interface: Interface;
}

/** A decoded log. */
export interface ChainEvent {
  readonly from: ContractName;
  readonly name: string;
  readonly args: { readonly [name: string]: AbiValue };
}

export type Contracts = Readonly<Record<ContractName, Callable>>;

/** Errors of libraries that are inlined, and so appear in no contract's interface. */
const INLINED = new Interface(
  [
    ...["TransferFailed", "TransferFromFailed", "ApproveFailed", "Overflow"],
    ...["FullMulDivFailed", "MulDivFailed", "MulWadFailed", "SMulWadFailed", "DivWadFailed"],
    ...["SDivWadFailed", "DivFailed", "ExpOverflow", "LnWadUndefined", "OutOfDomain"],
  ].map((name) => `error ${name}()`),
);

/** A decoded value as the model has it: structs are objects by name. */
export function plain(type: ParamType, value: unknown): AbiValue {
  if (type.baseType === "tuple") {
    const members = value as readonly unknown[];
    return Object.fromEntries(
      type.components!.map((component, i) => [component.name, plain(component, members[i])]),
    );
  }
  return value as AbiValue;
}

/** Calldata of an action. LP tokens call amounts `amount`, the other tokens `value`. */
export function encode(contracts: Contracts, { to, method, args }: Action): string {
  const { interface: abi } = contracts[to];
  const values = args as Readonly<Record<string, unknown>>;
  const inputs = abi.getFunction(method)!.inputs.map(({ name }) => {
    if (name in values) return values[name];
    if (name === "amount" && "value" in values) return values.value;
    if (name === "data") return "0x";
    throw new Error(`${to}.${method} wants an argument ${name}`);
  });
  return abi.encodeFunctionData(method, inputs);
}

/** What a call returned: one value as it is, several as an object by name. */
export function decodeResult(
  { interface: abi }: Callable,
  method: string,
  data: BytesLike,
): AbiValue | undefined {
  const { outputs } = abi.getFunction(method)!;
  const values = abi.decodeFunctionResult(method, data);
  if (outputs.length < 2) return outputs[0] && plain(outputs[0], values[0]);
  return Object.fromEntries(outputs.map((type, i) => [type.name, plain(type, values[i])]));
}

/** The custom error or panic in revert data. */
export function decodeError(contracts: Contracts, data: string): ContractError {
  for (const abi of [INLINED, ...Object.values(contracts).map((c) => c.interface)]) {
    const error = data.length < 10 ? null : abi.parseError(data);
    if (error !== null) {
      const args = error.fragment.inputs.map((type, i) => plain(type, error.args[i]));
      return { name: error.name, args };
    }
  }
  return { name: "Unknown", args: [data] };
}

/** Logs of the deployment's contracts, in order. The reason of a failed order is an error again. */
export function decodeLogs(contracts: Contracts, logs: readonly ChainLog[]): ChainEvent[] {
  return logs.map((log) => {
    for (const [name, { address, interface: abi }] of Object.entries(contracts)) {
      if (address.toLowerCase() !== log.address.toLowerCase()) continue;
      const parsed = abi.parseLog(log);
      if (parsed !== null) return toEvent(contracts, name as ContractName, parsed);
    }
    throw new Error(`a log of ${log.address} that no contract knows: ${log.topics[0]}`);
  });
}

function toEvent(
  contracts: Contracts,
  from: ContractName,
  { name, args, fragment }: LogDescription,
): ChainEvent {
  const entries = fragment.inputs.map((type, i): [string, AbiValue] => {
    if (type.type !== "bytes") return [type.name, plain(type, args[i])];
    const { name: reason, args: values } = decodeError(contracts, String(args[i]));
    return [type.name, { name: reason, args: values }];
  });
  return { from, name, args: Object.fromEntries(entries) };
}
