export interface Fault {
  readonly name: string;
  /** A story that catches it. */
  readonly seed: number;
  readonly changes: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

export declare const faults: readonly Fault[];
