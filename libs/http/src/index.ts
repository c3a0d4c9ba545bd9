/** HTTP: what the three processes share at their edge: problem documents, validation, ids, entity tags, bootstrap. */
export { createHttpApplication, type HttpApplicationOptions } from './create-http-application';
export { ProblemFilter, type ProblemDocument, sendProblem } from './problem.filter';
export { validationPipe } from './validation.pipe';
export { IdempotencyKey, IfMatch } from './header.decorators';
export { EtagInterceptor } from './etag.interceptor';
export { page, type Page } from './page';
export { ApiProblems, problemAnswer } from './api-problems.decorator';
export { closeWith, EVENT_STREAM, eventStream } from './streams/event-stream';
export { StreamWatch } from './streams/stream-watch';
export { type StreamBounds, StreamWatchers } from './streams/stream-watchers';
