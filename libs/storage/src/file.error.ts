/** What storage refuses with, whichever implementation keeps the files. */
import { StockyardError } from '#libs/kernel';

export function fileTooLarge(maxBytes: number): StockyardError {
  return new StockyardError({
    code: 'file_too_large',
    category: 'too_large',
    message: `The file is larger than ${maxBytes} bytes; split it.`,
    details: { max_bytes: maxBytes },
  });
}

export function fileNotFound(cause?: unknown): StockyardError {
  return new StockyardError({
    code: 'file_not_found',
    category: 'not_found',
    message: 'The file is not there any more.',
    cause,
  });
}

/** Files cannot be read or written for the moment: 503 for clients, another try for jobs. */
export class StorageUnavailableError extends StockyardError {
  constructor(cause: unknown) {
    super({
      code: 'storage_unavailable',
      category: 'unavailable',
      message: 'Files cannot be read or stored at the moment. Retry.',
      retryAfterSeconds: 10,
      cause,
    });
  }
}

/** The store answers and refuses this platform: its configuration is wrong, and only an operator can put it right. */
export class StorageRefusedError extends StorageUnavailableError {
  /** `reason` says which variable to look at; for logs and for who starts a process, not for clients. */
  constructor(
    readonly reason: string,
    cause: unknown,
  ) {
    super(new Error(reason, { cause }));
  }
}
