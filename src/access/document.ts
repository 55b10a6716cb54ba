import { artifacts } from "hardhat";
import { ACCESS, LINKED, OWN_ROLE, ROLES, type Role, type Rule } from "./matrix.ts";

/** Where the document is, from the repository's root. */
export const ACCESS_DOCUMENT = "docs/access.md";

/** What is read of an ABI's entry. */
interface AbiEntry {
  readonly type: string;
  readonly name?: string;
  readonly stateMutability?: string;
}

/**
 * The matrix as markdown. Contracts must be built: the names of their views come from the artifacts.
 */
export async function accessDocument(): Promise<string> {
  const sections: string[] = [];
  for (const [contract, functions] of Object.entries(ACCESS)) {
    const { abi } = await artifacts.readArtifact(contract);
    sections.push(section(contract, functions, viewNames(abi)));
  }
  return `${[HEAD, ...sections, linkedSection()].join("\n\n")}\n`;
}

const HEAD = `# Who may call what

Every function that may change state, and who may call it. The file is written by \`npm run access\` from
\`src/access/matrix.ts\`; \`test/access/\` makes every call as every role and fails when one is missing. "yes" is everybody
of that kind, an error is what they are told instead. What a caller may move is its own: tokens it has approved, margin it
has deposited, shares it owns or was allowed to spend.

${Object.entries(ROLES)
  .map(([role, meaning]) => `- ${role}: ${meaning}`)
  .join("\n")}`;

function section(
  contract: string,
  functions: Readonly<Record<string, Rule>>,
  views: readonly string[],
): string {
  const entries = Object.entries(functions);
  const lines = [`## ${contract}`];
  const open = entries.filter(([, { allowed }]) => allowed === undefined);
  if (open.length > 0)
    lines.push(`Everyone: ${open.map(([signature]) => `\`${nameOf(signature)}\``).join(", ")}.`);
  const closed = entries.filter(([, { allowed }]) => allowed !== undefined);
  if (closed.length > 0) {
    const roles = (Object.keys(ROLES) as Role[]).filter((role) => role !== OWN_ROLE[contract]);
    const rows = closed.map(([signature, rule]) => [
      `\`${nameOf(signature)}\``,
      ...roles.map((role) => (rule.allowed?.includes(role) === true ? "yes" : "no")),
      `\`${rule.error}\``,
    ]);
    const head = ["function", ...roles, "error"];
    lines.push(
      [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"),
    );
  }
  if (views.length > 0)
    lines.push(`Views, everyone's: ${views.map((name) => `\`${name}\``).join(", ")}.`);
  return lines.join("\n\n");
}

function linkedSection(): string {
  const lines = Object.entries(LINKED).map(([library, functions]) => {
    const names = (kind: string) =>
      Object.entries(functions)
        .filter(([, found]) => found === kind)
        .map(([name]) => `\`${name}\``)
        .join(", ");
    return `- \`${library}\`: refused to everyone: ${names("refused")}; views: ${names("view")}`;
  });
  return `## Linked libraries, called at their own address\n\n${lines.join("\n")}`;
}

function viewNames(abi: readonly AbiEntry[]): string[] {
  const names = abi
    .filter(({ type, stateMutability }) => type === "function" && isView(stateMutability))
    .map(({ name = "" }) => name);
  return [...new Set(names)].sort();
}

/** Whether a function of this mutability can change nothing. */
export function isView(stateMutability: string | undefined): boolean {
  return stateMutability === "view" || stateMutability === "pure";
}

function nameOf(signature: string): string {
  return signature.replace(/\(.*$/, "");
}
