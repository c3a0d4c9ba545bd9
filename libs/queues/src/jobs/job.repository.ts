/** Reads and single writes of jobs. */
import { Injectable } from '@nestjs/common';
import { notFound, type Statement, TenantDatabase } from '#libs/database';
import type { JobClass } from '../job-class';
import type { Job, JobLineError, JobState } from './job';
import type { LogLine } from './job-log';
import * as sql from './job.statements';

export interface JobFilters {
  readonly state?: JobState | undefined;
  readonly type?: string | undefined;
  readonly class?: JobClass | undefined;
  /** Neither bound is part of the stretch. RFC 3339. */
  readonly created_after?: string | undefined;
  readonly created_before?: string | undefined;
}

export interface JobListQuery extends JobFilters {
  readonly limit: number;
  /** Id of the last row of the page before. */
  readonly before: string | null;
}

@Injectable()
export class JobRepository {
  constructor(private readonly database: TenantDatabase) {}

  /** Throws `not_found` for an unknown id and for another tenant's. */
  async get(id: string): Promise<Job> {
    const job = await this.find(id);
    if (!job) throw notFound();
    return job;
  }

  async find(id: string): Promise<Job | undefined> {
    return (await this.database.statement<Job>(sql.selectJob(id)))[0];
  }

  /** As it stands on the primary; undefined for an unknown id and for another tenant's. */
  async findNow(id: string): Promise<Job | undefined> {
    return (await this.database.statement<Job>(sql.selectJobNow(id)))[0];
  }

  /** Up to limit + 1 jobs, newest first. */
  list({ limit, before, ...filters }: JobListQuery): Promise<Job[]> {
    const { state, type, class: jobClass, created_after, created_before } = filters;
    const values = [state, type, jobClass, created_after, created_before].map((value) => value ?? null);
    return this.database.statement<Job>(sql.listJobs(...values, before, limit + 1));
  }

  /** Up to `limit` lines that come after a line, in their order. */
  logLines(id: string, afterLine: number, limit: number): Promise<LogLine[]> {
    return this.database.statement<LogLine>(sql.listLogLines(id, afterLine, limit));
  }

  /** The same, as they stand on the primary. */
  logLinesNow(id: string, afterLine: number, limit: number): Promise<LogLine[]> {
    return this.database.statement<LogLine>(sql.listLogLinesNow(id, afterLine, limit));
  }

  /** Runs a transition; undefined when the job's state does not allow it. */
  async transition(statement: Statement): Promise<Job | undefined> {
    return (await this.database.statement<Job>(statement))[0];
  }

  lineErrors(id: string, afterLine: number, limit: number): Promise<JobLineError[]> {
    return this.database.statement<JobLineError>(sql.listLineErrors(id, afterLine, limit));
  }

  open(olderThanSeconds: number, after: string, limit: number): Promise<Job[]> {
    return this.database.statement<Job>(sql.openJobs(olderThanSeconds, after, limit));
  }

  finished(olderThanDays: number, limit: number): Promise<Job[]> {
    return this.database.statement<Job>(sql.finishedJobs(olderThanDays, limit));
  }

  async delete(ids: readonly string[]): Promise<void> {
    await this.database.statement(sql.deleteJobs(ids));
  }
}
