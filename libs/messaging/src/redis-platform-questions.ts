/** PlatformQuestions over the Redis transport. */
import { StockyardError } from '#libs/kernel';
import { firstValueFrom, timeout } from 'rxjs';
import { ANSWER_SHAPES } from './contracts';
import { channelOf } from './packets';
import { PlatformQuestions, type QuestionName, type Questions } from './platform-questions';
import type { QuestionFault } from './question.filter';
import type { RedisTransportClient } from './redis-client.proxy';

const PATIENCE_MS = 2_000;
const RETRY_AFTER_SECONDS = 2;

function isFault(error: unknown): error is QuestionFault {
  const fault = error as Partial<QuestionFault> | null;
  return typeof fault?.code === 'string' && typeof fault.category === 'string' && typeof fault.message === 'string';
}

function unavailable(cause: unknown): StockyardError {
  return new StockyardError({
    code: 'metrics_unavailable',
    category: 'unavailable',
    message: 'The metrics process does not answer at the moment. Retry.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
    cause,
  });
}

export class RedisPlatformQuestions extends PlatformQuestions {
  constructor(
    private readonly client: RedisTransportClient,
    private readonly prefix: string,
  ) {
    super();
  }

  override async ask<N extends QuestionName>(name: N, payload: Questions[N]['asks']): Promise<Questions[N]['answers']> {
    const checked = ANSWER_SHAPES[name].validate(await this.send(name, payload));
    if (checked.issues) throw unavailable(new Error(`The answer to ${name} has another shape.`));
    return checked.value;
  }

  private async send(name: QuestionName, payload: unknown): Promise<unknown> {
    if (!this.client.ready) throw unavailable(new Error('Redis is away.'));
    try {
      return await firstValueFrom(this.client.send(channelOf(this.prefix, name), payload).pipe(timeout(PATIENCE_MS)));
    } catch (error) {
      throw isFault(error) && !(error instanceof Error)
        ? new StockyardError({ ...error, cause: error })
        : unavailable(error);
    }
  }
}
