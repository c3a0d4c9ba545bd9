/** What an asker learns of a failed question: code, category and message of a refusal, and nothing of a fault. */
import { Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import { type ErrorCategory, StockyardError } from '#libs/kernel';
import { type Observable, throwError } from 'rxjs';

export interface QuestionFault {
  readonly code: string;
  readonly category: ErrorCategory;
  readonly message: string;
  readonly param?: string;
}

@Catch()
export class QuestionFilter implements ExceptionFilter {
  private readonly logger = new Logger('Messaging');

  catch(thrown: unknown): Observable<never> {
    return throwError(() => this.fault(thrown));
  }

  private fault(thrown: unknown): QuestionFault {
    if (thrown instanceof StockyardError && thrown.category !== 'internal') {
      const { code, category, message, param } = thrown;
      return { code, category, message, ...(param === undefined ? {} : { param }) };
    }
    this.logger.error({ err: thrown }, 'A question failed.');
    return { code: 'internal_error', category: 'internal', message: 'The answer failed on our side.' };
  }
}
