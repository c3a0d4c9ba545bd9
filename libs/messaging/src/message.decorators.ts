/**
 * Handlers of messages, in controllers. What they are given has passed signature, age and shape. Every replica gets
 * every message: an event handler only forgets or wakes something, a question handler only reads.
 */
import { applyDecorators, UseFilters } from '@nestjs/common';
import { EventPattern, MessagePattern, Transport } from '@nestjs/microservices';
import type { EventName, EventPayloads } from './platform-events';
import type { QuestionName, Questions } from './platform-questions';
import { QuestionFilter } from './question.filter';

type HandlerDecorator<Handler> = <T extends Handler>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/** Takes an event: `@OnEvent('organization.changed') forget(payload: EventPayloads['organization.changed'])`. */
export function OnEvent<N extends EventName>(
  name: N,
): HandlerDecorator<(payload: EventPayloads[N]) => void | Promise<void>> {
  return EventPattern(name, Transport.REDIS) as HandlerDecorator<(payload: EventPayloads[N]) => void | Promise<void>>;
}

/** Answers a question. A StockyardError thrown here reaches the asker; anything else is an internal error there. */
export function OnQuestion<N extends QuestionName>(
  name: N,
): HandlerDecorator<(payload: Questions[N]['asks']) => Promise<Questions[N]['answers']>> {
  return applyDecorators(MessagePattern(name, Transport.REDIS), UseFilters(QuestionFilter));
}
