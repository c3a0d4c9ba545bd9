/** Reads and single writes of jobs. */
import { Injectable } from '@nestjs/common';
import { notFound, type Statement, TenantDatabase } from '#libs/database';
import type { Job, JobLineError, JobState } from './job';
import * as sql from './job.statements';

export interface JobListQuery {
  readonly limit: number;
  readonly state?: JobState | undefined;
  readonly type?: string | undefined;
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

  /** Up to limit + 1 jobs, newest first. */
  list({ limit, state, type, before }: JobListQuery): Promise<Job[]> {
    return this.database.statement<Job>(sql.listJobs(state ?? null, type ?? null, before, limit + 1));
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
