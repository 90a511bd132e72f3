export type LanguageTexts = Record<string, string>;
export function readLanguages(): Promise<Map<string, LanguageTexts>>;
export function problemsIn(texts: Record<string, unknown>, tag: string, english: LanguageTexts): string[];
export function englishTexts(): Promise<LanguageTexts>;
