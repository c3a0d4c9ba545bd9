// One process of the running stack, whatever it is: enough to watch it, to show its log and to stop it.

export interface StackPart {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** Another one can take its place: the stack goes on without it. */
  readonly replaceable: boolean;
  /** Fulfilled with a description, e.g. "with code 1", when it ended for whatever reason. */
  readonly ended: Promise<string>;
  stop(): Promise<unknown>;
}

/** A server of this machine as a part. It must run. */
export function serverPart(
  name: string,
  server: {
    readonly pid: number | undefined;
    readonly logFile: string;
    readonly ended: Promise<string> | undefined;
    stop(): Promise<unknown>;
  },
  { replaceable = false }: { readonly replaceable?: boolean } = {},
): StackPart {
  const { pid = 0, logFile, ended = Promise.resolve('before it was watched') } = server;
  return { name, pid, logFile, replaceable, ended, stop: () => server.stop() };
}
