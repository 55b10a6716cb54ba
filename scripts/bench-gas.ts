import { main } from "../src/bench/command.ts";

// npm run bench:gas -- [options]: a table of gas costs, see --help.
await main(process.argv.slice(2));
