import { main } from "../src/mutation/command.ts";

// npm run mutate -- [options]: faults planted in the contracts must be noticed by tests, see --help.
await main(process.argv.slice(2));
