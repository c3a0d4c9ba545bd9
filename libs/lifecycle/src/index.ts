/** Lifecycle: what is done to a tenant as a whole, as operations that survive the worker that runs them. */
export { LifecycleModule, LifecycleWorkerModule } from './lifecycle.module';
export {
  type Facts,
  type Operation,
  OPERATION_KINDS,
  OPERATION_STATES,
  type OperationKind,
  type OperationState,
} from './operation/operation';
export { OperationHandler, OperationHandlers, type StepContext } from './operation/operation-handler';
export {
  type ImportRequest,
  type OperationQuery,
  type OperationRequest,
  OperationService,
  type StoredArchive,
} from './operation/operation.service';
export { type OrganizationRecord, OrganizationRecords } from './directory/organization-records';
export { OperationRunner } from './runner/operation-runner';
