/** HTTP side of download links. */
import { Module } from '@nestjs/common';
import { FileDownloadService } from './file-download.service';
import { FilesController } from './files.controller';

@Module({ controllers: [FilesController], providers: [FileDownloadService], exports: [FileDownloadService] })
export class FilesHttpModule {}
