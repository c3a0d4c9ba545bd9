/** Queues: job classes, outbox and inbox, jobs that tenants can watch, and the worker that runs them. */
export { type OutboxEvent, outboxStatement } from './outbox/outbox.statement';
export { applyOnce, type InboxMessage, inboxStatement, isAlreadyProcessed } from './inbox/inbox.statement';
export { JOB_CLASSES, type JobClass } from './job-class';
export { queuePrefix, type QueueNaming } from './connection/queue-connection';
export { defineJob, type JobDefinition, type JobFile } from './registry/job-definition';
export { JobRegistry } from './registry/job-registry';
export { type OutboxMessage, type QueuedWork, TopicRegistry, type TopicRoute } from './registry/topic-registry';
export {
  isFinal,
  type Job,
  JOB_STATES,
  type JobFailure,
  type JobLineError,
  type JobProgress,
  type JobState,
} from './jobs/job';
export { JOB, JOB_LOG_LINE, jobLogLineView, type JobLogLineView, jobView, type JobView } from './jobs/job.schema';
export { type LogLevel, type LogLine } from './jobs/job-log';
export { CREATE_JOB, type JobRequest } from './jobs/job-request.shape';
export { JobRequests } from './jobs/job-requests.service';
export { JobRepository } from './jobs/job.repository';
export { type JobList, JobService, type NewJob, type PreparedJob } from './jobs/job.service';
export type { DeadLetter, DeadLetterQuery, ReplayedLetters, ReplayQuery } from './dead-letters/dead-letter';
export {
  DEAD_LETTER,
  DEAD_LETTER_PAGE,
  DEAD_LETTER_QUERY,
  deadLetterView,
  LETTERS_REPLAYED,
  lettersReplayedView,
  REPLAY_LETTERS,
} from './dead-letters/dead-letter.schema';
export { type Beside, DeadLetterService } from './dead-letters/dead-letter.service';
export {
  type DeadLetterHolder,
  type DeadLetterOverview,
  DeadLetterOverviewService,
} from './dead-letters/dead-letter-overview.service';
export { insertLineErrors, JOB_KEY_TAKEN, keptLineErrors, requireJobMade } from './jobs/job.statements';
export { HandlesJob, type JobContext, type JobHandler, type JobStep } from './host/job-handler';
export { QueueHost } from './host/queue-host.service';
export { type QueueLoad, readQueueLoad } from './load/queue-load';
export { QueuePulse } from './host/queue-pulse.service';
export { JobTurns } from './host/job-turns';
export { JobProducer } from './relay/job-producer';
export { OutboxRelay } from './relay/outbox-relay';
export { ShardLoop } from './relay/shard-loop';
export { type TenantTask, UpkeepTasks } from './upkeep/upkeep-tasks';
export { type RemovedJobs, TenantJobs } from './upkeep/tenant-jobs';
export { UpkeepService } from './upkeep/upkeep.service';
export { QueuesModule, type QueuesModuleOptions } from './queues.module';
export { QueueWorkerModule } from './queue-worker.module';
