/**
 * Where envelopes meet Nest's packets. These serializers sit inside the transport, on both sides, so that no handler
 * can forget to verify: what fails is counted and dropped before any handler or caller hears of it.
 */
import type {
  ConsumerDeserializer,
  IncomingRequest,
  OutgoingResponse,
  ProducerDeserializer,
  ReadPacket,
  Serializer,
} from '@nestjs/microservices';
import { EVENT_SHAPES, QUESTION_SHAPES } from './contracts';
import type { EnvelopeCodec } from './envelope';
import type { MessageFault, MessagingStatistics } from './messaging-statistics';

/** Name in the envelope of every answer; the nonce says which question it belongs to. */
const ANSWER = 'answer';

export interface PacketContext {
  readonly codec: EnvelopeCodec;
  readonly statistics: MessagingStatistics;
  /** First part of every channel: REDIS_KEY_PREFIX. */
  readonly prefix: string;
}

export const channelOf = (prefix: string, name: string): string => `${prefix}:${name}`;

function nameOf(prefix: string, channel: string): string {
  return channel.startsWith(`${prefix}:`) ? channel.slice(prefix.length + 1) : channel;
}

/** A message that was refused. Ends in the transport's error handler; nobody else sees it. */
export class RefusedMessageError extends Error {
  constructor(readonly fault: MessageFault) {
    super(`A message was refused: ${fault}.`);
    this.name = 'RefusedMessageError';
  }
}

type AskPacket = ReadPacket & { id?: string };
interface AnswerPayload {
  readonly response?: unknown;
  readonly err?: unknown;
  readonly isDisposed?: boolean;
}
type AnswerPacket = AnswerPayload & { readonly id: string };

/** Sender of events and questions: wraps the payload. */
export class AskSerializer implements Serializer<AskPacket, AskPacket> {
  constructor(private readonly context: PacketContext) {}

  serialize(packet: AskPacket): AskPacket {
    const name = nameOf(this.context.prefix, String(packet.pattern));
    return { ...packet, data: this.context.codec.seal(name, packet.data, packet.id) };
  }
}

const SHAPES = new Map<string, { validate(value: unknown): { readonly issues?: unknown } }>(
  Object.entries({ ...EVENT_SHAPES, ...QUESTION_SHAPES }),
);

/** Receiver of events and questions: the payload of a genuine one, or RefusedMessageError. */
export class AskDeserializer implements ConsumerDeserializer {
  constructor(private readonly context: PacketContext) {}

  deserialize(value: unknown, options: { channel: string }): IncomingRequest {
    const { codec, statistics, prefix } = this.context;
    const name = nameOf(prefix, options.channel);
    const packet = (typeof value === 'object' && value !== null ? value : {}) as Partial<IncomingRequest>;
    const id = typeof packet.id === 'string' ? packet.id : undefined;
    const opened = codec.open(packet.data, name, id);
    const fault = 'fault' in opened ? opened.fault : payloadFault(name, opened.payload);
    if (fault !== undefined) {
      statistics.countRefused(fault);
      throw new RefusedMessageError(fault);
    }
    statistics.countAccepted();
    const data = 'payload' in opened ? opened.payload : undefined;
    // An event has no id at all; with one, even undefined, its type demands an answer.
    return { pattern: options.channel, data, ...(id === undefined ? {} : { id }) } as IncomingRequest;
  }
}

function payloadFault(name: string, payload: unknown): MessageFault | undefined {
  const known = SHAPES.get(name);
  if (!known) return 'unknown';
  return known.validate(payload).issues ? 'invalid_payload' : undefined;
}

/** Sender of answers. */
export class AnswerSerializer implements Serializer<AnswerPacket, OutgoingResponse> {
  constructor(private readonly context: PacketContext) {}

  serialize({ id, ...answer }: AnswerPacket): OutgoingResponse {
    const payload: unknown = JSON.parse(JSON.stringify(answer)); // signed as it will be read
    return { id, response: this.context.codec.seal(ANSWER, payload, id) } as OutgoingResponse;
  }
}

/** Receiver of answers. A refused one becomes an answer to nothing: throwing here would end the process. */
export class AnswerDeserializer implements ProducerDeserializer {
  constructor(private readonly context: PacketContext) {}

  deserialize(value: unknown): AnswerPacket {
    const packet = (typeof value === 'object' && value !== null ? value : {}) as Partial<AnswerPacket>;
    const id = typeof packet.id === 'string' ? packet.id : '';
    const opened = this.context.codec.open(packet.response, ANSWER, id);
    if ('fault' in opened) {
      this.context.statistics.countRefused(opened.fault);
      return { id: '' };
    }
    return { ...(opened.payload as AnswerPayload), id };
  }
}
