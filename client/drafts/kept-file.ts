/** A chosen file with its content in memory: what can be put back after the page is gone. */
export class KeptFile {
  constructor(
    readonly name: string,
    readonly type: string,
    readonly lastModified: number,
    readonly content: ArrayBuffer,
  ) {}
}
