import { main } from "../src/access/command.ts";

// npm run access: who may call which function into docs/access.md.
await main(process.argv.slice(2));
