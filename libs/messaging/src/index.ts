/** Messaging: contracts of the Redis transport between api, worker and metrics. */
export { type EventName, type EventPayloads, PlatformEvents } from './platform-events';
export {
  type ClusterSnapshot,
  PlatformQuestions,
  type QuestionName,
  type Questions,
  type QueueDepth,
  type ReplicaState,
  type UsagePoint,
  type UsageSummary,
} from './platform-questions';
export { MessagingModule } from './messaging.module';
export { listenToMessages, redisTransport } from './redis-transport';
export { OnEvent, OnQuestion } from './message.decorators';
export { type MessageFault, MessagingStatistics } from './messaging-statistics';
