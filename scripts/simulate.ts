import { main } from "../src/simulation/command.ts";

// npm run simulate -- [options]: one scenario, see --help.
await main(process.argv.slice(2));
