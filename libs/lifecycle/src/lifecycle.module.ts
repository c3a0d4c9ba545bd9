/** The life of tenants: the api takes LifecycleModule, the worker LifecycleWorkerModule (beside QueueWorkerModule). */
import { Module } from '@nestjs/common';
import { ShardConnections } from '#libs/database';
import { ArchiveRetentionTask } from './archive-retention.task';
import { DeleteOperation } from './delete/delete.operation';
import { TenantKeys } from './delete/tenant-keys';
import { TenantTraces } from './delete/tenant-traces';
import { OrganizationRecords } from './directory/organization-records';
import { ExportOperation } from './export/export.operation';
import { ImportOperation } from './import/import.operation';
import { MoveOperation } from './move/move.operation';
import { OperationHandlers } from './operation/operation-handler';
import { OperationRepository } from './operation/operation.repository';
import { OperationService } from './operation/operation.service';
import { OperationRunner } from './runner/operation-runner';

@Module({
  providers: [OperationRepository, OrganizationRecords, OperationService],
  exports: [OperationService],
})
export class LifecycleModule {}

@Module({
  providers: [
    ...[OperationRepository, OrganizationRecords, ShardConnections, OperationHandlers, OperationRunner],
    ...[ExportOperation, ImportOperation, MoveOperation],
    ...[TenantKeys, TenantTraces, DeleteOperation],
    ArchiveRetentionTask,
  ],
  exports: [OperationHandlers, OperationRunner, OrganizationRecords, ShardConnections],
})
export class LifecycleWorkerModule {}
