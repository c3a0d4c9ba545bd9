/** Asks for exports, and hands out the files that jobs of any type have written. */
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { notFound } from '#libs/database';
import { JobService, jobView, type JobView } from '#libs/queues';
import { type FileLink, FileStore, type LinkOptions } from '#libs/storage';
import { BULK_EXPORT, type ExportRequest } from '../bulk.jobs';

export interface ExportFile {
  readonly stream: Readable;
  readonly bytes: number;
  readonly contentType: string;
  readonly filename: string;
}

interface FoundFile extends LinkOptions {
  readonly key: string;
  readonly bytes: number;
}

@Injectable()
export class ExportService {
  constructor(
    private readonly jobs: JobService,
    private readonly files: FileStore,
  ) {}

  async create(payload: ExportRequest): Promise<JobView> {
    return jobView(await this.jobs.create({ definition: BULK_EXPORT, payload }));
  }

  /** The file of a completed job. Throws `job_has_no_file` (409) for a job that has none, or not yet. */
  async file(jobId: string): Promise<ExportFile> {
    const { key, bytes, filename, contentType } = await this.find(jobId);
    return { stream: await this.files.open(key), bytes, contentType, filename };
  }

  /** A link to the same file, for whoever is to have it. Throws as `file` does. */
  async link(jobId: string): Promise<FileLink> {
    const { key, filename, contentType } = await this.find(jobId);
    return this.files.link(key, { filename, contentType });
  }

  private async find(jobId: string): Promise<FoundFile> {
    const file = await this.jobs.file(jobId);
    const found = await this.files.stat(file.key);
    if (!found) throw notFound();
    return { ...file, bytes: found.bytes };
  }
}
