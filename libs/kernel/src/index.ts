/** Kernel: errors, identifiers, clock, patience, money and the text of cursors. Depends on nothing, knows no framework. */
export { StockyardError, type ErrorCategory, type StockyardErrorOptions } from './stockyard.error';
export { isUuid, newId, uuidv7, uuidv7LowerBound, uuidv7Time } from './uuid';
export { Clock, ManualClock, SystemClock } from './clock';
export { inTime } from './in-time';
export { LinePace } from './line-pace';
export { addMinor, MoneyError, multiplyMinor, parseDecimalToMinor } from './money';
export { decodeCursor, encodeCursor } from './cursor';
export { constantTimeEqual, sha256, sha256Hex } from './digest';
export { messagingSecret, type PlatformSecret, secretsOf } from './platform-secret';
export { SecretBox, type SecretBoxOptions } from './secret-box';
export { type Shape, shape, type ShapeIssue, type ShapeType } from './shape';
export { closed, Fields, pageOf, PageQuery } from './fields';
