import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";

/** Each rule returns one line per violation; an empty list means that the repository obeys it. */
export type Rule = () => string[];

const MAX_FILE_LINES = 600;
/** EIP-170: a larger contract cannot be deployed. */
const MAX_BYTECODE_BYTES = 24_576;

/** npm's own commands; any other `npm x` is short for a script. */
const NPM_COMMANDS = new Set(["ci", "install", "run", "exec", "pack", "update"]);
/** `npm run x` anywhere; `npm x` only where code begins, since prose speaks of npm too. */
const NPM_CALL = /\bnpm run ([\w:-]+)|(?<=^|`|& )npm ([a-z]+)/gm;

interface Boundary {
  files: RegExp;
  mayImport: (target: string) => boolean;
  because: string;
}

/** The direction of dependencies: `target` is a path from the repository's root, or a package. */
const BOUNDARIES: Boundary[] = [
  {
    files: /^src\/math\//,
    mayImport: (target) => target.startsWith("src/math/"),
    because: "src/math imports nothing but src/math",
  },
  {
    files: /^src\/model\//,
    mayImport: (target) => /^src\/(math\/|model\/|deploymentS\w+\.ts$)/.test(target),
    because: "src/model imports src/math, itself and the deployment's settings, nothing else",
  },
  {
    files: /^src\/(deploymentS\w+|units)\.ts$/,
    mayImport: (target) => /^src\/(math\/|deploymentS\w+\.ts$)/.test(target),
    because: "what the package ships beside src/model needs src/math at most",
  },
  {
    files: /^src\//,
    mayImport: (target) => !target.startsWith("scripts/"),
    because: "scripts are entry points, nothing imports them",
  },
  {
    files: /^contracts\/(oracle|margin|rebalance|pool)\//,
    mayImport: (target) => !target.startsWith("contracts/periphery/"),
    because: "the core never imports the periphery",
  },
  {
    files: /^contracts\/pool\//,
    mayImport: (target) => !target.startsWith("contracts/margin/"),
    because: "the pool knows nothing of margin trading",
  },
  {
    files: /^contracts\/libraries\/\w+Math\.sol$/,
    mayImport: (target) => !/^contracts\/(?!libraries\/)/.test(target),
    because: "math libraries import nothing but math",
  },
  {
    files: /^contracts\/(?!mocks\/)/,
    mayImport: (target) => !target.startsWith("contracts/mocks/"),
    because: "mocks are for tests",
  },
];

/** What makes an answer inexact, or another one on the next run. */
const INEXACT =
  /\b(?:Number|parseFloat|parseInt)\b|\b(?:Math|Intl)\.|\bDate\b|\bperformance\b|\bcrypto\b|\brandom\w*\(|\d\.\d|\b\d[\d_]*[eE][-+]?\d/g;
/** Functions whose doubles are a first guess or a place in a table: their results are exact. */
const GUESSES: Readonly<Record<string, readonly string[]>> = {
  "src/math/fixedPoint.ts": ["sqrt", "cbrtWad", "highestBit"],
  "src/math/memo.ts": ["remember"],
};

export const repositoryRules: Record<string, Rule> = {
  "documented commands exist": documentedCommands,
  [`files have at most ${MAX_FILE_LINES} lines`]: fileLengths,
  "imports keep their direction": importDirections,
  "mathematics and model are exact": exactNumbers,
  "no test is focused or skipped": focusedTests,
  "contracts fit the size limit": bytecodeSizes,
};

function documentedCommands(): string[] {
  const scripts: object = JSON.parse(read("package.json")).scripts;
  const missing = existsSync("README.md") ? [] : ["README.md is missing"];
  for (const file of globSync(["*.md", "docs/**/*.md"])) {
    for (const [command, viaRun, short] of read(file).matchAll(NPM_CALL)) {
      if (short !== undefined && NPM_COMMANDS.has(short)) continue;
      const name = viaRun ?? short ?? "";
      if (!(name in scripts)) missing.push(`${file}: ${command} is not in package.json`);
    }
  }
  return missing;
}

function fileLengths(): string[] {
  return sources().flatMap((file) => {
    const lines = read(file).split("\n").length - 1;
    return lines > MAX_FILE_LINES ? [`${file} has ${lines} lines`] : [];
  });
}

function importDirections(): string[] {
  return sources().flatMap((file) =>
    BOUNDARIES.filter(({ files }) => files.test(file)).flatMap(({ mayImport, because }) =>
      imports(file)
        .filter((target) => !mayImport(target))
        .map((target) => `${file} imports ${target}: ${because}`),
    ),
  );
}

function exactNumbers(): string[] {
  return globSync("src/{math,model}/**/*.ts").flatMap((file) => {
    const guesses = GUESSES[file] ?? [];
    let within = "";
    return withoutText(read(file))
      .split("\n")
      .flatMap((line, i) => {
        within = /^(?:export )?(?:function|const|class) (\w+)/.exec(line)?.[1] ?? within;
        if (guesses.includes(within)) return [];
        return [...line.matchAll(INEXACT)].map(([found]) => `${file}:${i + 1} has ${found}`);
      });
  });
}

/** Code without comments and strings, line by line as it was. */
function withoutText(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"/g, (text) =>
    text.replace(/[^\n]/g, ""),
  );
}

/** A test may skip itself only under coverage, whose instrumentation changes what it measures. */
function focusedTests(): string[] {
  return globSync("test/**/*.ts").flatMap((file) => {
    const text = read(file);
    const focused = text.matchAll(/\b(?:describe|context|it)\.(?:only|skip)\(/g);
    const skips = text.matchAll(/^(?!.*globalOptions\.coverage\b).*\bthis\.skip\(/gm);
    return [...focused, ...skips].map(([call]) => `${file} has ${call.trim()}`);
  });
}

function bytecodeSizes(): string[] {
  return globSync("artifacts/contracts/**/*.json", { exclude: ["artifacts/contracts/mocks/**"] })
    .map((file) => JSON.parse(read(file)))
    .map(({ contractName, deployedBytecode }) => ({
      contractName,
      bytes: (String(deployedBytecode).length - "0x".length) / 2,
    }))
    .filter(({ bytes }) => bytes > MAX_BYTECODE_BYTES)
    .map(({ contractName, bytes }) => `${contractName}: ${bytes} of ${MAX_BYTECODE_BYTES} bytes`);
}

function sources(): string[] {
  return globSync("{contracts,src,scripts,deploy}/**/*.{sol,ts,cjs}");
}

function imports(file: string): string[] {
  const pattern =
    /^(?:import|export)\s+(?:[\w\s{},*$]+\sfrom\s+)?["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;
  return [...read(file).matchAll(pattern)].map((match) => {
    const target = match[1] ?? match[2] ?? "";
    return target.startsWith(".") ? normalize(join(dirname(file), target)) : target;
  });
}

function read(file: string): string {
  return readFileSync(file, "utf8");
}
