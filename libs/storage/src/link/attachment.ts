/** Content-Disposition of a file that is to be saved, not shown; whatever could end the quoted string is replaced. */
export function attachment(filename: string): string {
  return `attachment; filename="${filename.replace(/[^\w.-]/g, '_')}"`;
}
