/** Shapes of the audit log. */
import type { AuditRecord } from '#libs/audit';
import { closed, Fields, pageOf, PageQuery, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

const AUDIT_ENTRY_FIELDS = Type.Object({
  id: Fields.id(),
  actor: Type.Object({
    type: Type.String({ description: '`user`, `api_key`, `operator`, `job` or `system`.' }),
    id: Fields.nullable(Fields.id()),
  }),
  action: Type.String({ description: 'What happened, such as `api_key.created`.' }),
  target: Type.Object({ type: Type.String(), id: Fields.nullable(Type.String()) }),
  data: Fields.nullable(Type.Object({}, { additionalProperties: true })),
  request_id: Fields.nullable(Type.String()),
  recorded_at: Fields.timestamp(),
});

export const AUDIT_ENTRY = shape(AUDIT_ENTRY_FIELDS);
export const AUDIT_PAGE = shape(pageOf(AUDIT_ENTRY_FIELDS));
export const AUDIT_QUERY = shape(closed({ ...PageQuery }), { text: true });

export function auditBody(record: AuditRecord): ShapeType<typeof AUDIT_ENTRY> {
  return {
    id: record.id,
    actor: { type: record.actorType, id: record.actorId },
    action: record.action,
    target: { type: record.targetType, id: record.targetId },
    data: record.data,
    request_id: record.requestId,
    recorded_at: record.recordedAt.toISOString(),
  };
}
