/** Asks for exports and hands out their files. */
import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { notFound } from '#libs/database';
import { StockyardError } from '#libs/kernel';
import { type Job, JobService, jobView, type JobView } from '#libs/queues';
import { type FileLink, FileStore, type LinkOptions } from '#libs/storage';
import { BULK_EXPORT, exportKey, type ExportRequest } from '../bulk.jobs';
import { FORMATS } from './export-format';

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

  /** The file of a completed export. Throws `job_has_no_file` (409) for any other job. */
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
    const job = await this.jobs.get(jobId);
    if (job.type !== BULK_EXPORT.type || job.state !== 'completed') throw noFile(job);
    const { resource, format } = job.payload.data as ExportRequest;
    const key = exportKey(job.id, format);
    const found = await this.files.stat(key);
    if (!found) throw notFound();
    return {
      key,
      bytes: found.bytes,
      contentType: FORMATS[format].contentType,
      filename: `${resource}-${job.id}.${format}`,
    };
  }
}

function noFile({ type, state }: Job): StockyardError {
  return new StockyardError({
    code: 'job_has_no_file',
    category: 'conflict',
    message: 'Only a completed export has a file.',
    details: { type, state },
  });
}
