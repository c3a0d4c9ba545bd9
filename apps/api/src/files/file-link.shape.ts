/** Shape of a download link. */
import { Fields, shape, type ShapeType } from '#libs/kernel';
import Type from 'typebox';

export const FILE_LINK = shape(
  Type.Object({
    url: Type.String({ format: 'uri', description: 'Serves the file to whoever has it; needs no credentials.' }),
    expires_at: Fields.timestamp('When it stops doing so.'),
  }),
);
export type FileLinkBody = ShapeType<typeof FILE_LINK>;
