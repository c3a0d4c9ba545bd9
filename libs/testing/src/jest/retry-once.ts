/**
 * On the shared machines of continuous integration a test of real servers may lose a race against a machine that stands still.
 * There, and only there, it gets a second try; the first failure is printed all the same.
 */
if (process.env.CI) jest.retryTimes(1, { logErrorsBeforeRetry: true });
