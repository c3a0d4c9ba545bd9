/** /v1/files: where links lead that the api serves itself. */
import { Controller, Get, Header, Param, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiProblems } from '#libs/http';
import { LinkHolders } from '#libs/identity';
import { shape } from '#libs/kernel';
import { Admit } from '#libs/throttling';
import Type from 'typebox';
import { FileDownloadService } from './file-download.service';

const SEALED = shape(Type.String({ description: 'From a link that was given out.' }));

@ApiTags('bulk')
@Controller('v1/files')
export class FilesController {
  constructor(private readonly downloads: FileDownloadService) {}

  /** The file of a link. The link is all it takes, until it expires. */
  @Get(':sealed')
  @ApiOperation({ summary: 'Download the file of a link' })
  @Admit({ priority: 'report', holds: 'slot' })
  @LinkHolders()
  @Header('Cache-Control', 'private, no-store')
  @Header('X-Content-Type-Options', 'nosniff')
  @Header('Referrer-Policy', 'no-referrer')
  @ApiProduces('text/csv', 'application/x-ndjson')
  @ApiResponse({ status: 200, description: 'The file.' })
  @ApiProblems({ 403: '`file_link_expired`.', 404: 'No such link, or the file is gone.', 429: 'Too many downloads.' })
  get(@Param('sealed', { schema: SEALED }) sealed: string): Promise<StreamableFile> {
    return this.downloads.open(sealed);
  }
}
