// Serves SQS and SNS on a free port of the loopback address alone, prints its URL, and ends when its input does: it cannot
// outlive the test that started it.
import { buildApp } from "fauxqs";

const app = buildApp({ logger: false, defaultRegion: "us-east-1" });
console.log(await app.listen({ host: "127.0.0.1", port: 0 }));
process.stdin.on("end", () => process.exit(0)).resume();
