export function bundleClient(
  entry: string,
  options: { format: 'iife' | 'esm'; sourceMap?: boolean },
): Promise<{ code: string; map?: string }>;
