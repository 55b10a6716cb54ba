import { main } from "../src/simulation/command.ts";

// npm start: the default scenario with and without rebalancing. Options are those of `npm run simulate`.
await main(process.argv.slice(2));
