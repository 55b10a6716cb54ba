import { main } from "../src/bench/modelCommand.ts";

// npm run bench:model -- [options]: speed of the model beside the contracts, see --help.
await main(process.argv.slice(2));
