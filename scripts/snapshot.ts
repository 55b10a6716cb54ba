import { main } from "../src/snapshots/command.ts";

// npm run snapshot -- [options]: gas and bytecode size into snapshots/, see --help.
await main(process.argv.slice(2));
