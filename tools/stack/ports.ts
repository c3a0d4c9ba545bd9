// The ports of the applications, checked before anything starts, and those of the servers, remembered between starts.
import { freePort, isPortFree } from '#libs/local-stack';
import { APPLICATIONS, PORT_VARIABLES, type ApplicationName } from './options';
import { SERVER_NAMES } from './shard-names';
import { StackError } from './stack-error';
import type { StateDirectory } from './state-directory';

export type ApplicationPorts = Readonly<Record<ApplicationName, number>>;

/** Ports of the last start, by the servers' names; a server takes another one when its port is in use by now. */
export type ServerPorts = Readonly<Record<string, number>>;

const FILE = 'ports.json';

/** Replaces 0 by a free port. Throws a StackError, one line, for a port that is in use or given twice. */
export async function checkPorts(wanted: ApplicationPorts): Promise<ApplicationPorts> {
  const ports: Record<ApplicationName, number> = { ...wanted };
  const taken = new Map<number, ApplicationName>();
  for (const name of APPLICATIONS) {
    const [variable] = PORT_VARIABLES[name];
    if (ports[name] === 0) ports[name] = await anotherThan(new Set([...taken.keys(), ...Object.values(wanted)]));
    const other = taken.get(ports[name]);
    if (other !== undefined)
      throw new StackError(`Port ${ports[name]} is given to ${other} and ${name}: set ${variable}.`);
    if (!(await isPortFree(ports[name]))) {
      throw new StackError(`Port ${ports[name]}, of the ${name} process, is in use: set ${variable} to another one.`);
    }
    taken.set(ports[name], name);
  }
  return ports;
}

/** Nobody holds what was drawn before, or is given to another process: it may be drawn again. */
async function anotherThan(known: ReadonlySet<number>): Promise<number> {
  let port = await freePort();
  while (known.has(port)) port = await freePort();
  return port;
}

export function rememberedPorts(state: StateDirectory): ServerPorts {
  const stored = (state.readJson(FILE) ?? {}) as Readonly<Record<string, unknown>>;
  const numbers = [...SERVER_NAMES, 'redis'].flatMap((name) => {
    const value = stored[name];
    return typeof value === 'number' ? [[name, value] as const] : [];
  });
  return Object.fromEntries(numbers);
}

/** Keeps the remembered ports of servers that this start did not need. */
export function rememberPorts(state: StateDirectory, ports: ServerPorts): void {
  state.writeJson(FILE, { ...rememberedPorts(state), ...ports });
}
