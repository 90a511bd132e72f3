export interface Fault {
  readonly name: string;
  /** A story that catches it. */
  readonly seed: number;
  /** A short story that catches it, if those of seeds hardly do. */
  readonly story?: string;
  /** It is about what several processes share. */
  readonly processes?: boolean;
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export declare const faults: readonly Fault[];
