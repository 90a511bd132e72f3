export interface Fault {
  readonly name: string;
  /** A story that catches it. */
  readonly seed: number;
  /** It is about what several processes share. */
  readonly processes?: boolean;
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export declare const faults: readonly Fault[];
