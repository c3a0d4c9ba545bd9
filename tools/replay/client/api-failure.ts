/** An answer, or the lack of one, that the replay cannot go on from. */

export interface ProblemDocument {
  readonly status?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly param?: string;
  readonly request_id?: string;
}

interface Called {
  readonly method: string;
  readonly path: string;
}

export class ApiFailure extends Error {
  static unreachable(called: Called, origin: string, cause: NodeJS.ErrnoException): ApiFailure {
    if (cause.code === 'ECONNREFUSED') {
      return new ApiFailure(
        `No api answers at ${origin}: start it with \`npm start\`, or name another with --api URL.`,
        { cause },
      );
    }
    return new ApiFailure(`${called.method} ${called.path}: ${cause.message}`, { cause });
  }

  /** An answer with a status that was not expected; the problem document is told whole. */
  static unexpected(called: Called, answer: { readonly status: number; readonly body: unknown }): ApiFailure {
    const body = typeof answer.body === 'string' ? answer.body.slice(0, 500) : JSON.stringify(answer.body);
    return new ApiFailure(`${called.method} ${called.path} answered ${answer.status}: ${body}`);
  }
}
