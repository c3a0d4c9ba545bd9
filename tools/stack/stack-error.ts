// What ends the stack with a message for people instead of a stack trace.

/** The message is complete. `exitCode` is 2 for a wrong command line, else 1. */
export class StackError extends Error {
  override readonly name = 'StackError';

  constructor(
    message: string,
    readonly exitCode: 1 | 2 = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
